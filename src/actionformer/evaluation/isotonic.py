"""Isotonic regression: the best guess of a share that never falls as the score rises."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from actionformer.evaluation.pairs import Floats


def isotonic(scores: Floats, hits: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Pool adjacent violators (Ayer et al., 1955): least squares among all functions that do not fall.

    Neighbouring scores are pooled until the share of hits rises from every pool to the next.

    Args:
        scores: (N,), N >= 1.
        hits: (N,)

    Returns:
        (P,) the mean score of each pool, ascending, and (P,) its share of hits, which never falls.
    """
    known, place = np.unique(scores, return_inverse=True)
    counts = np.bincount(place)
    rows = zip(counts.tolist(), (known * counts).tolist(), np.bincount(place, hits).tolist(), strict=True)
    pools: list[tuple[int, float, float]] = []  # detections, sum of their scores, hits
    for count, score, right in rows:
        while pools and pools[-1][2] * count >= right * pools[-1][0]:
            before = pools.pop()
            count, score, right = count + before[0], score + before[1], right + before[2]
        pools.append((count, score, right))
    sizes, sums, shares = np.array(pools).T
    means, shares = sums / sizes, shares / sizes
    apart = np.diff(means, prepend=-np.inf) > 0  # rounding may bring two means together
    return means[apart], shares[apart]
