"""What features are to those who read them: training, inference, checks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class FeatureReader(Protocol):
    """Features (T, D) of a video, of which a slice can be read alone."""

    @property
    def shape(self) -> tuple[int, int]:
        """T and D."""

    def __getitem__(self, part: slice) -> NDArray[np.float32]:
        """Features of some moments, (t, D), all of them finite."""


@dataclass(frozen=True)
class FeatureWindow:
    """The features of a video from row `start` to `stop` (excluded), as if they were all it has."""

    features: FeatureReader
    start: int
    stop: int

    @property
    def shape(self) -> tuple[int, int]:
        """T and D."""
        return self.stop - self.start, self.features.shape[1]

    def __getitem__(self, part: slice) -> NDArray[np.float32]:
        """Features of some moments, (t, D)."""
        start, stop, _ = part.indices(self.stop - self.start)
        return self.features[self.start + start : self.start + stop]
