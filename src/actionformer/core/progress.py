"""How far something has come: bars for terminals, lines for logs, the time that is left."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TimeRemainingColumn
from rich.text import Text

from actionformer.core.terminal import say, visible

Item = TypeVar("Item")
FIRST_LINE, NEXT_LINE = 10.0, 30.0
"""Seconds until the first line for a log, and from one to the next."""


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
        with Progress(*columns, console=console, transient=True, redirect_stdout=False) as progress:
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
