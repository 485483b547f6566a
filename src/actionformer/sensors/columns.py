"""Which columns of a table are looked at: those that are named, else all numbers but times, labels and counters."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import cycle, islice, pairwise

import numpy as np
from numpy.typing import NDArray

from actionformer.core.errors import InputError, listed
from actionformer.core.names import matched, nearest
from actionformer.formats.units import FINE_WORDS, UNIT_OF, parts_of_time, split_seconds, without_multiple
from actionformer.sensors.table import Table

TIMES = frozenset((
    "time", "times", "timestamp", "timestamps", "datetime", "date", "ts", "t",
    "epoch", "utc", "elapsed", "clock", "zeit", "unix", "unixtime", "datum", "uhrzeit",
))  # fmt: skip
"""Words of which a column of times has one in its name, or a word of `FINE_WORDS`."""
STAMPS = frozenset(["timestamp", "timestamps", "stamp"])
"""Words that tell a column of times whatever stands beside them."""
_BESIDES = frozenset(["sample", "sensor", "system", "local", "recording", "host", "device", "start", "since", "fine"])
"""Words that it may have besides."""
_ABSCISSA = re.compile(r"x\s?[\[(](\w+)[\])](?:_\d+)?", re.IGNORECASE)
"""What some programs call a clock: `X[s]`."""
_NUMBERED = re.compile(r"_\d+$")
"""What tells columns of one name apart."""
NO_READINGS = frozenset((
    "label", "labels", "class", "classes", "activity", "activities", "action", "actions", "behavior", "behaviour",
    "state", "event", "events", "target", "annotation", "annotations", "truth", "groundtruth", "gt",
    "subject", "user", "person", "participant", "patient", "animal", "trial", "session", "fold", "split", "id", "ids",
    "index", "idx", "row", "rows", "sample", "samples", "frame", "frames", "counter", "seq", "sequence",
))  # fmt: skip
"""Words of which a column has one in its name that holds labels, says whose or which recording it is, or counts."""
_WITH_THEM = frozenset((
    "ground", "name", "code", "number", "num", "no", "nr", "count", "file", "video", "track", "packet", "package",
    "sub",
))  # fmt: skip
"""Words that such a name may have besides."""
SENSORS = frozenset(["sensor", "device", "channel", "axis", "node", "tag", "marker", "imu"])
"""Words of which a column of numbers has one in its name that says which sensor a row is of."""
MOST_SENSORS = 16
"""Sensors whose rows follow one another."""
LEAST_TURNS = 3
"""Rows of each, at least."""
LEAST_ROWS = 100
"""Rows that a column needs to show what it is."""
STEADY = 0.95, 0.01
"""Of a counter, the first share of the steps differ by at most the second from the usual one, which rises."""
STRETCH = 50
"""Rows that the usual stretch of a label lasts, at least."""
MOST_LABELS = 30
"""Different labels of a column."""
SKIPPED = 0.25
"""Share of its changes in which a label skips others; a slow reading, such as a temperature, goes through them."""


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


def _words(name: str) -> list[str]:
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return re.findall(r"[^\W\d_]+", apart.lower())


def is_unit(name: str) -> bool:
    """Whether a name is nothing but a unit of times: `(ms)`."""
    return set(_words(name)) <= UNIT_OF.keys()


def is_time(name: str) -> bool:
    """Whether a column is named as times are."""
    if (abscissa := _ABSCISSA.fullmatch(name)) and abscissa[1].lower() in FINE_WORDS:
        return True
    words = _words(without_multiple(name))
    known = TIMES | FINE_WORDS
    return any(word in known for word in words) and all(word in known | UNIT_OF.keys() | _BESIDES for word in words)


def time_of(table: Table, wanted: Columns) -> int | None:
    """The column of times: the one that is named, else the first whose name says so, that holds dates, or is a stamp.

    Raises:
        InputError: the one that is named is not there, each part of a time has a column, or there are several clocks.
    """
    if wanted.time is not None:
        return _place(table, wanted.time)
    parts, split = parts_of_time(table.names), split_seconds(table.names)
    usable = [
        column
        for column, name in enumerate(table.names)
        if (table.numeric[column] or table.dates[column]) and name not in split
    ]
    named = [column for column in usable if is_time(table.names[column]) and table.names[column] not in parts]
    if parts and not named:
        raise InputError(
            f"{table.path}: {listed(parts)} are parts of a time: join them in one column, such as 10:00:00.5, or say "
            "which one is the time (--time-column)"
        )
    dates = [column for column in usable if table.dates[column]]
    stamps = [column for column in usable if STAMPS & set(_words(table.names[column]))]
    found = next(iter(named + dates + stamps), None)
    if found is None and split:
        raise InputError(
            f"{table.path}: {listed(split)} are whole seconds and the rest of them: add them up in one column, or say "
            "which one is the time (--time-column)"
        )
    alike = [table.names[one] for one in named if found is not None and _called(table, one) == _called(table, found)]
    if len(alike) > 1:
        raise InputError(
            f"{table.path}: {listed(alike)} are clocks: if each is of the columns beside it, give each sensor a file "
            "of its own; if they say the same, name one (--time-column)"
        )
    return found


def _called(table: Table, column: int) -> str:
    """What a column is called where several may have its name."""
    return _NUMBERED.sub("", table.names[column])


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
    note = table.note or (_unread_time(table) if time is None else None)
    usable = tuple(column for column, numeric in enumerate(table.numeric) if numeric and column != time)
    if not wanted.channels:
        found = _readings(table, usable)
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
    name = next((name for name in table.names if is_time(name)), None)
    known = "2026-01-31 10:00:00.5"
    return name and f"its column {name} holds neither numbers nor dates such as {known}: rows are taken to come evenly"


def _readings(table: Table, usable: Iterable[int]) -> tuple[int, ...]:
    """Those of the usable columns that are not named like something else; `y` without x or z is a label."""
    found = [column for column in usable if _is_reading(table.names[column])]
    if {"x", "z"}.isdisjoint(map(str.lower, table.names)):
        found = [column for column in found if table.names[column].lower() != "y"] or found
    return tuple(found)


def _is_reading(name: str) -> bool:
    return bool(name) and not is_time(name) and not _is_label(name) and STAMPS.isdisjoint(_words(name))


def _is_label(name: str) -> bool:
    """Whether a column is named as labels are, or persons, recordings or counters."""
    words = [word if word == "id" else word.removesuffix("id") for word in _words(name)]
    known = NO_READINGS | _WITH_THEM | TIMES
    return any(word in NO_READINGS for word in words) and all(word in known for word in words)


def left_out(table: Table, taken: Chosen) -> list[str]:
    """What to tell of the columns that are not taken, though they have names."""
    rest = [column for column in range(len(table.names)) if column not in (*taken.channels, taken.time)]
    named = [table.names[column] for column in rest if table.names[column] and table.numeric[column]]
    others = [column for column in rest if not table.numeric[column] and not is_time(table.names[column])]
    words = [table.names[column] for column in others if table.names[column] and not table.dates[column]]
    told = []
    if named:
        told.append(f"{listed(named)} left out, as named like times, labels, persons or counters: --columns takes any")
    if words:
        told.append(f"{listed(words)} left out, as the first rows hold no numbers")
    return told


def check_one_sensor(table: Table, column: int, cells: Sequence[str]) -> None:
    """Checks that a column does not say which of several sensors a row is of, as the first rows of a file tell.

    Such a column has few values, and another one with most rows. Labels may change as often where they are named so.

    Raises:
        InputError: rows of several sensors follow one another.
    """
    name = table.names[column]
    values = [cell.strip() for cell in cells if cell.strip()]
    counts = Counter(values)
    if not 2 <= len(counts) <= MOST_SENSORS or min(counts.values()) < LEAST_TURNS or _is_label(name):
        return
    if table.numeric[column]:
        alternate = bool(SENSORS & set(_words(name))) and values == list(islice(cycle(counts), len(values)))
    else:
        alternate = 2 * sum(one != next_ for one, next_ in pairwise(values)) > len(values)
    if alternate:
        raise InputError(
            f"{table.path}: rows of several sensors follow one another ({name} is {listed(list(counts))}): give each "
            f"its own columns or its own file; if that is wrong, leave {name} out"
        )


def unlikely(readings: NDArray[np.float64]) -> str | None:
    """What a column holds that seems to be no readings, "labels" or "a counter", or None.

    Args:
        readings: (n,), one after another.
    """
    readings = readings[np.isfinite(readings)]
    if len(readings) < LEAST_ROWS:
        return None
    steps = np.diff(readings)
    usual = float(np.median(steps))
    if usual > 0 and np.mean(np.abs(steps / usual - 1) <= STEADY[1]) >= STEADY[0]:
        return "a counter"
    return "labels" if _are_labels(readings) else None


def _are_labels(readings: NDArray[np.float64]) -> bool:
    """Few whole numbers from about 0 on, of which each stays for long and goes to others than its neighbours."""
    changes = np.flatnonzero(np.diff(readings)) + 1
    values, ranks = np.unique(readings[np.r_[0, changes]], return_inverse=True)
    if not 2 < len(values) <= MOST_LABELS or abs(values[0]) > 1 or np.any(values % 1):
        return False
    stretches = np.diff(np.r_[0, changes, len(readings)])
    return bool(np.median(stretches) >= STRETCH and np.mean(np.abs(np.diff(ranks)) > 1) >= SKIPPED)


def _place(table: Table, name: str) -> int:
    found = matched([name], table.names).get(name)
    if found is None:
        near = nearest(name, table.names)
        raise InputError(f"{table.path}: no column {name!r}{near or f'; there are {listed(table.names)}'}")
    if table.names.count(found) > 1:
        raise InputError(f"{table.path}: several columns are called {name!r}: give each a name of its own")
    return table.names.index(found)
