"""What a run leaves for people to follow: metrics.jsonl, what loggers keep, what they see meanwhile."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from actionformer.core.errors import warn
from actionformer.core.files import read_json_lines, write_whole
from actionformer.core.run_files import METRICS
from actionformer.training.loggers.base import Logger, Loggers
from actionformer.training.loop import Metrics
from actionformer.training.progress import TrainingProgress

GROWN = 2.0
"""Times the loss of the first epoch, which has hardly learned anything, from which on training goes wrong."""


class MetricsLog:
    """Observes training: a line of metrics.jsonl an epoch, loggers, and progress.

    `map` and `map@<tIoU>` are shares from 0 to 1. Opened for a resumed run it drops the lines of epochs that will be
    trained again.
    """

    def __init__(
        self,
        directory: Path,
        *,
        first_epoch: int,
        steps_per_epoch: int,
        progress: TrainingProgress,
        loggers: Sequence[Logger] = (),
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self.directory, self.path = directory, directory / METRICS
        self.first_epoch, self.steps_per_epoch = first_epoch, steps_per_epoch
        self.lines = _lines_before(self.path, first_epoch)
        self.loggers, self.settings = Loggers(loggers), settings or {}
        self.progress = progress
        self.grown = False

    def __enter__(self) -> MetricsLog:
        write_whole(self.path, "".join(self.lines))  # before loggers start, which nobody would end if this failed
        self.loggers.start(
            self.directory, self.settings, first_epoch=self.first_epoch, steps_per_epoch=self.steps_per_epoch
        )
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()
        self.loggers.finish(failed=error is not None)

    def step(self, step: int, metrics: Metrics) -> None:
        """Moves the bar and tells the loggers."""
        self.loggers.step(step, metrics)
        self.progress.step(step, metrics)

    def epoch(self, epoch: int, metrics: Metrics) -> None:
        """Writes the epoch's line; a figure that overflowed is null there."""
        finite = {name: value if math.isfinite(value) else None for name, value in metrics.items()}
        self.lines.append(json.dumps({"epoch": epoch, **finite}) + "\n")
        write_whole(self.path, "".join(self.lines))
        self.loggers.epoch(epoch, metrics)
        self._compare_loss(epoch, metrics)

    def saved(self, epoch: int, metrics: Metrics) -> None:
        """Tells people and programs, who may end the training for what they are told."""
        self.progress.epoch(epoch, metrics)

    def _compare_loss(self, epoch: int, metrics: Metrics) -> None:
        """Warns once of a loss that grew; as sums, since what they are divided by changes in a run's first steps."""
        first, now = _loss_sum(json.loads(self.lines[0])), _loss_sum(metrics)
        if first is not None and now is not None and now > GROWN * first and not self.grown:
            self.grown = True
            warn(
                f"the loss of epoch {epoch + 1} is {now / first:.1f} times that of the first: "
                "lower training.learning_rate, or look for extreme feature values",
                stacklevel=3,
            )


def _lines_before(path: Path, epoch: int) -> list[str]:
    """The whole lines of epochs before `epoch`; a line cut short by a crash is left out."""
    if epoch == 0 or not path.is_file():
        return []
    return [json.dumps(line) + "\n" for line in read_json_lines(path) if _is_before(line.get("epoch"), epoch)]


def _is_before(found: Any, epoch: int) -> bool:
    return type(found) is int and found < epoch


def _loss_sum(metrics: Mapping[str, float | None]) -> float | None:
    loss, normalizer = metrics.get("loss"), metrics.get("normalizer", 1.0)
    return loss * normalizer if loss is not None and normalizer is not None else None
