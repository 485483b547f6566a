"""Average precision as the evaluator of the THUMOS14 challenge takes it (`TH14eventdetpr.m`), unlike papers of today.

Each action, one after the other, takes the free detection that overlaps it most, if their tIoU is larger than the
threshold. A detection that no action takes is left out if it overlaps an ambiguous span at all. Precision is read at 11
points of recall; of equal scores those that are right come first.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from actionformer.core.annotations import Annotations
from actionformer.core.errors import InputError
from actionformer.evaluation.pairs import FlatDetections, Floats, Pairs, Truths, overlapping_pairs
from actionformer.formats.document import Document
from actionformer.formats.thumos import holds_labels, spans_of

RECALL = np.arange(11) / 10
"""Where precision is read."""
LEAST = 1e-12
"""tIoU of a detection and an ambiguous span that overlap at all."""


def read_ambiguous(paths: str | Path | Sequence[str | Path], annotations: Annotations) -> Truths:
    """The spans of `Ambiguous_test.txt` and the like, in videos that are evaluated.

    Raises:
        InputError: a file that is laid out in another way.
    """
    numbers = {video: number for number, video in enumerate(annotations.videos)}
    rows: list[tuple[float, float, int]] = []
    for path in [paths] if isinstance(paths, str | Path) else paths:
        document = Document(path)
        if not holds_labels(document):
            raise InputError(f"{path}: expected a video and two times per line, as Ambiguous_test.txt of THUMOS14 has")
        rows += [(start, end, numbers[video]) for video, start, end in spans_of(document) if video in numbers]
    spans = np.array(rows, dtype=np.float64).reshape(-1, 3)
    return Truths(spans[:, :2], np.zeros(len(spans), np.int64), spans[:, 2].astype(np.int64))


def challenge_precision(
    candidates: FlatDetections, truths: Truths, pairs: Pairs, thresholds: Floats, ambiguous: Truths
) -> Floats:
    """Average precision of every class; arguments and result as of `average_precision`.

    Args:
        candidates: D detections, best first.
        truths: G ground truths.
        pairs: overlapping pairs of them within a video, down to the lowest threshold.
        thresholds: (L,) tIoU.
        ambiguous: spans of no class.
    """
    doubtful = np.zeros(len(candidates), dtype=bool)
    doubtful[overlapping_pairs(candidates, ambiguous, LEAST).detection] = True
    same = pairs.where(candidates.labels[pairs.detection] == truths.labels[pairs.truth])
    counts = np.bincount(truths.labels)
    precision = np.full((len(thresholds), len(counts)), np.nan)
    for level, threshold in enumerate(thresholds):
        hits = taken(same, len(candidates), threshold)
        for label in np.flatnonzero(counts):
            counted = (candidates.labels == label) & (hits | ~doubtful)
            precision[level, label] = _of_class(hits[counted], candidates.scores[counted], counts[label])
    return precision


def taken(pairs: Pairs, num_detections: int, threshold: float) -> NDArray[np.bool_]:
    """Which detections an action takes, when each action, in order, takes the free one that it overlaps most.

    Args:
        pairs: of one class each.
        num_detections: D.
        threshold: a larger tIoU is needed.

    Returns:
        (D,) mask.
    """
    found = np.zeros(num_detections, dtype=bool)
    served = -1
    for row in np.lexsort((pairs.detection, -pairs.tiou, pairs.truth)):
        if pairs.truth[row] != served and pairs.tiou[row] > threshold and not found[pairs.detection[row]]:
            found[pairs.detection[row]] = True
            served = pairs.truth[row]
    return found


def _of_class(hits: NDArray[np.bool_], scores: Floats, num_truths: int) -> float:
    order = np.lexsort((~hits, -scores))
    right = np.cumsum(hits[order])
    precision, recall = right / np.arange(1, len(order) + 1), right / num_truths
    return float(np.mean([precision[recall >= point].max(initial=0.0) for point in RECALL]))
