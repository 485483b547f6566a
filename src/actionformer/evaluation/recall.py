"""How many ground truths are found at all: Recall@kx, and average recall of class-agnostic proposals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from actionformer.evaluation.pairs import FlatDetections, Floats, Ints, Pairs, Truths, rank_within

PROPOSAL_TIOU = np.linspace(0.5, 0.95, 10).round(2)
"""tIoU thresholds that average recall is the mean over."""

MAX_PROPOSALS = 100
"""Largest average number of proposals a video."""


def recall_at_kx(
    candidates: FlatDetections, truths: Truths, pairs: Pairs, thresholds: Floats, multiples: Sequence[int]
) -> Floats:
    """Recall@kx: ground truths found among the k * N best detections of their class in their video.

    N is the number of ground truths of that class in that video. One detection may find several. Recall is
    taken over all ground truths of a class, then the mean over classes.

    Args:
        candidates: D detections, best first.
        truths: G ground truths.
        pairs: overlapping pairs of them within a video, down to the lowest threshold.
        thresholds: (L,) tIoU.
        multiples: the M values of k.

    Returns:
        (L, M).
    """
    num_classes = int(truths.labels.max()) + 1
    rank = rank_within(candidates.videos * (num_classes + 1) + candidates.labels)  # label -1 is a group too
    truth_group = truths.videos * num_classes + truths.labels
    _, group, sizes = np.unique(truth_group, return_inverse=True, return_counts=True)
    pairs = pairs.where(candidates.labels[pairs.detection] == truths.labels[pairs.truth])
    class_sizes = np.bincount(truths.labels)
    recall = np.empty((len(thresholds), len(multiples)))
    for column, k in enumerate(multiples):
        allowed = pairs.where(rank[pairs.detection] < k * sizes[group[pairs.truth]])
        best = np.zeros(len(truths))
        np.maximum.at(best, allowed.truth, allowed.tiou)
        for row, threshold in enumerate(thresholds):
            found = np.bincount(truths.labels[best >= threshold], minlength=num_classes)
            recall[row, column] = np.mean(found[class_sizes > 0] / class_sizes[class_sizes > 0])
    return recall


def average_recall(candidates: FlatDetections, truths: Truths, pairs: Pairs) -> Floats:
    """AR@AN of ActivityNet: recall (mean over tIoU 0.5:0.95:0.05) at 1 to 100 proposals a video on average.

    Classes play no part, and one proposal may find several ground truths. At an average of n, each video with
    ground truth gives the same share of its proposals, its best: n * videos / number of all, at most all.

    Args:
        candidates: D detections, best first.
        truths: G ground truths.
        pairs: overlapping pairs of them within a video, of whatever class, down to a tIoU of 0.5 or lower.

    Returns:
        (100,) recall at an average of 1, 2, ..., 100.
    """
    occurring = np.unique(truths.videos)
    proposals = np.bincount(candidates.videos[candidates.videos >= 0], minlength=occurring[-1] + 1)[occurring]
    share = np.arange(1, MAX_PROPOSALS + 1) * len(occurring) / max(proposals.sum(), 1)
    kept = np.floor(np.minimum(share[:, None], 1.0) * proposals + 1e-9)  # (100, V)
    video = np.searchsorted(occurring, truths.videos)
    rank = rank_within(candidates.videos)[pairs.detection]
    needed = np.stack([_first_rank(pairs, rank, len(truths), threshold) for threshold in PROPOSAL_TIOU])
    recall: Floats = np.array([(needed < limit[video]).mean() for limit in kept])
    return recall


def _first_rank(pairs: Pairs, rank: Ints, num_truths: int, threshold: float) -> Ints:
    """Rank (G,) of the best proposal that finds each ground truth; a huge one where none does."""
    found = pairs.tiou >= threshold
    first = np.full(num_truths, np.iinfo(np.int64).max)
    np.minimum.at(first, pairs.truth[found], rank[found])
    return first


def area_under_average_recall(recall: Floats) -> float:
    """Area under the curve of `average_recall` from 1 to 100 proposals, over 100 as ActivityNet has it."""
    return float((recall[1:] + recall[:-1]).sum() / 2 / MAX_PROPOSALS)
