"""Readings of sensors as a medium: the rows of tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from actionformer.core.errors import InputError
from actionformer.medium import Medium, ReadSummary, Row
from actionformer.sensors.arrays import open_npy
from actionformer.sensors.columns import Columns, chosen
from actionformer.sensors.table import Table
from actionformer.sensors.text import open_text


@dataclass(frozen=True)
class Sensors(Medium):
    """The readings of tables, (C,) float32."""

    columns: Columns = field(default_factory=Columns)

    files = "tables of readings"
    endings = frozenset((".csv", ".tsv", ".npy"))

    @contextmanager
    def open(self, path: Path, fps: float | None) -> Iterator[Readings]:
        """A table, whose rows come at `fps`."""
        if fps is None:
            raise InputError(f"{path}: does not say how many rows come a second: give --fps")
        with open_table(path) as table:
            yield Readings(table, chosen(table, self.columns, path), fps)


SENSORS = Sensors()


def open_table(path: Path) -> AbstractContextManager[Table]:
    """Opens a file of readings by its ending; any other is taken for text."""
    return open_npy(path) if path.suffix.lower() == ".npy" else open_text(path)


def names_of(path: Path, columns: Columns) -> tuple[str, ...]:
    """The names of the columns that are looked at in a file.

    Raises:
        InputError: it cannot be read, or has no such columns.
    """
    with open_table(path) as table:
        return tuple(table.names[column] for column in chosen(table, columns, path))


class Readings:
    """Some columns of a table that is open; see `medium.Recording`."""

    start, doubt = 0.0, None

    def __init__(self, table: Table, columns: Sequence[int], fps: float) -> None:
        self.fps = fps
        self._table, self._columns = table, columns
        self.declared = None if table.rows is None else table.rows / fps

    def rows(self) -> Iterator[Row]:
        """The readings of every row, (C,) float32."""
        for piece in self._table.read(self._columns):
            yield from piece.astype(np.float32)

    def summary(self, rows: int) -> ReadSummary:
        """How the reading went."""
        return ReadSummary(fps=self.fps, native_fps=self.fps, frames=rows, start=0.0, duration=rows / self.fps)
