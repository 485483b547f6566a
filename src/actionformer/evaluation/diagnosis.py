"""Why detections are wrong: every detection gets one kind, every ground truth is found or missed.

The questions are those of "Diagnosing Error in Temporal Action Detectors" (Alwassel et al., ECCV 2018) and of "TIDE"
(Bolya et al., ECCV 2020): how much is lost to which kind of error, and does it depend on class and length?
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actionformer.core.annotations import Annotations
from actionformer.core.detections import Detections
from actionformer.core.names import matched
from actionformer.evaluation.mean_average_precision import assign, average_precision, average_precision_of_hits
from actionformer.evaluation.pairs import (
    FlatDetections,
    Floats,
    Ints,
    Pairs,
    Truths,
    flatten_detections,
    flatten_truths,
    overlapping_pairs,
    rank_within,
)

KINDS = ("true positive", "duplicate", "wrong label", "localization", "confusion", "background")
"""What a detection can be, in the words of DETAD and TIDE; see `diagnose`."""

BLOCK = 1 << 16
"""Detections that are looked at together where videos are evaluated one by one: the processor's cache holds them."""

LEAST_TIOU = 0.1
"""Overlap below which a detection has nothing to do with a ground truth (as in both papers)."""


@dataclass(frozen=True, eq=False)
class VideoDiagnosis:
    """The detections of one video, best first, and its ground truths."""

    kinds: Ints
    """(D,) indices into `KINDS`."""
    matches: Ints
    """(D,) the ground truth that the kind speaks of; -1 for background."""
    tious: Floats
    """(D,) tIoU with it; of background, the largest with any ground truth, 0 if none reaches `LEAST_TIOU`."""
    segments: Floats
    """(G, 2) the ground truths that count, seconds."""
    labels: Ints
    """(G,) class ids of the annotations."""
    found: NDArray[np.bool_]
    """(G,)"""


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """All detections and ground truths, at one tIoU."""

    tiou: float
    class_names: tuple[str, ...]
    """Of the annotations."""
    candidates: FlatDetections
    truths: Truths
    kinds: Ints
    """(D,)"""
    matches: Ints
    """(D,) indices into all ground truths, or -1."""
    tious: Floats
    """(D,)"""
    found: NDArray[np.bool_]
    """(G,)"""
    numbers: Mapping[str, int]
    """Evaluated video -> its number in `candidates` and `truths`."""

    def of(self, video: str) -> VideoDiagnosis:
        """What concerns one of the evaluated videos."""
        rows = self.candidates.videos == self.numbers[video]
        first, end = np.searchsorted(self.truths.videos, [self.numbers[video], self.numbers[video] + 1])
        matches = self.matches[rows]
        return VideoDiagnosis(
            kinds=self.kinds[rows],
            matches=np.where(matches < 0, -1, matches - first),
            tious=self.tious[rows],
            segments=self.truths.segments[first:end],
            labels=self.truths.labels[first:end],
            found=self.found[first:end],
        )

    @property
    def counts(self) -> dict[str, int]:
        """Detections of each kind, and ground truths found and missed."""
        return self._counts(np.ones(len(self.kinds), dtype=bool), np.ones(len(self.found), dtype=bool))

    def by_class(self) -> dict[str, dict[str, int]]:
        """`counts` of every class that a ground truth has."""
        return {
            self.class_names[label]: self._counts(self.candidates.labels == label, self.truths.labels == label)
            for label in np.unique(self.truths.labels).tolist()
        }

    def by_length(self) -> list[dict[str, Any]]:
        """`counts` by length, detections by their own: every row has a `range` of seconds, each twice the one before.

        Rows reach from the shortest to the longest ground truth; what is shorter or longer counts in the outer ones.
        """
        if not len(self.truths):
            return []
        octave = np.floor(np.log2(_lengths(self.truths.segments))).astype(int)
        first, last = int(octave.min()), int(octave.max())
        own = (
            np.floor(np.log2(np.maximum(_lengths(self.candidates.segments), 2.0**first))).astype(int).clip(first, last)
        )
        return [
            {"range": [2.0**step, 2.0 ** (step + 1)], **self._counts(own == step, octave == step)}
            for step in range(first, last + 1)
        ]

    def by_rank(self, most: int = 10) -> list[dict[str, float]]:
        """Shares of kinds among the best G, 2 G, ... detections of each class, G its number of ground truths.

        DETAD's profile of false positives, of all classes together; the last row has `most` times G.
        """
        known = self.candidates.labels >= 0
        labels, kinds = self.candidates.labels[known], self.kinds[known]
        rank = rank_within(labels) // np.maximum(np.bincount(self.truths.labels), 1)[labels]
        counts = np.bincount(np.minimum(rank, most) * len(KINDS) + kinds, minlength=(most + 1) * len(KINDS))
        upto = counts.reshape(most + 1, -1).cumsum(axis=0)[:most]
        shares = upto / np.maximum(upto.sum(axis=1, keepdims=True), 1)
        return [dict(zip(KINDS, row, strict=True)) for row in shares.tolist()]

    def gains(self) -> dict[str, float]:
        """Kind of error -> by how much mAP at this tIoU would rise if there were none of it.

        Detections of that kind are taken away, as Alwassel et al. do; what is `missed` is not asked for, and
        a class of which all is missed leaves the mean.
        Each gain is what curing that kind alone would bring: together they are not what is lacking.
        """
        if not len(self.truths):
            return {}
        reached = self._mean_average_precision()
        gains = {
            kind: self._mean_average_precision(without=number) - reached for number, kind in enumerate(KINDS) if number
        }
        return {**gains, "missed": self._mean_average_precision(self.truths.labels[self.found]) - reached}

    def _mean_average_precision(self, truths: Ints | None = None, without: int = -1) -> float:
        """mAP, of all ground truths or of those with the labels `truths`, without the detections of one kind."""
        labels = self.truths.labels if truths is None else truths
        if not len(labels):
            return 0.0
        kept = self.kinds != without
        hits = self.kinds[kept] == KINDS.index("true positive")
        return float(np.nanmean(average_precision_of_hits(hits[None], self.candidates.labels[kept], labels)))

    def _counts(self, detections: NDArray[np.bool_], truths: NDArray[np.bool_]) -> dict[str, int]:
        kinds = np.bincount(self.kinds[detections], minlength=len(KINDS)).tolist()
        found = int(self.found[truths].sum())
        return {**dict(zip(KINDS, kinds, strict=True)), "found": found, "missed": int(truths.sum()) - found}


