"""The baseline to beat: a classifier that sees one frame at a time, smoothed, cut at a threshold.

One logistic regression a class on the features of a frame; segments are the runs of frames above the threshold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from actionformer.core.detections import Detections
from actionformer.core.segments import TimeGrid
from actionformer.data.dataset import TrainingVideo

Floats = NDArray[np.float64]
Score = Callable[[Mapping[str, Detections]], float]

SMOOTHINGS = (1, 5, 9, 17, 33)  # frames that a mean is taken over
THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
NEWTON_STEPS = 8
RIDGE = 1.0  # penalty on squared weights of standardised features


def frame_targets(length: int, segments: NDArray[np.floating], labels: NDArray[np.int64], classes: int) -> Floats:
    """(length, classes), 1 where the moment of a frame lies in an action of the class; segments in grid steps."""
    targets = np.zeros((length, classes))
    for (start, end), label in zip(segments, labels, strict=True):
        targets[max(0, int(np.ceil(start))) : max(0, int(np.floor(end)) + 1), label] = 1
    return targets


@dataclass(frozen=True, eq=False)
class FrameClassifier:
    """Logistic regression of every class, all classes apart."""

    mean: Floats
    """(D,)"""
    deviation: Floats
    """(D,)"""
    weights: Floats
    """(D + 1, K), the last row is the bias."""

    def __call__(self, features: NDArray[np.floating]) -> Floats:
        """Features (T, D) -> probabilities (T, K)."""
        return _sigmoid(_with_ones((features - self.mean) / self.deviation) @ self.weights)


def fit_classifier(features: NDArray[np.floating], targets: Floats) -> FrameClassifier:
    """The classifier that fits features (T, D) to targets (T, K), by Newton's method with a ridge penalty."""
    mean, deviation = features.mean(axis=0), features.std(axis=0) + 1e-6
    inputs = _with_ones((features - mean) / deviation)
    weights = np.zeros((inputs.shape[1], targets.shape[1]))
    penalty = RIDGE * np.eye(len(weights))
    for _ in range(NEWTON_STEPS):
        probability = _sigmoid(inputs @ weights)
        gradient = inputs.T @ (probability - targets) + penalty @ weights
        for k, spread in enumerate((probability * (1 - probability)).T):
            hessian = (inputs * spread[:, None]).T @ inputs + penalty
            weights[:, k] -= np.linalg.solve(hessian, gradient[:, k])
    return FrameClassifier(mean, deviation, weights)


def runs(
    probability: Floats, grid: TimeGrid, class_names: Sequence[str], smoothing: int, threshold: float
) -> Detections:
    """Segments where the smoothed probability (T, K) stays above the threshold, scored by its mean."""
    smooth = _smooth(probability, smoothing)
    rows = []
    for label, curve in enumerate(smooth.T):
        above = np.concatenate(([False], curve > threshold, [False]))
        starts, stops = np.flatnonzero(np.diff(above)).reshape(-1, 2).T
        rows += [(a - 0.5, b - 0.5, curve[a:b].mean(), label) for a, b in zip(starts, stops, strict=True)]
    table = np.array(rows).reshape(-1, 4)
    seconds = grid.to_seconds(table[:, :2]).clip(grid.start, grid.seconds_covered(len(probability)))
    return Detections(seconds, table[:, 2], table[:, 3].astype(np.int64), tuple(class_names))


def frame_wise_baseline(
    train: Sequence[TrainingVideo], test: Sequence[TrainingVideo], class_names: Sequence[str], score: Score
) -> dict[str, Detections]:
    """What frame-wise classification finds in the test videos.

    Args:
        train: videos that the classifier is fitted to, and smoothing and threshold are chosen on.
        test: videos to look through; their annotations are not used.
        class_names: the K classes.
        score: how good detections of the training videos are; the best pair of smoothing and threshold is taken.

    Returns:
        video -> Detections, for every test video.
    """
    targets = [frame_targets(len(v.features[:]), v.segments, v.labels, len(class_names)) for v in train]
    classifier = fit_classifier(np.concatenate([v.features[:] for v in train]), np.concatenate(targets))

    def detect(
        curves: Sequence[Floats], videos: Sequence[TrainingVideo], how: tuple[int, float]
    ) -> dict[str, Detections]:
        return {v.id: runs(curve, v.grid, class_names, *how) for curve, v in zip(curves, videos, strict=True)}

    curves = [classifier(v.features[:]) for v in train]
    best = max(product(SMOOTHINGS, THRESHOLDS), key=lambda how: score(detect(curves, train, how)))
    return detect([classifier(v.features[:]) for v in test], test, best)


def _smooth(probability: Floats, width: int) -> Floats:
    """The mean over `width` frames, an odd number, around each; fewer at the ends."""
    sums = np.concatenate((np.zeros((1, probability.shape[1])), probability.cumsum(axis=0)))
    centre = np.arange(len(probability))
    first, last = np.maximum(centre - width // 2, 0), np.minimum(centre + width // 2 + 1, len(probability))
    mean: Floats = (sums[last] - sums[first]) / (last - first)[:, None]
    return mean


def _with_ones(features: Floats) -> Floats:
    return np.concatenate((features, np.ones((len(features), 1))), axis=1)


def _sigmoid(values: Floats) -> Floats:
    return 0.5 * (1 + np.tanh(0.5 * values))
