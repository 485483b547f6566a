"""Detections as cues of a video player: in the order of time, to the millisecond."""

from __future__ import annotations

from collections.abc import Iterator

from actionformer.core.detections import Detections

Cue = tuple[float, float, str, float]
"""Start and end in seconds, label, score."""


def cues_of(found: Detections) -> Iterator[Cue]:
    """A cue per detection."""
    for row in found.segments[:, 0].argsort(kind="stable"):
        start, end = found.segments[row].tolist()
        yield start, end, found.class_names[found.labels[row]], float(found.scores[row])


def milliseconds(seconds: float) -> int:
    """A time, rounded."""
    return round(1000 * seconds)


def clock_time(seconds: float, point: str) -> str:
    """hours:minutes:seconds with three digits after `point`."""
    minutes, ms = divmod(milliseconds(seconds), 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{ms // 1000:02d}{point}{ms % 1000:03d}"
