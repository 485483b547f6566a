"""The Numenta Anomaly Benchmark: `{"folder/series.csv": [[start, end], ...]}`, or moments, by the clock on the wall.

Time 0 is the first row of the series, which is looked for beside the labels and in a folder `data` there or above.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from actionformer.formats.document import Document
from actionformer.formats.labels import LabelFile, LabelledSegment, LabelledVideo, Remark

LABEL = "anomaly"


def holds_labels(document: Document) -> bool:
    """Whether series have lists of times of day, at least one of them some."""
    content = document.json
    if not isinstance(content, dict) or not all(isinstance(found, list) for found in content.values()):
        return False
    times = [_times(one) for found in content.values() for one in found]
    return bool(times) and all(times)


def read_labels(document: Document) -> LabelFile:
    """The windows or moments of every series."""
    videos, remarks = [], []
    for name, found in document.json.items():
        zero = _first_time(document, name)
        videos.append(LabelledVideo(name, list(_segments(document, name, found, zero or 0.0))))
        if zero is None and found:
            what = "a series is not beside the file, so its times count from 1970: put it there, in a folder data"
            remarks.append(Remark(what, document.where(item=name)))
    return LabelFile(videos, remarks, [LABEL])


def _segments(document: Document, name: str, found: list[Any], zero: float) -> Iterator[LabelledSegment]:
    for place, one in enumerate(found):
        times = _times(one)
        yield LabelledSegment(
            times[0] - zero, times[-1] - zero, LABEL, document.where(item=f"series {name!r}, {LABEL} {place}")
        )


def _first_time(document: Document, name: str) -> float | None:
    series = document.beside(name, f"data/{name}")
    return _clock(series.table[1].cells[0]) if series is not None and len(series.table) > 1 else None


def _times(one: Any) -> list[float]:
    """One time or two, seconds since 1970; none if it is no label."""
    texts = one if isinstance(one, list) else [one]
    times = [time for time in map(_clock, texts) if time is not None]
    return times if len(times) == len(texts) <= 2 else []


def _clock(text: Any) -> float | None:
    """A time of a day, in the middle of which nobody turns a clock: the zone does not matter."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
    except (TypeError, ValueError):
        return None
