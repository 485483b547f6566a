"""Detections as cues of a video player: in the order of time, to the millisecond."""

from __future__ import annotations

from collections.abc import Iterator

from actionformer.core.detections import Detections
from actionformer.core.terminal import visible

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


def tiers_of(found: Detections) -> dict[str, list[Cue]]:
    """Tier -> rows of one label in time that do not overlap: `label`, then `label (2)` and so on."""
    tiers: dict[str, list[Cue]] = {}
    labels = set(map(visible, found.class_names))
    for row in cues_of(found):
        name, number = visible(row[2]), 1
        while (name in tiers and not _follows(row, tiers[name][-1])) or (number > 1 and name in labels):
            number += 1
            name = f"{visible(row[2])} ({number})"
        tiers.setdefault(name, []).append(row)
    return dict(sorted(tiers.items()))


def _follows(row: Cue, last: Cue) -> bool:
    """Whether a row has the label of another, and begins where that has ended."""
    return row[2] == last[2] and milliseconds(row[0]) >= milliseconds(last[1])
