"""Calibration of a model's scores on videos that it was not trained on, and how far it is to be trusted.

What is told of it is cross-fitted: of each fifth of the videos with what the other four say. Videos of one group, such
as a person, are in one fifth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actionformer.core.annotations import Annotations
from actionformer.core.calibration import Calibration, Reliability, ScoreCurve, Threshold
from actionformer.core.detections import Detections
from actionformer.core.errors import InputError
from actionformer.core.words import plural
from actionformer.data.groups import Groups, groups_of
from actionformer.evaluation.isotonic import isotonic
from actionformer.evaluation.mean_average_precision import match
from actionformer.evaluation.pairs import Floats, Ints, flatten_detections, flatten_truths, overlapping_pairs
from actionformer.evaluation.report import parse_tiou
from actionformer.evaluation.thresholds import LEAST_ACTIONS, class_thresholds

BINS = 15
"""Of a reliability curve, as in Guo et al., On Calibration of Modern Neural Networks (2017)."""
FOLDS = 5
OPERATING_TIOU = 0.5
"""Overlap from which on a detection counts as right unless it is said otherwise."""


@dataclass(frozen=True, eq=False)
class Outcomes:
    """Detections of evaluated videos, each right or wrong, and the ground truths."""

    scores: Floats
    """(D,)"""
    hits: NDArray[np.bool_]
    """(D,)"""
    labels: Ints
    """(D,) class ids of the annotations; -1 of a class that no ground truth has."""
    folds: Ints
    """(D,) the part of the videos that each lies in; videos of one group are in one part."""
    truths: Ints
    """(G,) class ids."""
    truth_folds: Ints
    """(G,)"""

    def of(self, folds: NDArray[np.bool_]) -> Outcomes:
        """Those of some parts, given as a mask."""
        kept, truths = folds[self.folds], folds[self.truth_folds]
        return Outcomes(
            self.scores[kept],
            self.hits[kept],
            self.labels[kept],
            self.folds[kept],
            self.truths[truths],
            self.truth_folds[truths],
        )


def outcomes(
    annotations: Annotations, detections: Mapping[str, Detections], tiou: float, groups: Groups | None = None
) -> Outcomes:
    """Which detections are right: those that average precision counts as true positives at this tIoU."""
    truths, _ = flatten_truths(annotations)
    found = flatten_detections(detections, annotations, truths)
    pairs = overlapping_pairs(found, truths, tiou)
    same = found.labels[pairs.detection] == truths.labels[pairs.truth]
    hits = match(pairs.where(same), len(found), len(truths), np.array([tiou]))[0]
    inside = found.videos >= 0
    folds = (groups or groups_of(annotations)).numbers(annotations.videos) % FOLDS
    return Outcomes(
        scores=found.scores[inside],
        hits=hits[inside],
        labels=found.labels[inside],
        folds=folds[found.videos[inside]],
        truths=truths.labels,
        truth_folds=folds[truths.videos],
    )


def why_not(annotations: Annotations) -> str | None:
    """Why annotated videos are too few to measure on; None if they are not."""
    truths, _ = flatten_truths(annotations)
    if len(annotations) < 2 or len(truths) < LEAST_ACTIONS:
        counts = f"{plural(len(truths), 'action')} in {plural(len(annotations), 'video')}"
        return f"{counts}: too few to calibrate on, it takes {LEAST_ACTIONS} actions in 2 videos"
    return None


def calibrate(
    annotations: Annotations,
    detections: Mapping[str, Detections],
    *,
    tiou: float = OPERATING_TIOU,
    subset: Sequence[str] = (),
    groups: Groups | None = None,
) -> Calibration:
    """Measures what scores are worth, and from which on detections are worth showing.

    Args:
        annotations: of videos that the model was not trained on.
        detections: video -> all that the model finds in it, with its own scores.
        tiou: overlap from which on a detection counts as right.
        subset: what the videos are called.
        groups: which videos are alike, such as those of a person, told by all videos that there are; by default what
            the annotations tell.

    Raises:
        InputError: too few actions or videos, or nothing that is right.
    """
    (tiou,) = parse_tiou([tiou])
    if reason := why_not(annotations):
        raise InputError(f"{annotations.source}: {reason}")
    groups = groups or groups_of(annotations)
    every = outcomes(annotations, detections, tiou, groups)
    if not every.hits.any():
        raise InputError(f"{annotations.source}: no detection is right at a tIoU of {tiou:g}: nothing to calibrate on")
    num_classes = len(annotations.class_names)
    fit = _Fit(every, num_classes)
    probabilities, shown = _cross_fitted(every, num_classes)
    return Calibration(
        tiou=tiou,
        subset=tuple(subset),
        videos=len(annotations),
        actions=len(every.truths),
        curve=fit.curve,
        overall=_threshold(fit.thresholds[-1], every, shown),
        classes={
            annotations.class_names[label]: _threshold(fit.thresholds[label], every, shown, label)
            for label in np.unique(every.truths).tolist()
        },
        before=reliability(every.scores, every.hits),
        after=reliability(probabilities, every.hits),
        groups=groups.among(annotations.videos),
    )


class _Fit:
    """The curve and the thresholds of some outcomes."""

    def __init__(self, on: Outcomes, num_classes: int) -> None:
        scores, shares = isotonic(on.scores, on.hits)
        if (highest := on.scores.max()) > max(scores[-1], 1.0):  # the order of what is above 1 stays too
            scores, shares = np.append(scores, highest), np.append(shares, shares[-1])
        self.curve = ScoreCurve(tuple(scores.tolist()), tuple(shares.tolist()))
        own = class_thresholds(on.scores, on.hits, on.labels, on.truths, num_classes)
        self.thresholds = self.curve.probability(own)
        """(K + 1,) per class, then of all classes together, which label -1 finds."""


def _cross_fitted(every: Outcomes, num_classes: int) -> tuple[Floats, NDArray[np.bool_]]:
    """(D,) probabilities and which detections are shown, each by a fit to the other parts."""
    probabilities, shown = np.zeros(len(every.scores)), np.zeros(len(every.scores), dtype=bool)
    parts = np.arange(max(every.folds.max(), every.truth_folds.max()) + 1)
    for part in parts:
        own, others = every.folds == part, every.of(parts != part)
        if not len(others.scores):
            continue
        fit = _Fit(others, num_classes)
        probabilities[own] = fit.curve.probability(every.scores[own])
        shown[own] = probabilities[own] >= fit.thresholds[every.labels[own]]
    return probabilities, shown


def _threshold(threshold: float, every: Outcomes, shown: NDArray[np.bool_], label: int | None = None) -> Threshold:
    of_class = shown if label is None else shown & (every.labels == label)
    actions = len(every.truths) if label is None else int((every.truths == label).sum())
    right = int((of_class & every.hits).sum())
    return Threshold(float(threshold), actions, int(of_class.sum()), right, label is None or actions >= LEAST_ACTIONS)


def reliability(scores: Floats, hits: NDArray[np.bool_]) -> Reliability:
    """Detections in `BINS` bins of score, with the share of each that is right."""
    place = np.minimum((scores * BINS).astype(int), BINS - 1)
    counts = np.bincount(place, minlength=BINS)
    known = counts > 0
    means, shares = (np.bincount(place, values, BINS)[known] / counts[known] for values in (scores, hits))
    return Reliability(tuple(means.tolist()), tuple(shares.tolist()), tuple(counts[known].tolist()))
