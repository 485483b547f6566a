"""How certain a mAP is: the videos are drawn again and again, with replacement, and every draw is evaluated.

Videos are drawn whole, as actions of one video are not independent of each other, and so are groups of videos that
are alike, such as those of a person. A video that is drawn twice counts twice, with the same detections.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from actionformer.core.errors import InputError
from actionformer.evaluation.pairs import Floats, Ints
from actionformer.evaluation.sensitivity import Found

DRAWS = 1000
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """A figure and where it lies with a confidence of 95%."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Comparison:
    """Two runs on the same videos."""

    difference: Interval
    """mAP of the second less that of the first."""
    p: float
    """How probable a difference so far from 0 is if there is none: twice the share of draws on the other side of 0.

    Of G videos (or groups) it is at least 2 / 2^G, the p of a test in which every video says the same.
    """


class WeightedMap:
    """mAP of draws of videos, mean over tIoU; detections are sorted by class once.

    Args:
        found: which ground truth each detection finds.
        videos: how many there are.
    """

    def __init__(self, found: Found, videos: int) -> None:
        known = np.flatnonzero(found.detections.labels >= 0)
        order = known[np.argsort(found.detections.labels[known], kind="stable")]
        self.truths, self.num_videos = found.truths, videos
        self.classes = np.unique(found.truths.labels)
        self.labels = np.searchsorted(self.classes, found.detections.labels[order])
        self.videos = found.detections.videos[order]
        self.hits = [np.flatnonzero(taken[order] >= 0) for taken in found.taken]
        self.first = np.searchsorted(self.labels, np.arange(len(self.classes)))

    def __call__(self, weights: Ints) -> float:
        """mAP where video v counts `weights[v]` times; classes without ground truths in a draw leave the mean.

        Copies of a detection stand side by side. Of copies that are right the last has the best precision, and so the
        step of recall that they make together has one envelope: the value is exactly that of evaluating all copies.
        """
        classes, count = len(self.classes), np.append(weights, 1)  # video -1, not evaluated, counts once
        own = np.searchsorted(self.classes, self.truths.labels)
        actions = np.bincount(own, weights[self.truths.videos], classes)
        seen = _cumulative(count[self.videos], self.first, self.labels)
        figures = [self._precision(hits, count, seen, classes) for hits in self.hits]
        occurring = actions > 0
        return float(np.mean([area[occurring] / actions[occurring] for area in figures])) if occurring.any() else 0.0

    def _precision(self, hits: Ints, count: Ints, seen: Ints, classes: int) -> Floats:
        """Area (K,) under the curve of precision, before it is divided by the number of ground truths."""
        weight, labels = count[self.videos[hits]], self.labels[hits]
        first = np.searchsorted(labels, np.arange(classes))
        right = _cumulative(weight, first, labels)
        precision = np.where(weight > 0, right / np.maximum(seen[hits], 1), 0.0)
        falling = np.maximum.accumulate((precision - 2.0 * labels)[::-1])[::-1] + 2.0 * labels
        return np.asarray(np.bincount(labels, weight * falling, classes), dtype=np.float64)


def _cumulative(values: Ints, first: Ints, labels: Ints) -> Ints:
    """Sums from the first of each class on; classes stand one after the other."""
    sums = np.append(0, np.cumsum(values))
    return np.asarray(sums[1:] - sums[first[labels]])


def draws(groups: Ints, count: int, seed: int = 0) -> Ints:
    """(count, V) how often each video is drawn, as often as its group: (V,) numbers from 0."""
    there = int(groups.max()) + 1
    drawn = np.random.default_rng(seed).multinomial(there, np.full(there, 1 / there), size=count)
    return np.asarray(drawn[:, groups])


def confidence(found: Found, groups: Ints, count: int = DRAWS) -> Interval:
    """mAP, mean over tIoU, with its interval.

    Args:
        found: which ground truth each detection finds.
        groups: (V,) the number of each video's group, see `Groups.numbers`.
        count: of draws.
    """
    evaluate = WeightedMap(found, len(groups))
    values = [evaluate(weights) for weights in draws(groups, count)]
    return interval(evaluate(np.ones_like(groups)), np.array(values))


def compare(first: Found, second: Found, groups: Ints, count: int = DRAWS) -> Comparison:
    """A paired test: both runs are evaluated on the same draws; arguments are those of `confidence`.

    Raises:
        InputError: they were not evaluated on the same ground truths.
    """
    if len(first.truths) != len(second.truths):
        raise InputError("two runs are compared on the same ground truths")
    one, other = WeightedMap(first, len(groups)), WeightedMap(second, len(groups))
    differences = np.array([other(weights) - one(weights) for weights in draws(groups, count)])
    whole = np.ones_like(groups)
    return comparison(other(whole) - one(whole), differences, groups)


def comparison(difference: float, drawn: Floats, groups: Ints) -> Comparison:
    """A paired test of a difference, from the differences (B,) of draws of videos with these groups (V,)."""
    beyond = min((drawn <= 0).sum(), (drawn >= 0).sum())
    least = 2.0 ** -int(groups.max())  # of groups.max() + 1 groups
    p = max(2 * (beyond + 1) / (len(drawn) + 1), least)
    return Comparison(interval(difference, drawn), float(min(p, 1.0)))


def interval(value: float, drawn: Floats) -> Interval:
    """A figure with the quantiles of its values (B,) on draws."""
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail]).tolist() if len(drawn) else (value, value)
    return Interval(value, low, high)
