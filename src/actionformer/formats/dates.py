"""Dates as files write them, as seconds since 1970: ISO 8601, 2026/01/31, 31.1.2026, 31-Jan-2026, 1/31/26 9:00 PM."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from actionformer.formats.numbers import seconds

_DAY = re.compile(r"(?:(\d{4})[/-](\d{1,2})[/-](\d{1,2})|(\d{1,2})([./-])(\d{1,2})\5(\d{4}|\d\d))(?!\d)(.*)", re.ASCII)
_DOUBTFUL = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](?:\d{4}|\d\d)(?!\d)", re.ASCII)
"""A date that begins with its day or its month."""
_TIME = re.compile(r"[T\s]*(\d{1,2})(:.*?)(?:\s*([AP])\.?M\.?)?", re.ASCII | re.IGNORECASE)
_MILLISECONDS = re.compile(r"(:\d\d:\d\d):(\d{3})", re.ASCII)
"""As some loggers write them: 12:45:00:250."""
_TIMECODE = re.compile(r":\d\d:\d\d:\d\d?$", re.ASCII)
"""How films are cut: 12:45:00:24."""
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAMED = re.compile(rf"(\d{{1,2}})-({'|'.join(_MONTHS)})-(\d{{4}})(?!\d)", re.ASCII | re.IGNORECASE)
"""A day as MATLAB writes it: 31-Jan-2026."""
_BLANK = re.compile(r"(?<=[\d.])\s+(?=[+-]\d\d:?\d\d$)", re.ASCII)
"""What some phones write before the zone: 10:00:00 +0100."""
_ZONE = re.compile(r"\s*(?:UTC|GMT)$")


def date(text: str, *, month_first: bool = False) -> float:
    """Seconds since 1970 of a date, perhaps with a time, UTC where it does not say; of a time alone since midnight.

    Args:
        text: the date.
        month_first: whether the month stands before the day in 1/2/2026. In 1.2.2026 it never does.

    Raises:
        ValueError: the text says something else.
    """
    text = text.strip()
    if _TIMECODE.search(text):
        raise ValueError(f"{text!r} ends with the number of a frame or with hundredths of a second, which is not clear")
    if ":" in text[:4]:
        return _of_day(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = datetime.fromisoformat(_in_iso(text, month_first))
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def has_month_first(dates: Sequence[str]) -> bool:
    """Whether the month stands before the day in dates of one recording, in the order of time.

    A number above 12 tells. Else the first and the last are as near as they can be: rows of one recording are never a
    day apart, so that the wrong order, where it matters, leaves a hole that is refused.
    """
    found = [(int(one[1]), int(one[2])) for text in dates if (one := _DOUBTFUL.match(text.strip()))]
    if not found or max(max(pair) for pair in found) > 12:
        return any(second > 12 for _, second in found)
    (first_of_first, second_of_first), (first_of_last, second_of_last) = found[0], found[-1]
    return abs(first_of_last - first_of_first) < abs(second_of_last - second_of_first)


def _of_day(text: str) -> float:
    """Seconds of 10:00:00.25, of 0:01.5 (minutes, as nobody writes parts of a minute so) or of 10:00 (hours)."""
    if (text.count(":") > 1 or "." in text or "," in text) and (found := seconds(text)) is not None:
        return found
    return datetime.fromisoformat(f"1970-01-01T{_with_24_hours(text)}").replace(tzinfo=UTC).timestamp()


def _in_iso(text: str, month_first: bool) -> str:
    """A date as ISO 8601 writes it, as far as it is known; else the text."""
    text = _BLANK.sub("", _ZONE.sub("+00:00", text))
    text = _NAMED.sub(lambda day: f"{day[1]}.{_MONTHS.index(day[2].lower()) + 1}.{day[3]}", text)
    if (found := _DAY.fullmatch(text)) is None:
        return text
    year, month, day, first, mark, second, last, rest = found.groups()
    if year is None:
        year = last if len(last) == 4 else f"20{last}"
        month, day = (first, second) if month_first and mark != "." else (second, first)
    return f"{year}-{int(month):02}-{int(day):02}{f'T{_with_24_hours(rest)}' if rest else ''}"


def _with_24_hours(text: str) -> str:
    """A time of the day with two digits of hours, which AM and PM count to 12."""
    if (found := _TIME.fullmatch(text)) is None:
        return text
    hour, rest, half = int(found[1]), _MILLISECONDS.sub(r"\1.\2", found[2]), found[3]
    if half:
        if not 1 <= hour <= 12:
            raise ValueError(f"{text} is no time of the day")
        hour = hour % 12 + 12 * (half in "Pp")
    return f"{hour:02}{rest}"
