"""Features that say nothing of what happens: constant ones, copies, channels of times or of one value that is wrong."""

from __future__ import annotations

import numpy as np

from actionformer.checks.findings import Finding, Severity
from actionformer.core.errors import listed
from actionformer.data.statistics import FeatureStatistics

LONE = 0.3
"""Share of a channel's variance that no single value has, but one that is wrong."""

FEWEST = 10
"""Rows that say something of a channel."""

FAR = 1e6
"""How far such a value lies from others at least: channels that hardly ever are other than 0 are healthy."""


def check_values(statistics: FeatureStatistics) -> list[Finding]:
    """What is odd about the values of features, as far as one pass over them tells."""
    return [*_constant(statistics), *_copies(statistics), *_lone(statistics), *_times(statistics)]


def _constant(statistics: FeatureStatistics) -> list[Finding]:
    constant, total = statistics.constant, len(statistics.videos)
    if not constant:
        return []
    what = "videos have features whose rows are all the same: "
    severity: Severity = "error" if len(constant) == total else "warning"
    return [Finding("constant", severity, len(constant), total, what, listed(constant), "extract them again")]


def _copies(statistics: FeatureStatistics) -> list[Finding]:
    copies, total = statistics.copies, len(statistics.videos)
    if not copies:
        return []
    what = "videos have the features of another video: "
    names = listed([f"{copy} those of {first}" for copy, first in copies])
    return [Finding("copies", "warning", len(copies), total, what, names)]


def _lone(statistics: FeatureStatistics) -> list[Finding]:
    """Normalisation divides by a deviation that such a value makes alone: nothing is left of the others."""
    if statistics.count < FEWEST:
        return []
    share = np.square(statistics.peak) / np.maximum(statistics.variance * statistics.count, np.finfo(float).tiny)
    channels = np.flatnonzero((statistics.peak > FAR) & (share > LONE))
    if not len(channels):
        return []
    id_, row, value = statistics.farthest(int(channels[0]))
    example = f", the first is {value:.3g} in row {row} of {id_!r}, channel {channels[0]}"
    what = "channels hold one value that is far from all others, and hardly vary besides"
    return [
        Finding("lone", "warning", len(channels), len(share), what, example, "extract the features of that video again")
    ]


def _times(statistics: FeatureStatistics) -> list[Finding]:
    channels = statistics.rising
    if not channels:
        return []
    what = "channels have values that rise with every row of every video, as times and row numbers do: "
    advice = "leave them out: a model learns from them when something happened, and not what"
    return [
        Finding(
            "times",
            "warning",
            len(channels),
            len(statistics.variance),
            what,
            listed([str(channel) for channel in channels]),
            advice,
        )
    ]
