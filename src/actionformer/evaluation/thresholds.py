"""The operating threshold: from which score on detections are worth showing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from actionformer.evaluation.pairs import Floats, Ints

LEAST_ACTIONS = 20
"""Ground truths from which on a class has a threshold of its own: with fewer, a few detections decide about it."""


def best_threshold(scores: Floats, hits: NDArray[np.bool_], actions: int) -> float:
    """The score from which on F1 is best, half way down to the next score below.

    F1 = 2 * hits / (detections + ground truths). Of several best ones the highest is taken.

    Args:
        scores: (N,) of one class or of several.
        hits: (N,) which of them find a ground truth.
        actions: ground truths, found or not.

    Returns:
        The threshold; 1 where nothing is found.
    """
    order = np.argsort(-scores, kind="stable")
    ranked = np.append(scores[order], 0.0)
    f1 = 2 * np.cumsum(hits[order]) / (np.arange(1, len(order) + 1) + actions)
    f1[ranked[1:] == ranked[:-1]] = 0  # equal scores are shown together
    if not f1.any():
        return 1.0
    last = int(f1.argmax())
    return float(ranked[last : last + 2].mean())


def class_thresholds(scores: Floats, hits: NDArray[np.bool_], labels: Ints, truths: Ints, num_classes: int) -> Floats:
    """Thresholds per class, and the one of all together, which is also that of classes with too few ground truths.

    Args:
        scores: (N,)
        hits: (N,)
        labels: (N,) class ids; -1 where no ground truth has the class.
        truths: (G,) class ids of the ground truths.
        num_classes: K.

    Returns:
        (K + 1,) those of the classes, then that of all together.
    """
    known = labels >= 0
    thresholds = np.full(num_classes + 1, best_threshold(scores[known], hits[known], len(truths)))
    for label in np.flatnonzero(np.bincount(truths, minlength=num_classes) >= LEAST_ACTIONS):
        own = labels == label
        thresholds[label] = best_threshold(scores[own], hits[own], int((truths == label).sum()))
    return thresholds
