"""Whether features are overlapping windows of raw samples from 3-D sensors, which the features themselves can prove."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from actionformer.core.segments import TimeGrid
from actionformer.data.collection import FeaturedVideo

LOOKED_AT = 5
"""Videos that are read."""
ROWS = 2000
"""Of each, at most."""
STEADY, TURNING = 0.3, 0.5
"""An accelerometer's vector has gravity in it: the deviation of its length is below the first share of its mean, and
below the second of what its axes vary together, because it is seen from more than one side."""


def proven_axes(videos: Sequence[FeaturedVideo]) -> int | None:
    """How many axes of 3-D sensors the features are windows of, None where they do not prove it.

    Windows that overlap repeat samples: stored axis after axis, sample `k + stride` of an axis in feature t is sample
    k in feature t + 1. Three axes are a sensor in space if the length of their vector keeps near one value, gravity,
    while the axes do not.
    """
    chosen = [one for one in videos if one.features.shape[0] > 1][:LOOKED_AT]
    counts = {_axes(one.grid, one.features.shape[1]) for one in chosen}
    axes = counts.pop() if len(counts) == 1 else None
    if axes is None or any(not one.features.paths for one in chosen):
        return None
    rows = [np.asarray(one.features[0:ROWS]).reshape(-1, axes, int(one.grid.num_frames)) for one in chosen]
    repeats = all(_repeats(one, int(video.grid.stride)) for one, video in zip(rows, chosen, strict=True))
    return (
        axes if repeats and any(_has_gravity(np.concatenate(rows)[:, i : i + 3]) for i in range(0, axes, 3)) else None
    )


def _axes(grid: TimeGrid, width: int) -> int | None:
    """Axes of which a feature would hold windows of `num_frames` samples, if windows overlap."""
    samples, stride = grid.num_frames, grid.stride
    whole = samples == int(samples) and stride == int(stride)
    if not whole or not stride < samples or width % (3 * samples):
        return None
    return int(width // samples)


def _repeats(rows: NDArray[np.float32], stride: int) -> bool:
    """Whether windows (T, axes, samples) repeat one another's samples, and are not all alike."""
    repeated = np.array_equal(rows[:-1, :, stride:], rows[1:, :, :-stride])
    return repeated and bool((rows[0] != rows[-1]).any())


def _has_gravity(rows: NDArray[np.float32]) -> bool:
    """Whether three axes (T, 3, samples) are those of an accelerometer."""
    vectors = np.moveaxis(rows.astype(np.float64), 1, -1).reshape(-1, 3)
    lengths = np.linalg.norm(vectors, axis=1)
    turned = np.sqrt(vectors.var(axis=0).sum())
    return bool(lengths.std() < min(STEADY * lengths.mean(), TURNING * turned))
