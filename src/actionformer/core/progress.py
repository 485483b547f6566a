"""How far something has come: for programs, as bars for terminals and lines for logs; the time that is left."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, Task, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.text import Text

from actionformer.core.terminal import say, visible

Item = TypeVar("Item")
FIRST_LINE, NEXT_LINE = 10.0, 30.0
"""Seconds until the first line for a log, and from one to the next."""


@dataclass(frozen=True)
class Progress:
    """What `on_progress` of `train`, `extract` and `recipes.detect.detect` is given, as often as there is news.

    What the function raises ends the call, as Ctrl-C does: all three go on from there when they are called again with
    what makes them (`resume`). It is told of an epoch once that is saved.
    """

    unit: Literal["step", "epoch", "clip", "video"]
    """Training counts steps and epochs, extraction clips of a video and videos, detection likewise."""
    done: int
    """So many of them are done."""
    total: int | None
    """Of so many; None where a video does not say how many clips it has."""
    file: str = ""
    """The video, or file of features, that clips are of or that is done."""
    failed: str | None = None
    """Why the video could not be used."""
    figures: Mapping[str, float] = field(default_factory=dict)
    """Of a step or an epoch, as in metrics.jsonl: parts of the loss, `map`, ..."""


OnProgress: TypeAlias = Callable[[Progress], None]
"""What a program is told progress by."""


class TextColumn(ProgressColumn):
    """A column of a progress bar: the description of the task, or a field of its own."""

    def __init__(self, field: str | None = None) -> None:
        super().__init__()
        self.field = field

    def render(self, task: Task) -> Text:
        """The text of a task."""
        return Text(visible(task.description if self.field is None else task.fields[self.field]))


def counted(items: Iterable[Item], total: int, console: Console, what: str = "videos") -> Iterator[Item]:
    """Shows how many of so many items are done, and the time left, while they come.

    On a terminal that is a bar, elsewhere a line now and then, of a single item or a short job nothing.
    """
    if total < 2:
        yield from items
    elif console.is_terminal:
        columns = (TextColumn(), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Bar(*columns, console=console, transient=True, redirect_stdout=False) as progress:
            task = progress.add_task(what, total=total)
            for item in items:
                yield item
                progress.advance(task)
    else:
        yield from _with_lines(items, total, console, what)


def _with_lines(items: Iterable[Item], total: int, console: Console, what: str) -> Iterator[Item]:
    begun = time.monotonic()
    due = begun + FIRST_LINE
    for done, item in enumerate(items, 1):
        yield item
        now = time.monotonic()
        if now >= due and done < total:
            say(console, f"{done} of {total} {what}, about {roughly((now - begun) / done * (total - done))} left")
            due = now + NEXT_LINE


def in_words(seconds: float) -> str:
    """3 min 12 s."""
    minutes, rest = divmod(max(round(seconds), 1), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "min"), (rest, "s"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number)


def roughly(seconds: float) -> str:
    """How long something will take: in minutes, but for the last ones."""
    return in_words(seconds if seconds < 99 else 60 * round(seconds / 60))
