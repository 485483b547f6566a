"""Features of many videos read in part: some blocks of rows of each, so that a report takes seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actionformer.checks.findings import Finding
from actionformer.core.errors import InputError
from actionformer.data.collection import FeaturedVideo
from actionformer.data.statistics import FeatureStatistics
from actionformer.features import Features

MOST_NUMBERS = 300_000_000
"""Numbers that are read of all videos together; of more, a part."""

BLOCKS, LEAST_ROWS = 4, 8
"""Blocks that are read of a long video, the first and the last rows among them, and rows of a block at least."""


@dataclass(frozen=True)
class SampledRows:
    """Some rows of features, in order; read whole as `rows[:]`."""

    features: Features
    rows: int
    """How many are read at most."""

    @property
    def blocks(self) -> list[slice]:
        """The rows that are read."""
        length = len(self.features)
        size = max(self.rows // BLOCKS, LEAST_ROWS)
        if length <= max(self.rows, BLOCKS * size):
            return [slice(0, length)]
        return [slice(start, start + size) for start in np.linspace(0, length - size, BLOCKS).astype(int).tolist()]

    @property
    def shape(self) -> tuple[int, int]:
        """Of what is read."""
        return sum(block.stop - block.start for block in self.blocks), self.features.shape[1]

    def __getitem__(self, part: slice) -> NDArray[np.float32]:
        return self.features.blocks(self.blocks)[part]


@dataclass(frozen=True)
class Measured:
    """What the values of features are like, of the videos whose could be read."""

    statistics: FeatureStatistics
    findings: list[Finding]
    """About those that could not."""
    share: float
    """Of the rows that were read."""


def measure(videos: Sequence[FeaturedVideo]) -> Measured:
    """Reads features of one width, in part where there are many."""
    statistics = FeatureStatistics([])
    numbers = sum(np.prod(video.features.shape, dtype=float) for video in videos)
    most = np.inf if numbers <= MOST_NUMBERS else MOST_NUMBERS / videos[0].features.shape[1] / len(videos)
    broken: list[str] = []
    rows = 0
    for video in videos:
        whole = len(video.features) <= most
        sample = SampledRows(video.features, len(video.features) if whole else int(most))
        try:
            statistics.add(video.video.id, sample)
            rows += sample.shape[0]
        except InputError as error:
            broken.append(str(error))
    findings = []
    if broken:
        what = "videos have features that hold numbers that are not finite, or cannot be read: "
        findings.append(Finding("not_finite", "error", len(broken), len(videos), what, broken[0]))
    return Measured(statistics, findings, rows / max(sum(len(video.features) for video in videos), 1))
