"""All videos in flat arrays, and the pairs of detection and ground truth that overlap enough to matter.

G ground truths, D detections, P pairs, V videos, K classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actionformer.core.annotations import Annotations
from actionformer.core.detections import Detections
from actionformer.core.names import matched

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TOLERANCE = 1e-3
"""Seconds: ground truths that differ by no more are one, and shorter ones none."""

BLOCK = 1 << 16
"""Pairs looked at together: small enough for the cache, large enough for numpy."""


@dataclass(frozen=True, eq=False)
class Truths:
    """The ground truths of all videos, video after video."""

    segments: Floats
    """(G, 2) seconds."""
    labels: Ints
    """(G,) class ids."""
    videos: Ints
    """(G,) video numbers, ascending."""

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, eq=False)
class FlatDetections:
    """The detections of all videos, best first."""

    segments: Floats
    """(D, 2) seconds."""
    labels: Ints
    """(D,) class ids of the ground truth; -1 where no ground truth has the class."""
    videos: Ints
    """(D,) video numbers of the ground truth; -1 outside the evaluated videos."""
    scores: Floats
    """(D,) falling."""

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, eq=False)
class Pairs:
    """Detections and ground truths of the same video, in order of detection, then of falling tIoU."""

    detection: Ints
    """(P,) indices into the candidates."""
    truth: Ints
    """(P,) indices into the truths."""
    tiou: Floats
    """(P,)"""

    def where(self, mask: NDArray[np.bool_]) -> Pairs:
        """The pairs under a mask (P,)."""
        return Pairs(self.detection[mask], self.truth[mask], self.tiou[mask])


def flatten_truths(annotations: Annotations) -> tuple[Truths, int]:
    """The ground truths that count, and how many did not: those shorter than 1 ms, and repeats.

    A repeat has the class of an earlier one in its video and both ends within 1 ms of it.
    """
    videos = list(annotations.videos.values())
    counts = [len(video.labels) for video in videos]
    truths = Truths(
        segments=np.concatenate([np.empty((0, 2)), *(video.segments for video in videos)]),
        labels=np.concatenate([np.empty(0, np.int64), *(video.labels for video in videos)]),
        videos=np.repeat(np.arange(len(videos)), counts),
    )
    keep = truths.segments[:, 1] - truths.segments[:, 0] >= TOLERANCE
    keep[keep] = ~_repeats(Truths(truths.segments[keep], truths.labels[keep], truths.videos[keep]))
    kept = Truths(truths.segments[keep], truths.labels[keep], truths.videos[keep])
    return kept, len(truths) - len(kept)


def _repeats(truths: Truths) -> NDArray[np.bool_]:
    """Mask (G,) of ground truths that repeat an earlier one."""
    repeat = np.zeros(len(truths), dtype=bool)
    order = np.lexsort((truths.segments[:, 0], truths.labels, truths.videos))
    group = np.stack([truths.videos, truths.labels], axis=1)[order]
    near = np.diff(truths.segments[order, 0]) <= TOLERANCE
    for video, label in np.unique(group[1:][near & (group[1:] == group[:-1]).all(axis=1)], axis=0):
        rows = np.flatnonzero((truths.videos == video) & (truths.labels == label))
        for i, row in enumerate(rows):
            earlier = rows[:i][~repeat[rows[:i]]]
            apart = np.abs(truths.segments[earlier] - truths.segments[row]).max(axis=1, initial=0)
            repeat[row] = bool((apart <= TOLERANCE).any())
    return repeat


def flatten_detections(
    detections: Mapping[str, Detections], annotations: Annotations, truths: Truths
) -> FlatDetections:
    """The detections of all videos, with labels mapped to the annotations' by name.

    Equal scores stand in the order of video names, then as given.
    """
    numbers = {video: i for i, video in enumerate(annotations.videos)}
    ids = {annotations.class_names[label]: label for label in np.unique(truths.labels).tolist()}
    found = [detections[video] for video in sorted(detections)]
    known = matched(detections, numbers)
    numbers_of_found = [numbers[known[video]] if video in known else -1 for video in sorted(detections)]
    tables: dict[tuple[str, ...], Ints] = {}
    for one in found:
        if one.class_names not in tables:
            own = matched(one.class_names, ids)
            labels_of_names = [ids[own[name]] if name in own else -1 for name in one.class_names]
            tables[one.class_names] = np.array(labels_of_names, dtype=np.int64)
    labels = [tables[one.class_names][one.labels] for one in found if len(one)]
    scores = np.concatenate([np.empty(0), *(one.scores for one in found)])
    order = np.argsort(-scores, kind="stable")
    return FlatDetections(
        segments=np.concatenate([np.empty((0, 2)), *(one.segments for one in found)])[order],
        labels=np.concatenate([np.empty(0, np.int64), *labels])[order],
        videos=np.repeat(np.array(numbers_of_found, dtype=np.int64), [len(one) for one in found])[order],
        scores=scores[order],
    )


def overlapping_pairs(candidates: FlatDetections, truths: Truths, at_least: float) -> Pairs:
    """All pairs within a video, of whatever class, whose tIoU is at least `at_least` > 0."""
    blocks = list(_blocks(candidates, truths, at_least))
    pairs = Pairs(
        detection=np.concatenate([np.empty(0, np.int64), *(block.detection for block in blocks)]),
        truth=np.concatenate([np.empty(0, np.int64), *(block.truth for block in blocks)]),
        tiou=np.concatenate([np.empty(0), *(block.tiou for block in blocks)]),
    )
    order = np.lexsort((pairs.truth, -pairs.tiou, pairs.detection))
    return Pairs(pairs.detection[order], pairs.truth[order], pairs.tiou[order])


def _blocks(candidates: FlatDetections, truths: Truths, at_least: float) -> Iterator[Pairs]:
    order, first, count = _near(candidates, truths)
    end = np.cumsum(count)
    total = int(end[-1]) if len(end) else 0
    cuts = np.searchsorted(end, np.arange(BLOCK, total, BLOCK))
    for rows in np.split(np.arange(len(end)), np.unique(cuts)):
        detection, place = _places(rows, first[rows], count[rows])
        yield _overlapping(candidates, truths, detection, order[place], at_least)


def _places(rows: Ints, first: Ints, count: Ints) -> tuple[Ints, Ints]:
    """Each of `rows` (R,) as often as its `count` (R,), and beside it the places from its `first` (R,) on."""
    repeated = np.repeat(rows, count)
    return repeated, np.arange(len(repeated)) + np.repeat(first - (np.cumsum(count) - count), count)


def _near(candidates: FlatDetections, truths: Truths) -> tuple[Ints, Ints, Ints]:
    """Where the ground truths are that detections may overlap.

    Returns:
        An order (G,) of the ground truths; of every detection the first place in it, and how many from there on (D,).
    """
    order = np.lexsort((truths.segments[:, 0], truths.videos))
    times = np.concatenate([truths.segments, candidates.segments])
    low, high = times.min(initial=0.0), times.max(initial=0.0)
    span = high - low + 1.0  # a clock on which one video follows the other
    start, end = ((truths.segments[order] - low) + span * truths.videos[order, None]).T
    own_start, own_end = ((candidates.segments - low) + span * candidates.videos[:, None]).T
    margin = 4 * np.spacing(span * (truths.videos.max(initial=0) + 1))  # what such a clock rounds off
    first = np.searchsorted(np.maximum.accumulate(end), own_start - margin)
    count = np.searchsorted(start, own_end + margin, side="right") - first
    return order, first, np.maximum(count, 0)


def _overlapping(candidates: FlatDetections, truths: Truths, detection: Ints, truth: Ints, at_least: float) -> Pairs:
    """Of pairs (P,) those of one video that overlap enough."""
    start, end = candidates.segments[detection].T
    true_start, true_end = truths.segments[truth].T
    shared = np.maximum(np.minimum(end, true_end) - np.maximum(start, true_start), 0.0)
    tiou = shared / ((end - start) + (true_end - true_start) - shared)
    same_video = candidates.videos[detection] == truths.videos[truth]
    return Pairs(detection, truth, tiou).where((tiou >= at_least) & same_video)


def rank_within(groups: Ints) -> Ints:
    """How many earlier entries have the same value: [7, 3, 7, 7] -> [0, 0, 1, 2]."""
    lowest, highest = groups.min(initial=0), groups.max(initial=0)
    short = (groups - lowest).astype(np.min_scalar_type(highest - lowest))  # numbers of 16 bits are sorted faster
    order = np.argsort(short, kind="stable")
    places = np.arange(len(groups))
    begins = np.diff(groups[order], prepend=groups[order[:1]]) != 0
    ranks = np.empty(len(groups), dtype=np.int64)
    ranks[order] = places - np.maximum.accumulate(np.where(begins, places, 0))
    return ranks
