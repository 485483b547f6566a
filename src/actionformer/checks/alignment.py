"""Annotations that fit the features at other times than they say: shifted, or of a recording at another speed."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from actionformer.checks.findings import Finding
from actionformer.checks.probe import Moved, Probe

SHIFTS = (0.5, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
"""Seconds, to either side."""

SPEEDS = tuple(Fraction(*pair) for pair in ((24, 25), (5, 6), (4, 5), (2, 3), (1, 2), (2, 5), (1, 3), (1, 4)))
"""Of two rates that are taken for each other, and the reverse."""

ENOUGH = 20_000
"""Rows by which the fits of all these times are compared."""

LEAST, BETTER, TIMES = 0.2, 0.05, 1.2
"""How well other times must fit, and by how much better than those that are stated, in each half of the videos."""


def check_alignment(probe: Probe) -> list[Finding]:
    """Whether features and annotations fit better if all times are moved or stretched."""
    probe = probe.thinned(ENOUGH)
    stated = probe.fits(lambda time: time)
    shifts = [(-1) ** side * shift for shift in SHIFTS for side in (0, 1)]
    speeds = [float(speed) ** (-1) ** side for speed in SPEEDS for side in (0, 1)]
    tried = [(shift, 1.0, probe.fits(_moved(shift, 1.0))) for shift in shifts]
    tried += [(0.0, speed, probe.fits(_moved(0.0, speed))) for speed in speeds]
    shift, speed, fits = max(tried, key=lambda one: sum(one[2]))
    if not _better(fits, stated):
        return []
    how = (
        f"{abs(shift):g} s too {'late' if shift > 0 else 'early'}"
        if shift
        else f"{speed:.3g} times as large as they should be"
    )
    what = f"annotated times seem to be about {how}: "
    what += f"a linear model of the features then fits {sum(fits) / 2:.2f} instead of {sum(stated) / 2:.2f} (at best 1)"
    fps = probe.videos[0].video.grid.fps
    advice = f"correct the times, or say that the features are of {fps / speed:.4g} fps, not {fps:g}"
    advice = "do labels and features count from another start? Compare a video with both" if shift else advice
    return [Finding("alignment", "warning", 0, 0, what, "", advice)]


def _moved(shift: float, speed: float) -> Moved:
    return lambda time: time * speed + shift


def _better(fits: Sequence[float], stated: Sequence[float]) -> bool:
    pairs = list(zip(fits, stated, strict=True))
    return all(fit >= LEAST and fit >= said + BETTER and fit >= TIMES * said for fit, said in pairs)
