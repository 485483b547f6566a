"""Long stretches without a label in which features look as they do in actions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actionformer.checks.findings import Finding
from actionformer.checks.probe import Probe, ProbedVideo
from actionformer.core.errors import listed

TELLS = 0.7
"""How often (area under the curve) the probe must tell a labelled row from another to be believed."""

LONG = 3.0
"""Times by which a stretch is longer than nine of ten; in real data up to 2.5."""

BUSY = 0.5
"""Share of its rows that look like actions, compared with that of all rows."""


@dataclass(frozen=True)
class Stretch:
    """A part of a video without any label."""

    video: str
    start: float
    end: float
    """Seconds."""
    busy: float
    """Share of its rows that look like actions."""


def check_unlabelled(probe: Probe) -> list[Finding]:
    """Stretches that are most likely actions which nobody has labelled."""
    scored = probe.scores()
    labelled = [probe.going_on(one, one.centres)[:, -1] > 0 for one, _ in scored]
    inside = np.concatenate([scores[mask] for (_, scores), mask in zip(scored, labelled, strict=True)])
    outside = np.concatenate([scores[~mask] for (_, scores), mask in zip(scored, labelled, strict=True)])
    if not len(inside) or not len(outside) or _area(inside, outside) < TELLS:
        return []
    middle = 0.5 * float(np.median(inside) + np.median(outside))
    usual = float((np.concatenate([inside, outside]) > middle).mean())
    stretches = [one for video, scores in scored for one in _stretches(video, scores > middle)]
    long = LONG * float(np.percentile([one.end - one.start for one in stretches], 90))
    found = [one for one in stretches if one.end - one.start >= long and one.busy >= BUSY * usual]
    return _told(found, len(scored))


def _told(stretches: Sequence[Stretch], total: int) -> list[Finding]:
    if not stretches:
        return []
    videos = len({one.video for one in stretches})
    example = listed(
        [f"{one.video} ({one.start:.1f} to {one.end:.1f} s, {100 * one.busy:.0f}% of it)" for one in stretches], 5
    )
    what = "videos have long stretches without a label where features look as they do in actions: "
    advice = "label them, or leave these videos out: training takes them for background"
    return [Finding("unlabelled", "warning", videos, total, what, example, advice)]


def _area(inside: NDArray[np.float32], outside: NDArray[np.float32]) -> float:
    return float((np.searchsorted(np.sort(outside), inside) / len(outside)).mean())


def _stretches(one: ProbedVideo, busy: NDArray[np.bool_]) -> Iterator[Stretch]:
    """What lies between the actions of a video, before the first and after the last, as far as rows were read."""
    segments = one.video.video.segments
    segments = segments[np.argsort(segments[:, 0])]
    last = float(one.centres[-1])
    starts = np.maximum.accumulate(np.append(one.video.grid.start, segments[:, 1]))
    for start, end in zip(starts.tolist(), np.append(segments[:, 0], last).clip(max=last).tolist(), strict=True):
        rows = busy[(one.centres >= start) & (one.centres < end)]
        if len(rows):
            yield Stretch(one.video.video.id, start, end, float(rows.mean()))
