"""What the verbs do: each composes the rooms before it into one piece of work."""

from actionformer.recipes.ablate import ablate
from actionformer.recipes.advise import advise
from actionformer.recipes.calibrate import calibrate
from actionformer.recipes.classify import classify
from actionformer.recipes.compare import compare
from actionformer.recipes.detect import detect
from actionformer.recipes.diagnose import diagnose
from actionformer.recipes.doctor import doctor
from actionformer.recipes.evaluate import evaluate
from actionformer.recipes.extract import Extraction, extract
from actionformer.recipes.folds import FoldsReport, cross_validate
from actionformer.recipes.live import Watch, watch
from actionformer.recipes.train import train

__all__ = [
    "Extraction",
    "FoldsReport",
    "Watch",
    "ablate",
    "advise",
    "calibrate",
    "classify",
    "compare",
    "cross_validate",
    "detect",
    "diagnose",
    "doctor",
    "evaluate",
    "extract",
    "train",
    "watch",
]
