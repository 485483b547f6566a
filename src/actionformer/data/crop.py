"""The random crop of training: which part of a sequence is read, and which actions stay."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TRIALS = 200


@dataclass(frozen=True)
class Crop:
    """Features [start, stop) of a sequence and the actions that stay, (N, 2) in grid steps from `start` on."""

    start: int
    stop: int
    segments: NDArray[np.float32]
    labels: NDArray[np.int64]

    def of(self, segments: NDArray[np.float32], min_overlap: float, margin: float) -> NDArray[np.float32]:
        """Others (N, 2) of the sequence, where it is cut: those that stay, by the rule for actions, cut and moved."""
        kept, clipped = inside(segments, self.start - margin, self.stop + margin, min_overlap)
        return (clipped[kept] - self.start).astype(np.float32)


def random_crop(
    length: int,
    segments: NDArray[np.float32],
    labels: NDArray[np.int64],
    *,
    max_length: int,
    crop_ratio: tuple[float, float],
    min_overlap: float,
    margin: float,
    rng: np.random.Generator,
) -> Crop:
    """Draws a window of the sequence, again up to 200 times until an action lies in it.

    A sequence over `max_length` is cut to exactly that; a shorter one to a random share of its length within
    `crop_ratio`, and if that is all of it, nothing changes. An action stays if at least `min_overlap` of its length
    lies in the window widened by `margin` grid steps on either side, and is clipped to that.

    Args:
        length: features of the sequence.
        segments: (N, 2) grid steps. labels: (N,).
    """
    window = _window_length(length, max_length, crop_ratio, rng)
    if window == length:
        return Crop(0, length, segments, labels)
    for _ in range(TRIALS):
        start = int(rng.integers(0, length - window + 1))
        kept, clipped = inside(segments, start - margin, start + window + margin, min_overlap)
        if kept.any() or len(segments) == 0:
            break
    return Crop(start, start + window, (clipped[kept] - start).astype(np.float32), labels[kept])


def _window_length(length: int, max_length: int, ratio: tuple[float, float], rng: np.random.Generator) -> int:
    if length > max_length:
        return max_length
    shortest = max(round(ratio[0] * length), 1)
    longest = min(round(ratio[1] * length), length)
    return int(rng.integers(shortest, max(shortest, longest) + 1))


def inside(
    segments: NDArray[np.float32], left: float, right: float, min_overlap: float
) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
    """Which segments (N, 2) lie in [left, right] by at least `min_overlap` of their length, and all, clipped to it."""
    clipped = segments.clip(left, right)
    overlap = clipped[:, 1] - clipped[:, 0]
    length = segments[:, 1] - segments[:, 0]
    return (overlap >= min_overlap * length) & (overlap > 0), clipped
