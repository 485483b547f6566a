"""The names of all files of a run directory.

Settings, weights and card, with classifier and proposer where there are some, are a model directory: the model of the
last epoch, which is complete without the rest. A run has them a second time, in `BEST`.
"""

CONFIG = "config.toml"
"""All settings."""
WEIGHTS = "model.safetensors"
CLASSIFIER = "classifier.safetensors"
"""The classifier of whole videos, where a model of proposals has one."""
CARD = "model.json"
"""What the model is for and where it comes from."""
PROPOSER = "proposer"
"""The model directory of what proposes segments, where a second stage has one."""
BEST = "best"
"""The model directory of the epoch with the best mAP."""
METRICS = "metrics.jsonl"
"""A line per epoch."""
EVENTS = "events"
"""A folder of events for TensorBoard."""
RESUME = "resume"
"""A folder with what a stopped run is continued from, the file `STATE`."""
STATE = "state.pt"
DETECTIONS = "detections.json"
"""What the last evaluation detected."""
REPORT = "evaluation.json"
"""The figures of the last evaluation."""
OVERVIEW = "overview.json"
"""What the report at the end of training says."""
FEATURES = "features"
"""A folder with the features that training made of videos; they stay when a run is replaced."""
LABELS = "found_labels.json"
"""What self-training has learned from besides what people have labelled."""
FOLD = "fold_"
"""What the run directories of folds are called, before their number."""
FOLDS = "folds.json"
"""The figures of all folds, beside these."""
SEED = "seed"
"""What the run directories of an entry of a comparison are called, before their seed."""
COMPARISON, ABLATION = "comparison", "ablation"
"""The tables of a comparison and of an ablation, beside their entries, with the ending of each form."""
LOCK = ".lock"
"""Who writes the run, while somebody does."""
PART = ".part"
"""The ending of hidden files that are being written, which have their own names once they are whole."""
PARTS = f".*{PART}"
"""Their pattern."""

EXPORTS = ("model.onnx", "model.xml", "model.bin", "model.pt2")
"""The files of an exported model, where nothing else is said."""

MODEL = (CONFIG, WEIGHTS, CARD)
EVALUATION = (DETECTIONS, REPORT, OVERVIEW)
RUN = (
    RESUME,
    CARD,
    CONFIG,
    WEIGHTS,
    CLASSIFIER,
    PROPOSER,
    METRICS,
    DETECTIONS,
    REPORT,
    OVERVIEW,
    BEST,
    EVENTS,
    LABELS,
    *EXPORTS,
)
"""What training and evaluation leave, in the order in which it is removed: first what a run is continued from."""
