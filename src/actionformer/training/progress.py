"""How training goes, for people: a bar in a terminal, and a line an epoch in a log."""

from __future__ import annotations

import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from actionformer.core.progress import OnProgress, Progress, TextColumn, roughly
from actionformer.core.terminal import say
from actionformer.training.loop import PART, Metrics


class TrainingProgress:
    """Begins with how many epochs there will be, as a preset's warm-up comes on top of those that were asked for.

    mAP is in percent, as everywhere that people read it; a callback is told shares.
    """

    def __init__(
        self,
        console: Console,
        *,
        first_epoch: int,
        epochs: int,
        warmup_epochs: int,
        steps_per_epoch: int,
        on_progress: OnProgress | None = None,
    ) -> None:
        self.console, self.on_progress = console, on_progress
        self.steps = epochs * steps_per_epoch
        self.first, self.epochs, self.warmup = first_epoch, epochs, warmup_epochs
        self.bar = Bar(
            TextColumn(),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("note"),
            console=console,
            disable=not console.is_terminal,
        )
        done = first_epoch * steps_per_epoch
        self.task = self.bar.add_task("training", total=self.steps, completed=done, note="")
        self.loss, self.precision = "", ""

    def start(self) -> None:
        """Says how many epochs there are, and shows the bar."""
        plan = f"training: {self.epochs} epoch{'s' * (self.epochs > 1)}"
        if self.warmup:
            plan += f": {self.warmup} of warm-up, then {self.epochs - self.warmup}"
        if self.first:
            plan += f"; {self.first} {'is' if self.first == 1 else 'are'} done"
        say(self.console, plan)
        self.started = time.monotonic()
        self.bar.start()

    def stop(self) -> None:
        """Leaves the bar as it is."""
        self.bar.stop()

    def step(self, step: int, metrics: Metrics) -> None:
        """Moves the bar."""
        self.loss = f"loss {metrics['loss']:.3f}"
        self.bar.update(self.task, completed=step, note=self.loss + self.precision)
        if self.on_progress is not None:
            self.on_progress(Progress("step", step, self.steps, figures=metrics))

    def epoch(self, epoch: int, metrics: Metrics) -> None:
        """Says what an epoch came to."""
        if "map" in metrics:
            self.precision = f", mAP {100 * metrics['map']:.1f}%"
            self.bar.update(self.task, note=self.loss + self.precision)
        if not self.console.is_terminal:
            say(self.console, self._line(epoch, metrics))
        if self.on_progress is not None:
            self.on_progress(Progress("epoch", epoch + 1, self.epochs, figures=metrics))

    def _line(self, epoch: int, metrics: Metrics) -> str:
        done = epoch + 1 - self.first
        left = (time.monotonic() - self.started) / done * (self.epochs - epoch - 1)
        losses = [f"{one.removesuffix(PART)} {value:.4f}" for one, value in metrics.items() if one.endswith(PART)]
        parts = [
            f"loss {metrics['loss']:.4f} ({', '.join(losses)})",
            f"rate {metrics['learning_rate']:.2g}",
            *([f"mAP {100 * metrics['map']:.1f}%"] if "map" in metrics else []),
            f"{roughly(left)} left",
        ]
        return f"epoch {epoch + 1} of {self.epochs}: {', '.join(parts)}"
