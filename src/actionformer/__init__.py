"""ActionFormer: temporal action localization.

Finds every action in a video: when it starts, when it ends, what it is.
What one does, in this order:

    extract, load_backbone   videos -> features, one file a video
    read_annotations, train  features and annotations -> a run directory
    evaluate_run             a run -> its Report on the evaluation subset
    load, build, convert     a run, a preset, a published checkpoint -> a Detector
    Detector                 detect, detect_many, detect_video: features or
                             a video -> Detections
    watch                    a live source -> actions, each once it is final
    score, read_results      detections of any program -> a Report

    import actionformer

    actionformer.extract("videos/", "motion", "features/")
    actionformer.train("small", "annotations.json", "features/", "runs/mine")
    print(actionformer.evaluate_run("runs/mine"))
    detector = actionformer.load("runs/mine")
    found = detector.detect_video("new.mp4")
    found.above(0.3).of("jump").segments  # (N, 2), seconds
    found.above(0.3).to_srt("new.srt")

Segments are seconds from the start of the video. Scores lie between 0 and 1, and
so do the figures of a Report, which are printed in percent. What cannot be used
raises an InputError, which says what to do. What may be wrong, cut or guessed is
a warning, and a record of the logger "actionformer". On the command line
`actionformer VERB` does the same, see `actionformer --help`.
"""

# The public names are imported when they are first used, so that the command line answers `--help` at once.

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
    return [*__all__, "__version__"]
