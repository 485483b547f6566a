"""Numbers and times as files write them."""

from __future__ import annotations

import math
import re
from typing import Any

_NUMBER = re.compile(r"[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?")
_CLOCK = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:[.,]\d+|:\d{3})?)")
_DATE = re.compile(r"(?:\d{4}[-/]\d{1,2}[-/]\d{1,2}|\d{1,2}[./]\d{1,2}[./](?:\d{4}|\d\d))[ T]+\d{1,2}:\d{2}.*")
_TIMECODE = re.compile(r"\d{1,2}[:;]\d{2}[:;]\d{2}[:;]\d{2}")


def number(value: Any) -> float | None:
    """A finite number, as one or as text, with a point or a decimal comma; None if it is none."""
    if isinstance(value, str):
        text = value.strip()
        value = float(text.replace(",", ".")) if _NUMBER.fullmatch(text) else None
    if type(value) not in (int, float) or not math.isfinite(value):
        return None
    return float(value)


def seconds(value: Any) -> float | None:
    """A time as a number of seconds, or as a clock says it, hours:minutes:seconds or minutes:seconds; else None."""
    if isinstance(value, str) and (found := _CLOCK.fullmatch(value.strip())):
        hours, minutes, rest = found.groups()
        return 3600.0 * int(hours or 0) + 60.0 * int(minutes) + float(re.sub("[,:]", ".", rest))
    return number(value)


def is_clock(text: str) -> bool:
    """Whether a text is a time as a clock says it, with colons, so that its unit is known."""
    return _CLOCK.fullmatch(text.strip()) is not None


def is_timecode(text: str) -> bool:
    """Whether a text is hours:minutes:seconds:frames, as programs for cutting films write times."""
    return _TIMECODE.fullmatch(text.strip()) is not None


def is_date(text: str) -> bool:
    """Whether a text is a time of a day of a year, in whatever order."""
    return _DATE.fullmatch(text.strip()) is not None


def pair(value: Any) -> tuple[float, float] | None:
    """Two numbers [start, end]; None if it is anything else."""
    if not isinstance(value, list | tuple) or len(value) != 2:
        return None
    start, end = number(value[0]), number(value[1])
    return None if start is None or end is None else (start, end)
