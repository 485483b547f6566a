"""How far results depend on what ground truths are like: normalised mAP and misses by length, coverage, instances."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actionformer.core.annotations import Annotations
from actionformer.core.detections import Detections
from actionformer.evaluation.characteristics import Characteristic, characteristics
from actionformer.evaluation.mean_average_precision import assign, average_precision_of_hits
from actionformer.evaluation.pairs import (
    FlatDetections,
    Floats,
    Ints,
    Truths,
    flatten_detections,
    flatten_truths,
    overlapping_pairs,
)


@dataclass(frozen=True)
class GroupFigures:
    """Of the ground truths of one group, means over tIoU."""

    name: str
    actions: int
    normalized_map: float
    missed: float
    """Share that no detection finds."""


@dataclass(frozen=True)
class Sensitivity:
    """Normalised mAP by one characteristic."""

    characteristic: str
    unit: str
    groups: tuple[GroupFigures, ...]
    """Those that ground truths have."""

    @property
    def spread(self) -> float:
        """The best group's normalised mAP less the worst one's: how sensitive results are to the characteristic."""
        figures = [group.normalized_map for group in self.groups]
        return max(figures) - min(figures)


@dataclass(frozen=True, eq=False)
class Found:
    """Which ground truth each detection finds, at several tIoU."""

    detections: FlatDetections
    truths: Truths
    taken: Ints
    """(L, D) indices into the ground truths; -1 of false positives."""

    @property
    def normal(self) -> float:
        """Mean number of ground truths of a class, which normalised mAP takes every class to have."""
        return len(self.truths) / len(np.unique(self.truths.labels))

    def normalized_map(self, chosen: NDArray[np.bool_] | None = None) -> float:
        """Normalised mAP, mean over tIoU, of all ground truths or of chosen ones (G,).

        What finds a ground truth that is not chosen is neither right nor wrong, and takes no part.
        """
        chosen = np.ones(len(self.truths), dtype=bool) if chosen is None else chosen
        labels = self.truths.labels[chosen]
        if not len(labels):
            return float("nan")
        each = []
        for taken in self.taken:
            kept = (taken < 0) | chosen[taken]
            hits = taken[kept] >= 0
            each.append(average_precision_of_hits(hits[None], self.detections.labels[kept], labels, self.normal)[0])
        return float(np.nanmean(each))

    def missed(self, chosen: NDArray[np.bool_]) -> float:
        """Share of chosen ground truths (G,) that nothing finds, mean over tIoU."""
        rows = np.flatnonzero(chosen)
        return float(np.mean([~np.isin(rows, taken) for taken in self.taken]))


def find(annotations: Annotations, detections: Mapping[str, Detections], thresholds: Floats) -> Found:
    """Matches detections and ground truths as average precision does.

    Args:
        annotations: the evaluated videos.
        detections: video -> Detections.
        thresholds: (L,) tIoU.
    """
    truths, _ = flatten_truths(annotations)
    flat = flatten_detections(detections, annotations, truths)
    pairs = overlapping_pairs(flat, truths, float(thresholds.min()))
    same = flat.labels[pairs.detection] == truths.labels[pairs.truth]
    return Found(flat, truths, assign(pairs.where(same), len(flat), len(truths), thresholds))


def sensitivities(annotations: Annotations, found: Found) -> list[Sensitivity]:
    """Normalised mAP and misses by every characteristic."""
    return [_sensitivity(found, one) for one in characteristics(annotations, found.truths)]


def _sensitivity(found: Found, by: Characteristic) -> Sensitivity:
    groups = by.groups
    figures = [
        GroupFigures(by.names[group], int(own.sum()), found.normalized_map(own), found.missed(own))
        for group in np.unique(groups).tolist()
        for own in [groups == group]
    ]
    return Sensitivity(by.name, by.unit, tuple(figures))
