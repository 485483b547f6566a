"""Metrics of action segmentation: frame-wise accuracy, edit score and F1@k of segments (Lea et al., CVPR 2017; MS-TCN).

A sequence of labels of frames is cut into segments wherever the label changes. Segments of the background count for
accuracy alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actionformer.core.segments import tiou
from actionformer.evaluation.pairs import Floats, Ints

OVERLAPS = (0.1, 0.25, 0.5)
"""The k of F1@k, as IoU."""


@dataclass(frozen=True)
class FramewiseScores:
    """Shares from 0 to 1, means over videos; of F1 also that of all segments together, which MS-TCN reports."""

    accuracy: float
    edit: float
    f1: dict[str, float]
    """k in percent -> F1@k."""
    pooled_accuracy: float
    """Of all frames together."""
    pooled_f1: dict[str, float]


def segments_of(labels: Ints, background: int | None) -> tuple[Floats, Ints]:
    """Segments (N, 2) of frames, the end exclusive, and their labels (N,), without those of the background."""
    starts = np.flatnonzero(np.diff(labels, prepend=labels[:1] - 1))
    ends = np.append(starts[1:], len(labels))[: len(starts)]
    of = labels[starts]
    kept = np.ones(len(of), dtype=bool) if background is None else of != background
    return np.stack([starts, ends], axis=1)[kept].astype(np.float64), of[kept]


def edit_score(predicted: Sequence[int], truth: Sequence[int]) -> float:
    """1 less the Levenshtein distance of two orders of segments, over the length of the longer one."""
    distances = np.arange(len(truth) + 1)
    for row, label in enumerate(predicted, 1):
        substituted = distances[:-1] + (np.asarray(truth) != label)
        best = np.minimum(substituted, distances[1:] + 1)
        place = np.arange(1, len(truth) + 1)
        inserted = np.minimum.accumulate(np.append(row, best - place))  # or the next one, and so on, is inserted
        distances = np.append(row, inserted[1:] + place)
    longest = max(len(predicted), len(truth))
    return 1.0 - float(distances[-1]) / longest if longest else 1.0


def segment_hits(predicted: tuple[Floats, Ints], truth: tuple[Floats, Ints], overlap: float) -> tuple[int, int, int]:
    """True positives, false positives and misses of segments.

    In the order of time, every predicted segment takes the true one of its label that it overlaps most; it is right if
    the IoU is at least `overlap` and no other has taken that before.
    """
    (segments, labels), (true_segments, true_labels) = predicted, truth
    if not len(labels) or not len(true_labels):
        return 0, len(labels), len(true_labels)
    overlaps = tiou(segments, true_segments) * (labels[:, None] == true_labels)
    best = overlaps.argmax(axis=1)
    enough = np.flatnonzero(overlaps[np.arange(len(labels)), best] >= overlap)
    right = len(np.unique(best[enough]))
    return right, len(labels) - right, len(true_labels) - right


def framewise_scores(
    videos: Iterable[tuple[Ints, Ints]], *, background: int | None = None, overlaps: Sequence[float] = OVERLAPS
) -> FramewiseScores:
    """All figures of some videos.

    Args:
        videos: predicted and true labels (T,) of the frames of each.
        background: the label of frames without an action, if there is one.
        overlaps: the k of F1@k.
    """
    rows = [_of_video(predicted, truth, background, overlaps) for predicted, truth in videos]
    right, frames, edits, hits = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
    f1 = 2 * hits[..., 0] / np.maximum(2 * hits[..., 0] + hits[..., 1] + hits[..., 2], 1)
    summed = hits.sum(axis=0)
    pooled = 2 * summed[:, 0] / np.maximum(2 * summed[:, 0] + summed[:, 1] + summed[:, 2], 1)
    names = [f"{100 * overlap:g}" for overlap in overlaps]
    return FramewiseScores(
        accuracy=float((right / frames).mean()),
        edit=float(edits.mean()),
        f1=dict(zip(names, f1.mean(axis=0).tolist(), strict=True)),
        pooled_accuracy=float(right.sum() / frames.sum()),
        pooled_f1=dict(zip(names, pooled.tolist(), strict=True)),
    )


def frame_labels(segments: Floats, labels: Ints, seconds: float, rate: float, background: int = -1) -> Ints:
    """Labels (T,) of frames in the middle of every 1 / `rate` seconds; where segments overlap, the later one's.

    Args:
        segments: (N, 2) seconds, in the order of time.
        labels: (N,)
        seconds: how long the video is.
        rate: frames a second.
        background: the label where there is none.
    """
    times = (np.arange(max(round(seconds * rate), 1)) + 0.5) / rate
    frames = np.full(len(times), background)
    for (start, end), label in zip(segments, labels, strict=True):
        frames[np.searchsorted(times, start) : np.searchsorted(times, end)] = label
    return frames


Row = tuple[int, int, float, list[tuple[int, int, int]]]


def _of_video(predicted: Ints, truth: Ints, background: int | None, overlaps: Sequence[float]) -> Row:
    found, true = segments_of(predicted, background), segments_of(truth, background)
    right: NDArray[np.bool_] = predicted == truth
    hits = [segment_hits(found, true, overlap) for overlap in overlaps]
    return int(right.sum()), len(truth), edit_score(found[1].tolist(), true[1].tolist()), hits
