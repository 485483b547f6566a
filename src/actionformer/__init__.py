"""ActionFormer: temporal action localization, from features to a timeline of actions.

The public names are imported when they are first used, so that the command line answers `--help` at once.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from actionformer.config import Config, SuppressionSettings, load_config
    from actionformer.data.annotations import read_annotations
    from actionformer.detections import Detections, read_results
    from actionformer.errors import InputError
    from actionformer.evaluation import Report, score
    from actionformer.inference import Detector, build, load, suppress
    from actionformer.interop import convert
    from actionformer.recipes import evaluate_run, extract, train, watch
    from actionformer.video.backbones import Backbone, load_backbone

_HOMES = {
    "Backbone": "video.backbones",
    "Config": "config",
    "Detections": "detections",
    "Detector": "inference",
    "InputError": "errors",
    "Report": "evaluation",
    "SuppressionSettings": "config",
    "build": "inference",
    "convert": "interop",
    "evaluate_run": "recipes",
    "extract": "recipes",
    "load": "inference",
    "load_backbone": "video.backbones",
    "load_config": "config",
    "read_annotations": "data.annotations",
    "read_results": "detections",
    "score": "evaluation",
    "suppress": "inference",
    "train": "recipes",
    "watch": "recipes",
}

__all__ = [
    "Backbone",
    "Config",
    "Detections",
    "Detector",
    "InputError",
    "Report",
    "SuppressionSettings",
    "build",
    "convert",
    "evaluate_run",
    "extract",
    "load",
    "load_backbone",
    "load_config",
    "read_annotations",
    "read_results",
    "score",
    "suppress",
    "train",
    "watch",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        from actionformer.errors import DISTRIBUTION

        return version(DISTRIBUTION)
    if name == "evaluate":
        from actionformer.errors import warn

        warn("actionformer.evaluate is now called actionformer.score", 2, DeprecationWarning)
        name = "score"
    if name not in _HOMES:
        raise AttributeError(f"module 'actionformer' has no attribute {name!r}")
    return getattr(import_module(f"actionformer.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
