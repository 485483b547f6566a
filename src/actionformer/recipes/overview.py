"""What a training that ends leaves besides its model: what it finds in the held-out videos, and what to make of it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from actionformer.core.files import read_json_lines
from actionformer.core.run_files import DETECTIONS, METRICS, OVERVIEW, REPORT
from actionformer.data.rarity import worth_repeating
from actionformer.evaluation.limits import MORE
from actionformer.evaluation.overview import overview
from actionformer.formats.detections import write_results
from actionformer.nn.settings import PyramidSettings
from actionformer.recipes.evaluate import with_skipped
from actionformer.recipes.task import Task
from actionformer.recipes.validation import Validation
from actionformer.settings.config import Config

FEATURE_DROPOUT = 0.2
"""The `data.feature_dropout` to try where there is none and training goes on too long."""


def write_overview(out: Path, task: Task, evaluated: Validation) -> None:
    """Writes detections, their figures and the overview of the model that was evaluated last.

    Args:
        out: the run directory, with the metrics of all epochs.
        task: what was trained on.
        evaluated: after its last evaluation.
    """
    assert evaluated.report is not None
    names = task.annotations.class_names
    learned = Counter(names[label] for one in task.collection.videos for label in one.video.labels.tolist())
    found = overview(
        evaluated.truth,
        evaluated.detections,
        evaluated.report,
        evaluated.calibration,
        evaluated.groups,
        fresh=evaluated.fresh,
        learned=learned,
        course=[(row["epoch"] + 1, row["map"]) for row in read_json_lines(out / METRICS) if row.get("map") is not None],
        epochs=task.config.training.epochs,
        stride=task.card.features.stride,
        repeat_rare=0.0
        if task.config.training.repeat_rare
        else worth_repeating([one.labels for one in task.training.videos]),
        feature_dropout=0.0 if task.config.data.feature_dropout else FEATURE_DROPOUT,
        for_long=_for_long(task.config),
    )
    write_results(out / DETECTIONS, evaluated.detections)
    with_skipped(evaluated.report, evaluated.collection).to_json(out / REPORT)
    found.to_json(out / OVERVIEW)


def _for_long(config: Config) -> str:
    """What lets a detector find long actions: more levels of a pyramid, or longer windows, where it has them."""
    if isinstance(config.model, PyramidSettings):
        return "take features further apart, or give the model more levels"
    if config.data.window is not None:
        return "take features further apart, or raise data.window"
    return MORE
