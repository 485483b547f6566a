"""Units of time in the names of columns, such as `time_ms`, and columns that are parts of a time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from actionformer.formats.words import words_of

FINE: Mapping[str, float] = {"seconds": 1.0, "milliseconds": 1e3, "microseconds": 1e6, "nanoseconds": 1e9}
"""Unit that clocks mostly count in -> how many are a second."""
UNITS: Mapping[str, float] = {**FINE, "centiseconds": 100.0, "minutes": 1 / 60, "hours": 1 / 3600, "days": 1 / 86400}
"""Unit of a clock -> how many are a second."""
_WRITTEN = {
    "seconds": "s sec secs second seconds",
    "milliseconds": "ms msec msecs millis millisec millisecond milliseconds",
    "microseconds": "us usec usecs micros microsec microsecond microseconds µs μs",
    "nanoseconds": "ns nsec nsecs nanos nanosec nanosecond nanoseconds",
    "centiseconds": "cs csec csecs centisec centisecond centiseconds",
    "minutes": "min mins minute minutes minuten",
    "hours": "h hr hrs hour hours stunden",
    "days": "day days",
}
UNIT_OF = {word: unit for unit, words in _WRITTEN.items() for word in words.split()}
"""Word -> its unit."""
FINE_WORDS = frozenset(word for word, unit in UNIT_OF.items() if unit in FINE)
"""Those that tell a column of times: `h` alone may be a height, `day` a day."""
_MULTIPLE = re.compile(r"(?<![^\W_])(10+|0\.0*1)\s?(?=(?:[nuµμm]?s)(?![^\W_]))")
"""How many of a unit a clock counts at once, as in `100ns`."""
_PART = re.compile(r"(?<![^\W_])s(?:ec)?\s?/\s?(\d+)")
"""How many of a clock's counts are a second, as in `s/256`."""
SERIAL = (36526, 73051), (730486, 767011)
"""Days of the years 2000 to 2100, as spreadsheets count them (from 1899-12-30) and as MATLAB does (from year 0)."""
CLOSE = 1e-4
"""Between rows of a clock that counts days: 8.64 s."""
PARTS = ("hours", "minutes", "seconds")
"""What a time is cut into where each part has a column."""
_OF_STAMPS = frozenset(["stamp", "header", "tv"])
"""Words of columns that hold whole seconds, or the rest of them, as ROS and C have them."""


def unit_in(name: str) -> float | None:
    """How many of the unit that is in a name are a second: 1000 of `time_ms`; None if there is none."""
    unit = next((UNIT_OF[word] for word in words_of(name) if word in UNIT_OF), None)
    multiple, part = _MULTIPLE.search(name), _PART.search(name)
    counts = 1 / float(multiple[1]) if multiple else float(part[1]) if part else 1.0
    return None if unit is None else UNITS[unit] * counts


def are_days(first: float, step: float) -> bool:
    """Whether a clock that does not say its unit counts days: `first` is its first value, `step` that between rows."""
    return 0 < step < CLOSE and any(least <= first < end for least, end in SERIAL)


def without_multiple(name: str) -> str:
    """A name without how many of its unit a clock counts at once: `timestamp (100ns)` is `timestamp (ns)`."""
    return _MULTIPLE.sub("", name)


def parts_of_time(names: Iterable[str]) -> list[str]:
    """The columns that each hold a part of a time, hours, minutes or seconds; none unless there are several."""
    found = {name: UNIT_OF[words[0]] for name in names if len(words := words_of(name)) == 1 and words[0] in UNIT_OF}
    parts = [name for name, unit in found.items() if unit in PARTS and len(name) > 1]
    return parts if len({found[name] for name in parts}) > 1 else []


def split_seconds(names: Sequence[str]) -> list[str]:
    """The columns of whole seconds and of the rest of them: `secs` and `nsecs`, `header.stamp.secs` and the like."""
    units: dict[tuple[str, ...], dict[str, str]] = {}
    for name in names:
        *others, last = words_of(name) or [""]
        if UNIT_OF.get(last) in FINE and (not others or _OF_STAMPS & set(others)):
            units.setdefault(tuple(others), {})[UNIT_OF[last]] = name
    return next((list(found.values()) for found in units.values() if "seconds" in found and len(found) > 1), [])
