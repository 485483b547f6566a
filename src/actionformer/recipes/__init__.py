"""What the verbs do: each composes the rooms before it into one piece of work."""

from actionformer.recipes.advise import advise
from actionformer.recipes.calibrate import calibrate
from actionformer.recipes.detect import detect
from actionformer.recipes.diagnose import diagnose
from actionformer.recipes.doctor import doctor
from actionformer.recipes.evaluate import evaluate
from actionformer.recipes.extract import Extraction, extract
from actionformer.recipes.live import Watch, watch
from actionformer.recipes.train import train

__all__ = [
    "Extraction",
    "Watch",
    "advise",
    "calibrate",
    "detect",
    "diagnose",
    "doctor",
    "evaluate",
    "extract",
    "train",
    "watch",
]
