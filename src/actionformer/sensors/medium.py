"""Readings of sensors as a medium: the rows of tables, by time at a steady rate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from actionformer.core.errors import InputError
from actionformer.core.words import plural
from actionformer.formats.clock import DAY, Clock, clock_of
from actionformer.medium import Medium, ReadSummary, Row
from actionformer.sensors.columns import Chosen, Columns, chosen
from actionformer.sensors.files import OPENERS, open_table
from actionformer.sensors.resampling import Resampler
from actionformer.sensors.sentinels import Sentinels
from actionformer.sensors.table import Table
from actionformer.sensors.timed import Timed

Pieces = Iterator[NDArray[np.float64]]
OTHER_RATE = 1.1
"""How many times as often rows may come as is asked for before it is told."""


@dataclass(frozen=True)
class Sensors(Medium):
    """The readings of tables, (C,) float32 a row.

    Args:
        columns: which are meant; by default all numbers but times, labels and counters.
    """

    columns: Columns = field(default_factory=Columns)

    files = "tables of readings"
    endings = frozenset(OPENERS)

    @contextmanager
    def open(self, path: Path, fps: float | None) -> Iterator[Readings]:
        """A table. With a column of times its rows are resampled by time, else they come `fps` times a second.

        Times are those of the column, in seconds; where it counts dates, time 0 is the first row.

        Raises:
            InputError: a file that cannot be read, columns that are missing, or neither `fps` nor a column of times.
        """
        with open_table(path) as table:
            try:
                yield Readings(table, chosen(table, self.columns), fps)
            except InputError as error:
                raise InputError(f"{path}: {str(error).removeprefix(f'{path}: ')}") from error


SENSORS = Sensors()


class Readings:
    """Some columns of a table that is open; see `medium.Recording`."""

    def __init__(self, table: Table, columns: Chosen, fps: float | None) -> None:
        self._table, self._columns, self._asked = table, columns, fps
        self._timed: Timed | None = None
        self._pieces = table.read([*([] if columns.time is None else [columns.time]), *columns.channels])
        self._clock = self._read_clock(columns.time, fps)
        rate = (table.rate or fps) if self._clock is None else self._clock.rate
        if rate is None:
            note = columns.note and f"{columns.note}; without a clock it "
            raise InputError(
                f"{note or ''}does not say how many rows come a second: give --fps (--data.fps to train), or its "
                "--time-column"
            )
        self.fps = fps or rate
        self.doubt = None if self._clock is None else self._clock.doubt
        self._resampler = Resampler(self.fps, rate)
        self._sentinels = Sentinels(len(columns.channels))

    def _read_clock(self, time: int | None, fps: float | None) -> Clock | None:
        """The clock of the column of times, and with it the start."""
        self.start, self._of_day = 0.0, False
        if time is None:
            return None
        first = next(self._pieces)
        self._pieces = chain([first], self._pieces)
        name, dates = self._table.names[time], self._table.dates[time]
        below = self._table.units[time] if self._table.units else ""
        clock = clock_of(name, first[:, 0], dates=dates, fps=fps, below=below)
        self._of_day = dates and clock.origin < DAY
        self.start = float(clock.seconds(first[np.isfinite(first[:, 0]), 0][0]))
        return clock

    @property
    def declared(self) -> float | None:
        """Seconds at which the last row ends, as far as that is known before the others are read."""
        if self._clock is None:
            return None if self._table.rows is None else self._table.rows / self._resampler.rate
        if self._of_day:  # how many days there are is not known
            return None
        assert self._columns.time is not None
        last = self._table.last(self._columns.time)
        end = None if last is None else float(self._clock.seconds(np.array(last))) + 1 / self._clock.rate
        return end if end is not None and end > self.start else None

    def rows(self) -> Iterator[Row]:
        """The readings at each moment, (C,) float32.

        Raises:
            InputError: a row that cannot be read, times that go back or stand still, or a column without a reading.
        """
        if self._clock is None:
            pieces = _counted(self._pieces, self._resampler.rate)
        else:
            self._timed = Timed(self._clock, self._of_day)
            pieces = self._timed(self._pieces)
        for piece in self._resampler(self._sentinels(pieces)):
            yield from piece.astype(np.float32)
        for channel, readings in zip(self._columns.channels, self._resampler.told.readings, strict=True):
            if not readings:
                raise InputError(f"column {self._table.names[channel]} holds no reading: name others with --columns")

    def summary(self, rows: int) -> ReadSummary:
        """How the reading went."""
        return ReadSummary(
            fps=self.fps,
            native_fps=self._resampler.rate,
            frames=rows,
            start=self._resampler.start,
            duration=self._resampler.end,
            warning="; ".join(filter(None, self._warnings())) or None,
        )

    def _warnings(self) -> Iterator[str | None]:
        yield self._columns.note
        yield self.doubt
        rate = self._resampler.rate
        if not 1 / OTHER_RATE <= rate / self.fps <= OTHER_RATE:
            yield f"{rate:g} rows come a second and are interpolated, without smoothing, to {self.fps:g}"
        if self._timed is not None and self._timed.shared:
            yield f"{plural(self._timed.shared, 'row')} with the time of the row before, spread until the next time"
        if self._timed is not None and self._timed.untimed:
            yield f"{plural(self._timed.untimed, 'row')} without a time left out"
        yield self._resampler.warning()
        yield self._sentinels.warning([self._table.names[column] for column in self._columns.channels])


def _counted(
    pieces: Iterable[NDArray[np.float64]], rate: float
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Pieces of a table with the times of their rows, which come so many times a second."""
    done = 0
    for piece in pieces:
        yield np.arange(done, done + len(piece)) / rate, piece
        done += len(piece)
