"""Average precision of temporal action localization, at all tIoU thresholds at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from actionformer.evaluation.pairs import FlatDetections, Floats, Ints, Pairs, Truths, rank_within


def match(pairs: Pairs, num_detections: int, num_truths: int, thresholds: Floats) -> NDArray[np.bool_]:
    """Which detections find a ground truth: (L, D) mask of true positives; see `assign`."""
    return assign(pairs, num_detections, num_truths, thresholds) >= 0


def assign(pairs: Pairs, num_detections: int, num_truths: int, thresholds: Floats) -> Ints:
    """Which ground truth each detection finds, when each, best first, takes the free one it overlaps most.

    That is a stable matching: detections prefer overlap, every ground truth prefers the better detection. So
    all may propose at once, the losers go on to their next choice, with the result of one after the other.

    Args:
        pairs: the admissible pairs, in order of detection (best first), then of falling tIoU.
        num_detections: D.
        num_truths: G.
        thresholds: (L,) least tIoU of a match, each an evaluation of its own.

    Returns:
        (L, D) indices into the ground truths; -1 for false positives.
    """
    found = np.full((len(thresholds), num_detections), -1)
    holder = np.full(len(thresholds) * num_truths, num_detections)
    detections = np.append(pairs.detection, -1)  # one row behind the last, so that a next choice always exists
    truths, tious = np.append(pairs.truth, 0), np.append(pairs.tiou, 0.0)
    first = np.flatnonzero(np.diff(pairs.detection, prepend=-1))
    level, column = np.nonzero(tious[first] >= thresholds[:, None])
    row = first[column]
    while row.size:
        place = level * num_truths + truths[row]
        np.minimum.at(holder, place, detections[row])
        lost = holder[place] != detections[row]
        if not lost.any():
            found[level, detections[row]] = truths[row]
            break
        choice = row + lost
        goes_on = (detections[choice] == detections[row]) & (tious[choice] >= thresholds[level])
        level, row = level[goes_on], choice[goes_on]
    return found


def average_precision(candidates: FlatDetections, truths: Truths, pairs: Pairs, thresholds: Floats) -> Floats:
    """All-point interpolated average precision of every class.

    Precision is made non-increasing from the right and summed over the steps of recall. Every detection
    counts: one outside the evaluated videos, or where its class does not occur, is a false positive.

    Args:
        candidates: D detections, best first.
        truths: G ground truths.
        pairs: overlapping pairs of them within a video, down to the lowest threshold.
        thresholds: (L,) tIoU.

    Returns:
        (L, K), K up to the highest class id of the ground truths; NaN for ids that no ground truth has.
    """
    same_class = candidates.labels[pairs.detection] == truths.labels[pairs.truth]
    hits = match(pairs.where(same_class), len(candidates), len(truths), thresholds)
    return average_precision_of_hits(hits, candidates.labels, truths.labels)


def average_precision_of_hits(
    hits: NDArray[np.bool_], labels: Ints, truths: Ints, normal: float | None = None
) -> Floats:
    """`average_precision` once it is known which detections find a ground truth.

    Precision depends on how many ground truths a class has: with twice as many, a detector that finds the same share of
    them and makes as many mistakes is more precise. Normalised average precision (Hoiem et al., ECCV 2012; DETAD) takes
    every class to have as many, N: precision = recall * N / (recall * N + false positives).

    Args:
        hits: (L, D) true positives, best detection first.
        labels: (D,) class ids of the detections.
        truths: (G,) class ids of the ground truths.
        normal: N of normalised average precision; by default each class has as many as it has.
    """
    num_truths = np.bincount(truths)
    level, detection = np.nonzero(hits)  # what misses lowers the precision of later hits, and adds nothing
    group = level * len(num_truths) + labels[detection]
    right, seen = rank_within(group) + 1, rank_within(labels)[detection] + 1
    weighed = right if normal is None else right * normal / num_truths[labels[detection]]
    precision = weighed / (weighed + seen - right)
    area = np.bincount(group, _envelope(precision, group), minlength=len(hits) * len(num_truths))
    occurring = np.where(num_truths, num_truths, np.nan)
    result: Floats = area.reshape(len(hits), -1) / occurring
    return result


def _envelope(values: Floats, groups: Ints) -> Floats:
    """The largest (P,) of each of `values` (P,) and those of its group that come later."""
    known, place = np.unique(values, return_inverse=True)
    order = np.argsort(groups, kind="stable")[::-1]  # group after group, each from its end
    first = (groups.max(initial=0) - groups[order]) * len(known)  # above all places of the groups before
    envelope = np.empty_like(values)
    envelope[order] = known[np.maximum.accumulate(first + place[order]) - first]
    return envelope
