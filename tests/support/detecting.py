"""Features drawn at random, and whether two ways of detecting found the same in them."""

import numpy as np
from numpy.typing import NDArray

from actionformer.core.detections import Detections

ROUNDED = 1e-4
"""Seconds, and scores: how many moments a matrix product has changes its last digits."""


def array(length: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal((length, 6)).astype(np.float32)


def assert_same(found: Detections, expected: Detections, tolerance: float = 0.0) -> None:
    assert len(found) == len(expected) > 0
    order, other = (np.lexsort((one.segments[:, 0].round(3), one.labels, one.levels)) for one in (found, expected))
    for name in ("segments", "scores", "labels", "levels"):
        np.testing.assert_allclose(
            getattr(found, name)[order],
            getattr(expected, name)[other],
            rtol=tolerance / 10,
            atol=tolerance,
            err_msg=name,
        )
