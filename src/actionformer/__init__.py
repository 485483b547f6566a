"""ActionFormer: temporal action localization, from features to a timeline of actions."""

from actionformer.config import Config, SuppressionSettings, load_config
from actionformer.data.annotations import read_annotations
from actionformer.detections import Detections
from actionformer.errors import InputError
from actionformer.evaluation import Report, evaluate
from actionformer.inference import Detector, build, load, suppress
from actionformer.interop import convert
from actionformer.recipes import train

__all__ = [
    "Config",
    "Detections",
    "Detector",
    "InputError",
    "Report",
    "SuppressionSettings",
    "build",
    "convert",
    "evaluate",
    "load",
    "load_config",
    "read_annotations",
    "suppress",
    "train",
]
