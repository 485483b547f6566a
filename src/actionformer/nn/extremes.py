"""The feature that lies furthest from what a network expects: the one to blame where it overflows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from actionformer.nn.network import Network

EXTREME = 1e4
"""Deviations from its mean beyond which a feature is to blame: float16 ends at 65,504."""


class Largest(NamedTuple):
    """The feature furthest from its mean."""

    deviations: float
    """How far, in deviations of its channel, as far as the model knows them."""
    row: int
    value: float


def largest_of(rows: NDArray[np.float32], model: Network, first: int = 0) -> Largest:
    """The largest of features (t, D), whose first is row `first` of a video."""
    known = (model.normalizer.mean, model.normalizer.deviation)
    mean, deviation = (values.detach().double().cpu().numpy() for values in known)
    far = np.abs((rows - mean) / deviation)  # float64: no finite feature overflows here
    row, channel = np.unravel_index(int(far.argmax()), far.shape)
    return Largest(float(far[row, channel]), first + int(row), float(rows[row, channel]))
