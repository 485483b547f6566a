"""What features are to those who read them: training, inference, checks."""

from __future__ import annotations

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
