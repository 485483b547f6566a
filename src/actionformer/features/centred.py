"""Features of a video less what is the same in all of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from actionformer.features.reader import FeatureReader

ROWS = 4096
"""Read at once, so that memory does not grow with a video."""


@dataclass(frozen=True, eq=False)
class CentredFeatures:
    """Features (T, D) of a whole video, each channel less its mean over the video."""

    features: FeatureReader

    @property
    def shape(self) -> tuple[int, int]:
        """T and D."""
        return self.features.shape

    @cached_property
    def mean(self) -> NDArray[np.float32]:
        """(D,) of each channel; the first call reads all rows."""
        length, channels = self.shape
        total = np.zeros(channels)
        for start in range(0, length, ROWS):
            total += self.features[start : start + ROWS].sum(axis=0, dtype=np.float64)
        mean: NDArray[np.float32] = (total / length).astype(np.float32)
        return mean

    def __getitem__(self, part: slice) -> NDArray[np.float32]:
        """Features of some moments, (t, D)."""
        rows: NDArray[np.float32] = self.features[part] - self.mean
        return rows


class RunningMean:
    """Centres features of which nobody knows yet what will come: each row less the mean of all up to it."""

    def __init__(self, channels: int) -> None:
        self._total, self._count = np.zeros(channels), 0

    def __call__(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """(t, D) that follow those before -> (t, D); it makes no difference how many come at once."""
        sums = np.cumsum(np.concatenate([self._total[None], rows]), axis=0)[1:]
        counts = self._count + np.arange(1, len(rows) + 1)
        self._total, self._count = sums[-1], self._count + len(rows)
        centred: NDArray[np.float32] = (rows - sums / counts[:, None]).astype(np.float32)
        return centred
