"""What a model's scores are worth, measured on videos that it was not trained on.

A calibrated score is the probability that a detection is right. Every class has a threshold, from which on its
detections are shown to people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from actionformer.core.detections import Detections
from actionformer.core.errors import InputError
from actionformer.core.names import matched

Floats = NDArray[np.float64]

SLOPE = 1e-3
"""Share of the score itself in a calibrated one, so that no two scores become one and the order stays."""


@dataclass(frozen=True)
class ScoreCurve:
    """From scores to probabilities.

    Raises:
        InputError: no such curve: scores must ascend from 0 on, probabilities must not fall, and lie from 0 to 1.
    """

    scores: tuple[float, ...]
    """Scores of the network, ascending; those of some detectors go beyond 1."""
    probabilities: tuple[float, ...]
    """What each of them is worth; between two of them it is interpolated."""

    def __post_init__(self) -> None:
        scores, probabilities = np.array(self.scores), np.array(self.probabilities)
        if not self.scores or len(self.scores) != len(self.probabilities):
            raise InputError("a curve has as many probabilities as scores, at least one")
        if not (np.isfinite(scores) & (scores >= 0) & (probabilities >= 0) & (probabilities <= 1)).all():
            raise InputError("a curve has scores from 0 on, and probabilities from 0 to 1")
        if (np.diff(self.scores) <= 0).any() or (np.diff(self.probabilities) < 0).any():
            raise InputError("scores of a curve ascend, and its probabilities do not fall")

    @property
    def highest(self) -> float:
        """1, or the highest score of the curve if that is above."""
        return max(1.0, *self.scores)

    def probability(self, scores: ArrayLike) -> Floats:
        """Calibrated scores; higher scores have higher ones."""
        given = np.asarray(scores, dtype=np.float64)
        known = np.interp(given, self.scores, self.probabilities)
        return np.asarray((1 - SLOPE) * known + SLOPE * np.clip(given / self.highest, 0.0, 1.0))

    def score(self, probability: float) -> float:
        """The network's score that has a probability; the nearest where none has it."""
        knots = np.unique([0.0, *self.scores, self.highest])
        return float(np.interp(probability, self.probability(knots), knots))


@dataclass(frozen=True)
class Threshold:
    """The least calibrated score that is shown, and how good what is shown was in videos that did not choose it."""

    threshold: float
    actions: int
    """Ground truths."""
    shown: int
    """Detections that reach it."""
    right: int
    """Those of them that find a ground truth."""
    own: bool = True
    """Whether the class has enough ground truths for a threshold of its own; else it is that of all classes."""

    @property
    def precision(self) -> float:
        """Share of the shown detections that are right."""
        return self.right / max(self.shown, 1)

    @property
    def recall(self) -> float:
        """Share of the ground truths that are found."""
        return self.right / max(self.actions, 1)

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        return 2 * self.right / max(self.shown + self.actions, 1)


@dataclass(frozen=True)
class Reliability:
    """How far scores are probabilities: detections in bins of equal width, those without any left out."""

    scores: tuple[float, ...]
    """Mean score of each bin."""
    right: tuple[float, ...]
    """Share of its detections that are right."""
    counts: tuple[int, ...]
    """Its detections."""

    @property
    def error(self) -> float:
        """Expected calibration error: the mean distance of score and share; every detection weighs the same."""
        distances = np.abs(np.subtract(self.scores, self.right))
        return float(np.dot(distances, self.counts) / max(sum(self.counts), 1))


@dataclass(frozen=True)
class Calibration:
    """A curve, thresholds per class, and what they were measured on.

    Raises:
        InputError: a threshold or tIoU that does not lie from 0 to 1.
    """

    tiou: float
    """Overlap from which on a detection counts as right."""
    subset: tuple[str, ...]
    """The subsets that it was measured on."""
    videos: int
    actions: int
    curve: ScoreCurve
    overall: Threshold
    """The threshold of all classes together; its counts are those of all classes, each with its own threshold."""
    classes: Mapping[str, Threshold]
    """Class name -> its threshold, of the classes that occur."""
    before: Reliability
    """Of the network's scores."""
    after: Reliability
    """Of calibrated scores, each calibrated on other videos."""
    groups: int = 0
    """Groups, such as people, that the videos are of: of each its figures are told with what others say. 0 where none
    are known, and 1 where others say nothing: then this holds for videos."""

    def __post_init__(self) -> None:
        thresholds = {"tiou": self.tiou, "overall": self.overall.threshold}
        for name, value in (thresholds | {name: one.threshold for name, one in self.classes.items()}).items():
            if not 0 <= value <= 1:
                raise InputError(f"{name}: expected a number from 0 to 1, found {value:g}")

    def calibrated(self, found: Detections) -> Detections:
        """The same detections in the same order, with calibrated scores."""
        return replace(found, scores=self.curve.probability(found.scores))

    def thresholds(self, class_names: Sequence[str]) -> Floats:
        """(K,) the least calibrated score of each class; of classes that were not measured, that of all together."""
        own = matched(class_names, self.classes)
        return np.array(
            [self.classes[own[name]].threshold if name in own else self.overall.threshold for name in class_names]
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as `model.json` has them."""
        return asdict(self)
