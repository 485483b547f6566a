"""Features of one video that are unlike those of all others: rescaled, shifted, with dead channels or in another order.

Every video is compared, channel by channel, with the median of all: with the mean and the deviation of its rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from actionformer.checks.findings import Finding
from actionformer.core.errors import listed
from actionformer.core.words import plural
from actionformer.data.statistics import FeatureStatistics

Floats = NDArray[np.float64]

SEVERAL = 5
"""Videos of which one may be called unlike the others."""

RESCALED = 2.2
"""Times by which the deviation of most channels of a video may differ from the usual one; in real data 1.5."""

MOVED = 2.5
"""Deviations by which most channels of a video may lie beside the usual mean; in real data 0.4."""

REORDERED = 0.3
"""By how much means fit better, as a correlation, if channels are moved along; in real data by 0.05."""

DECIDING = 4
"""Channels that have to tell videos from each other before an order is judged: with fewer, one class more or less in a
video looks like channels moved along. The participation ratio (sum z^2)^2 / sum z^4 of the usual means counts them."""

LARGEST, ABOVE = 1e3, 1e3
"""A channel that varies so many times as much as the median channel, by values that are so large, is huge."""

STILL, OFTEN = 1e-6, 0.1
"""Share of its usual deviation below which a channel is still, and share of videos where that may be healthy."""

TINY = 1e-9


@dataclass(frozen=True)
class Compared:
    """V videos against the usual one, channel by channel."""

    ids: list[str]
    mean: Floats
    """(V, D)"""
    deviation: Floats
    """(V, D)"""
    centred: bool = False
    """Whether the network sees each video less its mean, so that it makes no difference where that lies."""

    @classmethod
    def of(cls, statistics: FeatureStatistics, *, centred: bool) -> Compared:
        """The videos whose rows are not all alike."""
        ids = [id_ for id_, _ in statistics.videos]
        lives = ~np.isin(ids, statistics.constant)
        each = statistics.each[lives].astype(np.float64)
        return cls([id_ for id_, one in zip(ids, lives, strict=True) if one], each[:, 0], each[:, 1], centred)

    @cached_property
    def usual_mean(self) -> Floats:
        """(D,)"""
        return np.median(self.mean, 0)

    @cached_property
    def usual(self) -> Floats:
        """(D,) the deviation of most videos."""
        return np.median(self.deviation, 0)

    @cached_property
    def varies(self) -> NDArray[np.bool_]:
        """(D,)"""
        varies: NDArray[np.bool_] = self.usual > TINY
        return varies

    @cached_property
    def scale(self) -> Floats:
        """(V,) times by which most channels vary more than usual."""
        return np.median(self.deviation[:, self.varies] / self.usual[self.varies], 1)

    @cached_property
    def beside(self) -> Floats:
        """(V,) deviations by which most channels lie beside the usual mean."""
        return np.median(np.abs(self.mean - self.usual_mean)[:, self.varies] / self.usual[self.varies], 1)

    @cached_property
    def fits(self) -> NDArray[np.bool_]:
        """(V,) those of usual scale and, where it makes a difference, of usual mean."""
        rescaled = np.abs(np.log(np.maximum(self.scale, TINY))) > np.log(RESCALED)
        moved = (self.beside > MOVED) & (not self.centred)
        fits: NDArray[np.bool_] = ~(rescaled | moved)
        return fits


def check_unlike(statistics: FeatureStatistics, *, centred: bool) -> list[Finding]:
    """Videos whose features were most likely made otherwise than those of the others.

    Args:
        statistics: of all of them.
        centred: the network sees each video less its mean.
    """
    compared = Compared.of(statistics, centred=centred)
    if len(compared.ids) < SEVERAL or not compared.varies.any():
        return []
    return [*_rescaled(compared), *_reordered(compared), *_dead(compared)]


def _rescaled(compared: Compared) -> list[Finding]:
    def how(i: int) -> str:
        return f"{compared.scale[i]:.3g} times as large, {compared.beside[i]:.2g} deviations away"

    return _told("rescaled", ~compared.fits, compared, "features of another scale or origin than the others", how)


def _reordered(compared: Compared) -> list[Finding]:
    places = np.where(compared.fits, _displaced(compared.mean, compared.usual_mean), 0)
    what = "features whose channels are in another order"
    return _told("reordered", places > 0, compared, what, lambda i: f"moved by {places[i]}")


def _dead(compared: Compared) -> list[Finding]:
    """Channels that do not vary in one video, and do in nearly all others, by far."""
    still = compared.deviation <= STILL * compared.usual
    dead = still & (still.mean(0) < OFTEN) & compared.varies
    what = "channels without any change that vary in the others"
    return _told("dead_in", dead.any(1), compared, what, lambda i: f"{plural(int(dead[i].sum()), 'channel')}")


def _told(
    kind: str, mask: NDArray[np.bool_], compared: Compared, what: str, how: Callable[[int], str]
) -> list[Finding]:
    if not mask.any():
        return []
    example = listed([f"{compared.ids[i]} ({how(i)})" for i in np.flatnonzero(mask).tolist()])
    advice = "extract them again, as the others"
    return [Finding(kind, "warning", int(mask.sum()), len(mask), f"videos have {what}: ", example, advice)]


def _displaced(mean: Floats, usual: Floats) -> NDArray[np.int64]:
    """(V,) by how many places the channels of a video would have to move to fit the others; 0 where they fit."""
    standard = _standard(usual[None])
    if (standard**2).sum() ** 2 < DECIDING * (standard**4).sum():
        return np.zeros(len(mean), dtype=np.int64)
    spectrum = np.fft.rfft(standard)
    fits = np.fft.irfft(np.fft.rfft(_standard(mean)) * spectrum.conj(), n=mean.shape[1]) / mean.shape[1]
    best = fits.argmax(1)
    better: NDArray[np.bool_] = fits[np.arange(len(fits)), best] > fits[:, 0] + REORDERED
    return np.where(better, best, 0)


def _standard(rows: Floats) -> Floats:
    centred = rows - rows.mean(1, keepdims=True)
    standard: Floats = centred / np.maximum(centred.std(1, keepdims=True), TINY)
    return standard


def check_channels(statistics: FeatureStatistics) -> list[Finding]:
    """Channels that never vary, and those that vary by far more than all others."""
    deviation = np.sqrt(statistics.variance)
    total = len(deviation)
    findings = []
    dead = np.flatnonzero(deviation <= TINY)
    if 0 < len(dead) < total:
        advice = "harmless if they are meant, else extract the features again"
        findings.append(
            Finding("dead", "warning", len(dead), total, "channels never vary: ", listed([*map(str, dead)]), advice)
        )
    usual = float(np.median(deviation[deviation > TINY])) if len(dead) < total else 0.0
    huge = np.flatnonzero((deviation > LARGEST * usual) & (statistics.peak > ABOVE)) if usual else dead[:0]
    if len(huge):
        example = listed([f"{i} ({deviation[i] / usual:.2g} times)" for i in huge.tolist()])
        what = "channels vary by far more than the others: "
        findings.append(
            Finding("huge", "warning", len(huge), total, what, example, "keep data.normalize, or rescale them")
        )
    return findings