def _lengths(segments: Floats) -> Floats:
    lengths: Floats = segments[:, 1] - segments[:, 0]
    return lengths


def diagnose(annotations: Annotations, detections: Mapping[str, Detections], tiou: float) -> Diagnosis:
    """What every detection is, at one tIoU; the first of these that holds:

    - `true positive`: it finds a ground truth, as average precision counts it (best first, each takes the free one of
      its class that it overlaps most, if the tIoU is at least `tiou`);
    - `duplicate`: it overlaps a ground truth of its class as much, but a better detection has taken that;
    - `wrong label`: it overlaps a ground truth of another class as much;
    - `localization`: it overlaps a ground truth of its class by at least `LEAST_TIOU`, but less than `tiou`;
    - `confusion`: it overlaps a ground truth of another class by at least `LEAST_TIOU`, but less than `tiou`;
    - `background`: all others, among them those in videos without annotations.

    A ground truth is found if a detection is a true positive for it, else missed. Ground truths that do not count
    (repeats, shorter than 1 ms) take no part.

    Args:
        annotations: the videos that are evaluated.
        detections: video -> Detections; classes are compared by name.
        tiou: threshold in (0, 1].
    """
    truths, _ = flatten_truths(annotations)
    candidates = flatten_detections(detections, annotations, truths)
    pairs = overlapping_pairs(candidates, truths, at_least=min(tiou, LEAST_TIOU))
    same = candidates.labels[pairs.detection] == truths.labels[pairs.truth]
    enough = pairs.tiou >= tiou
    taken = assign(pairs.where(same), len(candidates), len(truths), np.array([tiou]))[0]
    masks = {
        "confusion": ~same & ~enough,
        "localization": same & ~enough,
        "wrong label": ~same & enough,
        "duplicate": same & enough,
        "true positive": pairs.truth == taken[pairs.detection],
    }
    kinds = np.full(len(candidates), KINDS.index("background"))
    matches = np.full(len(candidates), -1)
    tious = np.append(pairs.tiou, 0.0)[_first(pairs, np.ones(len(same), dtype=bool), len(candidates))]
    for kind, mask in masks.items():  # what comes later has precedence
        row = _first(pairs, mask, len(candidates))
        hit = row >= 0
        kinds[hit], matches[hit], tious[hit] = KINDS.index(kind), pairs.truth[row[hit]], pairs.tiou[row[hit]]
    return Diagnosis(
        tiou=tiou,
        class_names=annotations.class_names,
        candidates=candidates,
        truths=truths,
        kinds=kinds,
        matches=matches,
        tious=tious,
        found=np.isin(np.arange(len(truths)), taken),
        numbers={video: number for number, video in enumerate(annotations.videos)},
    )


