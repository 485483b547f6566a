"""Which columns of a table are looked at: those that are named, else all numbers but times, labels and counters."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass

from actionformer.core.errors import InputError, listed
from actionformer.core.names import matched, nearest
from actionformer.sensors.table import Table

UNITS: Mapping[str, float] = {"seconds": 1.0, "milliseconds": 1e3, "microseconds": 1e6, "nanoseconds": 1e9}
"""Unit of a clock -> how many are a second."""
_ABBREVIATED = {
    "s": "seconds", "sec": "seconds", "secs": "seconds", "second": "seconds",
    "ms": "milliseconds", "msec": "milliseconds", "millis": "milliseconds", "millisecond": "milliseconds",
    "us": "microseconds", "usec": "microseconds", "micros": "microseconds", "µs": "microseconds", "μs": "microseconds",
    "ns": "nanoseconds", "nsec": "nanoseconds", "nanos": "nanoseconds", "nanosecond": "nanoseconds",
}  # fmt: skip
TIMES = frozenset((
    "time", "times", "timestamp", "timestamps", "datetime", "date", "ts", "t",
    "epoch", "utc", "elapsed", "clock", "zeit",
))  # fmt: skip
"""Words of which a column of times has one in its name, or a unit."""
_BESIDES = frozenset(["unix", "sample", "sensor", "system", "local", "recording", "host", "device", "start", "since"])
"""Words that it may have besides."""
NO_READINGS = frozenset((
    "label", "labels", "class", "classes", "activity", "target", "annotation",
    "index", "idx", "row", "sample", "frame", "counter", "seq",
))  # fmt: skip
"""Names of columns that are labels, or count rows."""


@dataclass(frozen=True)
class Columns:
    """The columns that are meant, as a backbone's name says them: `acc_x,acc_y@stamp`."""

    channels: tuple[str, ...] = ()
    """Names; none where all columns of numbers are meant."""
    time: str | None = None
    """The column of times; None where it is found by its name."""

    @classmethod
    def parsed(cls, text: str) -> Columns:
        """The columns of a text such as `acc_x,acc_y`, after @ that of times; a name with a comma in double quotes."""
        names, _, time = text.rpartition("@") if "@" in text else (text, "", "")
        return cls(tuple(name.strip() for name in next(csv.reader([names]), [])), time.strip() or None)

    def __str__(self) -> str:
        """What `parsed` takes."""
        names = ",".join(f'"{name}"' if "," in name else name for name in self.channels)
        return names if self.time is None else f"{names}@{self.time}"


def unit_in(name: str) -> str | None:
    """The unit that a column of times has in its name, such as `time_ms`: one of `UNITS`."""
    found = [_ABBREVIATED.get(word, word) for word in _words(name)]
    return next((word for word in found if word in UNITS), None)


def _words(name: str) -> list[str]:
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return re.findall(r"[^\W\d_]+", apart.lower())


def _is_time(name: str) -> bool:
    words = [_ABBREVIATED.get(word, word) for word in _words(name)]
    known = TIMES | UNITS.keys()
    return any(word in known for word in words) and all(word in known | _BESIDES for word in words)


def time_of(table: Table, wanted: Columns) -> int | None:
    """The column of times: the one that is named, else the first whose name says so, else the first that holds dates.

    Raises:
        InputError: the one that is named is not there.
    """
    if wanted.time is not None:
        return _place(table, wanted.time)
    usable = [column for column in range(len(table.names)) if table.numeric[column] or table.dates[column]]
    named = [column for column in usable if _is_time(table.names[column])]
    return next(iter(named), next((column for column in usable if table.dates[column]), None))


@dataclass(frozen=True)
class Chosen:
    """Columns of one table, as numbers from 0 on."""

    channels: tuple[int, ...]
    time: int | None
    note: str | None = None
    """What was guessed."""


def chosen(table: Table, wanted: Columns) -> Chosen:
    """The columns of a table that are meant.

    A file without names that has as many columns of numbers as are named is taken as it is, and the note says so.

    Raises:
        InputError: one is missing, or there is none.
    """
    time = time_of(table, wanted)
    note = _unread_time(table) if time is None else None
    usable = tuple(column for column, numeric in enumerate(table.numeric) if numeric and column != time)
    if not wanted.channels:
        found = tuple(column for column in usable if _is_reading(table.names[column]))
        if not found:
            raise InputError(f"{table.path}: no column of readings among {listed(table.names)}: name them")
        return Chosen(found, time, note)
    if table.named or set(wanted.channels) <= set(table.names):
        return Chosen(tuple(_place(table, name) for name in wanted.channels), time, note)
    names = ", ".join(wanted.channels)
    if len(usable) != len(wanted.channels):
        raise InputError(f"{table.path}: has {len(usable)} columns of numbers without names, expected {names}")
    return Chosen(usable, time, f"has no names of columns, so they are taken for {names}, in this order")


def _unread_time(table: Table) -> str | None:
    """What to tell of a column of times that is none."""
    name = next((name for name in table.names if _is_time(name)), None)
    return name and f"its column {name} holds neither numbers nor dates in ISO 8601, so rows are taken to come evenly"


def _is_reading(name: str) -> bool:
    return bool(name) and not _is_time(name) and name.lower() not in NO_READINGS


def left_out(table: Table) -> list[str]:
    """Names of the columns that are taken for labels or counters."""
    named = zip(table.names, table.numeric, strict=True)
    return [name for name, numeric in named if numeric and name.lower() in NO_READINGS]


def _place(table: Table, name: str) -> int:
    found = matched([name], table.names).get(name)
    if found is None:
        near = nearest(name, table.names)
        raise InputError(f"{table.path}: no column {name!r}{near or f'; there are {listed(table.names)}'}")
    return table.names.index(found)
