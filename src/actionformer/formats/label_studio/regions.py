"""Regions that people marked in Label Studio: labels with times, in seconds or in frames."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

LABELS = ("timelinelabels", "labels", "timeserieslabels", "videorectangle")
"""Kinds of regions that have a time. A kind is also the key of its labels, but for rectangles."""


class Region(NamedTuple):
    """A label with its times as Label Studio counts them."""

    start: float
    end: float
    """Seconds, or frames from 0 of which `end` is no longer part."""
    label: str
    frames: bool
    fps: float | None = None
    """Of the frames, if the region says."""


class NoTimeError(ValueError):
    """Times that are no numbers, or of a clock instead of a recording."""


LATEST = 1e9
"""Seconds; later times are those of a clock, since 1970."""


def regions_of(value: Any) -> Iterator[Region]:
    """What a region's value stands for, which may be several; nothing if it has no labels or no times.

    Raises:
        NoTimeError: it has labels, and times that are not of a recording.
    """
    if not isinstance(value, Mapping):
        return
    labels = next((value[kind] for kind in LABELS if isinstance(value.get(kind), list)), value.get("labels"))
    labels = [str(label) for label in labels] if isinstance(labels, list) else []
    if "ranges" in value:
        spans = [(_number(one["start"]) - 1, _number(one["end"])) for one in value["ranges"]]  # from 1, end inclusive
        yield from (Region(*span, label, frames=True) for span in spans for label in labels)
    elif "sequence" in value:
        yield from _shown(value, labels)
    elif "start" in value and "end" in value and labels:
        start, end = _number(value["start"]), _number(value["end"])
        yield from (Region(start, end, label, frames=False) for label in labels)


def _shown(value: Mapping[str, Any], labels: list[str]) -> Iterator[Region]:
    """The spans in which a rectangle is shown: from a key frame that is enabled to the next that is not."""
    count, seconds = value.get("framesCount"), value.get("duration")
    fps = count / seconds if count and seconds else None
    start: float | None = None
    last = 0.0
    for key in value["sequence"]:
        last = _number(key["frame"])
        start = last - 1 if start is None else start
        if not key.get("enabled", True):
            yield from (Region(start, last, label, True, fps) for label in labels)
            start = None
    if start is not None:  # shown to the end
        yield from (Region(start, float(count or last), label, True, fps) for label in labels)


def _number(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise NoTimeError from error
    if not abs(number) <= LATEST:
        raise NoTimeError
    return number