def _first(pairs: Pairs, mask: NDArray[np.bool_], num_detections: int) -> Ints:
    """The row (D,) of the pair under a mask that a detection overlaps most; -1 where there is none."""
    rows = np.flatnonzero(mask)
    first = np.full(num_detections, -1)
    detection, place = np.unique(pairs.detection[rows], return_index=True)
    first[detection] = rows[place]
    return first


def average_precision_by_video(
    annotations: Annotations, detections: Mapping[str, Detections], thresholds: Floats
) -> dict[str, Floats]:
    """How well each video alone is done: (L,) mean over its classes of average precision; no entry without actions.

    Every class of every video is taken for a class of its own, so that one evaluation gives a block of them.
    """
    own = matched(detections, annotations.videos)
    found = {own[video]: one for video, one in detections.items() if video in own}
    numbers = np.cumsum([len(found.get(video, ())) for video in annotations.videos]) // BLOCK
    precision: dict[str, Floats] = {}
    for _, block in groupby(zip(numbers.tolist(), annotations.videos.items(), strict=True), itemgetter(0)):
        videos = dict(video for _, video in block)
        of_block = {video: found[video] for video in videos if video in found}
        precision |= _by_video(replace(annotations, videos=videos), of_block, thresholds)
    return precision


def _by_video(annotations: Annotations, detections: Mapping[str, Detections], thresholds: Floats) -> dict[str, Floats]:
    truths, _ = flatten_truths(annotations)
    candidates = flatten_detections(detections, annotations, truths)
    count = len(annotations.class_names)
    occurring, labels = np.unique(truths.videos * count + truths.labels, return_inverse=True)
    numbers = np.full(len(annotations) * count, -1)  # of a class in a video, among those that occur
    numbers[occurring] = np.arange(len(occurring))
    own = np.where(candidates.labels < 0, -1, numbers[candidates.videos * count + candidates.labels])
    kept = own >= 0
    apart = FlatDetections(candidates.segments[kept], own[kept], candidates.videos[kept], candidates.scores[kept])
    truths = replace(truths, labels=labels)
    pairs = overlapping_pairs(apart, truths, at_least=float(min(thresholds)))
    precision = average_precision(apart, truths, pairs, thresholds)
    videos, first, classes = np.unique(occurring // count, return_index=True, return_counts=True)
    means = np.add.reduceat(precision, first, axis=1) / classes if len(videos) else precision
    names = list(annotations.videos)
    return {names[video]: mean for video, mean in zip(videos.tolist(), means.T, strict=True)}
