"""ActionFormer: temporal action localization.

Finds every action in a video: when it starts, when it ends, what it is.
What one does, in this order:

    extract, load_backbone   videos -> features, one file a video
    read_annotations, train  features and annotations -> a run directory
    doctor, advise           what is wrong with these, settings that fit them
    cross_validate           train, each video held out once -> mean, deviation
    compare, ablate          detectors, or changes of one -> a table of figures
    self_train, ensemble     a run and more videos, or several runs -> a run
    classify                 a run that finds proposals -> one that names them
    evaluate                 a run -> its Report on the evaluation subset
    calibrate                a run -> scores that are probabilities, thresholds
    diagnose                 a run -> why its detections are wrong
    load, build, convert     a run, a preset, a published checkpoint -> a Detector
    pipeline                 a run -> a function: video -> each Action in it
    push, export             a run -> hf://USER/MODEL, a file for other runtimes
    Detector                 detect, detect_many, detect_video -> Detections
    watch                    a live source -> actions, each once it is final
    score, read_results      detections of any program -> a Report

    import actionformer

    actionformer.extract("videos/", "motion", "features/")
    actionformer.train("auto", "annotations.json", "features/", "runs/mine")
    print(actionformer.evaluate("runs/mine"))
    found = actionformer.load("runs/mine").detect_video("new.mp4")
    found.above(0.3).of("jump").segments  # (N, 2), seconds
    found.above(0.3).to_srt("new.srt")

Segments are seconds from the start of the video. Scores and figures of a Report,
which are printed in percent, lie between 0 and 1. What cannot be used raises an
InputError, which says what to do. What may be wrong, cut or guessed is a warning,
and a record of the logger "actionformer". A Progress tells how far a call is, a
Logger how training goes. `help(actionformer.train)` has all of one function,
`dir(actionformer)` all names; `actionformer --help` shows the command line.
"""

# The public names are imported when they are first used, so that the command line answers `--help` at once. There is no
# `__all__`: with it, `help(actionformer)` prints the whole of every class, 1,700 lines instead of a page.

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from actionformer.backbones import Backbone as Backbone
    from actionformer.backbones import load_backbone as load_backbone
    from actionformer.core.detections import Action as Action
    from actionformer.core.detections import Detections as Detections
    from actionformer.core.errors import InputError as InputError
    from actionformer.core.progress import Progress as Progress
    from actionformer.evaluation.report import Report as Report
    from actionformer.evaluation.report import score as score
    from actionformer.formats.annotations import read_annotations as read_annotations
    from actionformer.formats.detections import read_results as read_results
    from actionformer.inference.detector import Detector as Detector
    from actionformer.inference.loading import build as build
    from actionformer.inference.loading import load as load
    from actionformer.inference.settings import SuppressionSettings as SuppressionSettings
    from actionformer.inference.suppression import suppress as suppress
    from actionformer.interop import convert as convert
    from actionformer.recipes.ablate import ablate as ablate
    from actionformer.recipes.advise import advise as advise
    from actionformer.recipes.calibrate import calibrate as calibrate
    from actionformer.recipes.classify import classify as classify
    from actionformer.recipes.compare import compare as compare
    from actionformer.recipes.diagnose import diagnose as diagnose
    from actionformer.recipes.doctor import doctor as doctor
    from actionformer.recipes.ensemble import ensemble as ensemble
    from actionformer.recipes.evaluate import evaluate as evaluate
    from actionformer.recipes.export_model import export as export
    from actionformer.recipes.extract import extract as extract
    from actionformer.recipes.folds import cross_validate as cross_validate
    from actionformer.recipes.live import watch as watch
    from actionformer.recipes.pipeline import pipeline as pipeline
    from actionformer.recipes.push import push as push
    from actionformer.recipes.self_train import self_train as self_train
    from actionformer.recipes.train import train as train
    from actionformer.settings.config import Config as Config
    from actionformer.settings.loading import load_config as load_config
    from actionformer.training.loggers.base import Logger as Logger

_HOMES = {
    "Action": "core.detections",
    "Backbone": "backbones",
    "Config": "settings.config",
    "Detections": "core.detections",
    "Detector": "inference.detector",
    "InputError": "core.errors",
    "Logger": "training.loggers.base",
    "Progress": "core.progress",
    "Report": "evaluation.report",
    "SuppressionSettings": "inference.settings",
    "ablate": "recipes.ablate",
    "advise": "recipes.advise",
    "build": "inference.loading",
    "calibrate": "recipes.calibrate",
    "classify": "recipes.classify",
    "compare": "recipes.compare",
    "convert": "interop",
    "cross_validate": "recipes.folds",
    "diagnose": "recipes.diagnose",
    "doctor": "recipes.doctor",
    "ensemble": "recipes.ensemble",
    "evaluate": "recipes.evaluate",
    "export": "recipes.export_model",
    "extract": "recipes.extract",
    "load": "inference.loading",
    "load_backbone": "backbones",
    "load_config": "settings.loading",
    "pipeline": "recipes.pipeline",
    "push": "recipes.push",
    "read_annotations": "formats.annotations",
    "read_results": "formats.detections",
    "score": "evaluation.report",
    "self_train": "recipes.self_train",
    "suppress": "inference.suppression",
    "train": "recipes.train",
    "watch": "recipes.live",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        from actionformer.core.errors import DISTRIBUTION

        return version(DISTRIBUTION)
    if name == "evaluate_run":
        from actionformer.core.errors import warn

        warn("actionformer.evaluate_run is now called actionformer.evaluate", 2, DeprecationWarning)
        name = "evaluate"
    if name not in _HOMES:
        raise AttributeError(f"module 'actionformer' has no attribute {name!r}")
    return getattr(import_module(f"actionformer.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return [*_HOMES, "__version__"]
