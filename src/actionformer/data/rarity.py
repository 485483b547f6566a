"""Sequences with rare classes come more often in an epoch: repeat factor sampling.

Gupta, Dollar and Girshick, LVIS: A Dataset for Large Vocabulary Instance Segmentation (CVPR 2019), appendix B: a class
that the share f of sequences has is repeated max(1, sqrt(t / f)) times, and a sequence as often as its rarest class.
N sequences.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


RARE = 0.02
"""Share of sequences below which a class is hardly learned unless it is repeated."""
USUAL_THRESHOLD = 0.3


def class_shares(labels: Sequence[Ints]) -> dict[int, float]:
    """Class -> the share of sequences that have it, of the labels of each sequence."""
    classes, counts = np.unique(np.concatenate([np.empty(0, np.int64), *map(np.unique, labels)]), return_counts=True)
    return {int(label): int(count) / len(labels) for label, count in zip(classes, counts, strict=True)}


def repeat_factors(labels: Sequence[Ints], threshold: float) -> Floats:
    """(N,) how often each sequence comes in an epoch, on average; 1 at least.

    Args:
        labels: of each sequence, the classes of its actions.
        threshold: t, the share of sequences below which a class counts as rare; 0 repeats nothing.
    """
    of_class = {label: max(1.0, (threshold / share) ** 0.5) for label, share in class_shares(labels).items()}
    return np.array([max((of_class[label] for label in own.tolist()), default=1.0) for own in labels])


def worth_repeating(labels: Sequence[Ints]) -> float:
    """The threshold that pays where a class is in so few sequences that it is hardly learned; 0 where none is.

    Measured by `benchmarks/rare.py`.

    Args:
        labels: of each sequence, the classes of its actions.
    """
    return USUAL_THRESHOLD if min(class_shares(labels).values(), default=1.0) < RARE else 0.0


def draw_repeated(factors: Floats, rng: np.random.Generator) -> Ints:
    """(M,) sequences of an epoch, ascending, M the sum of the factors, rounded: each epoch has as many.

    Each sequence comes as often as its factor, rounded up or down at random (systematic sampling).
    """
    ends = np.cumsum(factors)
    count = max(round(float(ends[-1])), 1)
    places = (np.arange(count) + rng.random()) * (ends[-1] / count)
    drawn: Ints = np.minimum(np.searchsorted(ends, places, side="right"), len(factors) - 1)
    return drawn
