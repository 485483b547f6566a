"""What the rules look at: the training videos in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actionformer.advice.sensors import proven_axes
from actionformer.core.errors import InputError
from actionformer.data.collection import FeaturedVideo
from actionformer.data.dataset import TrainingVideo, place_on_grid
from actionformer.data.settings import DataSettings
from actionformer.data.windows import training_windows

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Facts:
    """What V training videos with N actions are like."""

    steps: Floats
    """(N,) lengths of the actions, in features (level-0 grid steps)."""
    lengths: NDArray[np.int64]
    """(V,) features of each video."""
    labels: tuple[NDArray[np.int64], ...]
    """The classes of the actions of each video."""
    sensor_axes: int | None = None
    """Axes of 3-D sensors whose raw samples the features are, where the features prove it."""
    videos: tuple[TrainingVideo, ...] = ()
    """The videos on their grids, which windows are cut of."""

    @classmethod
    def of(cls, videos: Sequence[FeaturedVideo], data: DataSettings) -> Facts:
        """Those of a training subset; of a few videos the features are read.

        Args:
            videos: with their features.
            data: what is known of the settings: resizing.

        Raises:
            InputError: the videos have no action that lasts.
        """
        placed = place_on_grid(videos, data.resize)
        steps = np.concatenate([np.diff(one.segments.astype(np.float64))[:, 0] for one in placed] or [np.empty(0)])
        if not (steps > 0).any():
            raise InputError("no action in the training subset to derive settings from")
        lengths = np.array([data.resize or one.features.shape[0] for one in placed])
        labels = tuple(one.labels for one in placed)
        return cls(steps[steps > 0], lengths, labels, proven_axes(videos), tuple(placed))

    @property
    def coverage(self) -> float:
        """The share of its video that a single class covers, at most: what nine videos in ten stay below."""
        shares = [0.0]
        for video, length in zip(self.videos, self.lengths.tolist(), strict=False):
            covered = np.bincount(video.labels, weights=np.diff(video.segments)[:, 0]) if len(video.labels) else [0.0]
            shares.append(min(float(max(covered)) / length, 1.0))
        return float(np.quantile(shares[1:] or shares, 0.9))

    def sequences(self, data: DataSettings) -> tuple[NDArray[np.int64], ...]:
        """The classes of the actions of each sequence that training sees: a video, or a window that has actions."""
        if data.window is None:
            return self.labels
        return tuple(one.labels for one in training_windows(self.videos, data))
