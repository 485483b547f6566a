"""What a run leaves for people to follow: metrics.jsonl, TensorBoard events, progress bars."""

from __future__ import annotations

import json
import math
from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from actionformer.files import METRICS, write_whole
from actionformer.terminal import TextColumn
from actionformer.training.events import Events
from actionformer.training.loop import Metrics


class Journal:
    """Observes training: a line of metrics.jsonl an epoch, events for TensorBoard if that is installed, and a bar.

    Opened for a resumed run it drops the lines of epochs that will be trained again.
    """

    def __init__(
        self, directory: Path, *, first_epoch: int, epochs: int, steps_per_epoch: int, console: Console
    ) -> None:
        self.path = directory / METRICS
        self.lines = _lines_before(self.path, first_epoch)
        self.events = Events(directory / "events", purge_step=first_epoch * steps_per_epoch)
        self.progress = Progress(
            TextColumn(),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("note"),
            console=console,
        )
        self.bar = self.progress.add_task(
            "training", total=epochs * steps_per_epoch, completed=first_epoch * steps_per_epoch, note=""
        )
        self.figures = ""

    def __enter__(self) -> Journal:
        write_whole(self.path, "".join(self.lines))
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()
        self.events.close()

    def step(self, step: int, metrics: Metrics) -> None:
        """Moves the bar and writes the step's events."""
        note = f"loss {metrics['loss']:.3f}{self.figures}"
        self.progress.update(self.bar, completed=step, note=note)
        self._write_events("step", step, metrics)

    def epoch(self, epoch: int, metrics: Metrics) -> None:
        """Writes the epoch's line; a figure that overflowed is null there."""
        if "map" in metrics:
            self.figures = f", mAP {100 * metrics['map']:.1f}"
        finite = {name: value if math.isfinite(value) else None for name, value in metrics.items()}
        self.lines.append(json.dumps({"epoch": epoch, **finite}) + "\n")
        write_whole(self.path, "".join(self.lines))
        self._write_events("epoch", epoch, metrics)

    def _write_events(self, group: str, step: int, metrics: Metrics) -> None:
        self.events.scalars(step, {f"{group}/{name}": value for name, value in metrics.items()})


def _lines_before(path: Path, epoch: int) -> list[str]:
    """The whole lines of epochs before `epoch`; a line cut short by a crash is left out."""
    if epoch == 0 or not path.is_file():
        return []
    lines = []
    for line in path.read_text("utf-8").splitlines(keepends=True):
        try:
            if json.loads(line)["epoch"] < epoch:
                lines.append(line)
        except (json.JSONDecodeError, KeyError, TypeError):
            continue
    return lines
