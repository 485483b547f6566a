"""What features are like: all that one pass over them tells."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from actionformer.features import FeatureReader

Floats = NDArray[np.float64]

ENOUGH = 10
"""Rows of a video after which it is no chance that a channel has risen with each of them."""


class FeatureStatistics:
    """Sums over all rows of videos of D channels, each of which is read once.

    Args:
        videos: ids and features (T, D).

    Raises:
        InputError: features that cannot be read, or are no finite numbers.
    """

    def __init__(self, videos: Iterable[tuple[str, FeatureReader]]) -> None:
        self.videos: list[tuple[str, FeatureReader]] = []
        self.count = 0
        """Rows of all."""
        self.constant: list[str] = []
        """Videos of which all rows are alike."""
        self.copies: list[tuple[str, str]] = []
        """Videos whose features are those of an earlier one, and that one."""
        self.lengths: list[int] = []
        """Rows of each video."""
        self._rising: NDArray[np.bool_] | None = None
        self._sums: dict[bytes, tuple[str, FeatureReader]] = {}
        self._each: list[NDArray[np.float32]] = []
        for id_, features in videos:
            self.add(id_, features)

    def add(self, id_: str, features: FeatureReader) -> None:
        """Takes in a video.

        Raises:
            InputError: its features cannot be read, or are no finite numbers; then nothing of it counts.
        """
        given = rows = np.asarray(features[:], dtype=np.float64)
        if not self.videos:
            self.offset = rows[0].copy()  # keeps squares small
            self.total, self.squares = np.zeros((2, rows.shape[1]))
            self._extremes = np.tile(rows[0] - self.offset, (2, 1))  # of each channel, from the offset
            self._extreme_in = np.zeros((2, rows.shape[1]), dtype=np.int64)
        if len(rows) >= ENOUGH:
            rising = rising_channels(rows)
            self._rising = rising if self._rising is None else self._rising & rising
        rows = rows - self.offset
        sums, lowest, highest = rows.sum(0), rows.min(0), rows.max(0)
        squares = np.square(rows).sum(0)
        self.count += len(rows)
        self.lengths.append(len(rows))
        self.total += sums
        self.squares += squares
        variance = np.maximum(squares / len(rows) - np.square(sums / len(rows)), 0)
        self._each.append(np.stack((sums / len(rows) + self.offset, np.sqrt(variance))).astype(np.float32))
        farther = np.stack((lowest < self._extremes[0], highest > self._extremes[1]))
        self._extremes = np.where(farther, (lowest, highest), self._extremes)
        self._extreme_in[farther] = len(self.videos)
        self.videos.append((id_, features))
        if len(rows) > 1 and (lowest == highest).all():
            self.constant.append(id_)
            return
        first, others = self._sums.setdefault(sums.tobytes() + len(rows).to_bytes(8), (id_, features))
        if first != id_ and np.array_equal(given, others[:]):  # sums are alike in any order of the rows
            self.copies.append((id_, first))

    @property
    def rising(self) -> list[int]:
        """Channels whose every value is above the one before, in all videos that are long enough to tell."""
        return [] if self._rising is None else np.flatnonzero(self._rising).tolist()

    @property
    def each(self) -> NDArray[np.float32]:
        """(V, 2, D) mean and deviation of each channel in each video."""
        return np.stack(self._each)

    @property
    def peak(self) -> Floats:
        """(D,) how far the farthest value of each channel is from its mean."""
        peak: Floats = np.abs(self._extremes - self.total / self.count).max(0)
        return peak

    def farthest(self, channel: int) -> tuple[str, int, float]:
        """The value of a channel that is farthest from its mean: id of the video, row and value."""
        mean = (self.total / self.count)[channel]
        side = int(np.abs(self._extremes[:, channel] - mean).argmax())
        id_, features = self.videos[self._extreme_in[side, channel]]
        values = np.asarray(features[:], dtype=np.float64)[:, channel]
        row = int(np.abs(values - self.offset[channel] - mean).argmax())
        return id_, row, float(values[row])

    @property
    def variance(self) -> Floats:
        """(D,) of each channel."""
        variance: Floats = np.maximum(self.squares / self.count - np.square(self.total / self.count), 0.0)
        return variance

    def mean_and_deviation(self, *, within_videos: bool = False) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of each channel, (D,) and (D,) float32; what hardly varies has deviation 1.

        Args:
            within_videos: of features less their mean over the video: 0, and how far they lie from that.
        """
        mean, variance = self.total / self.count + self.offset, self.variance
        if within_videos:
            mean = np.zeros_like(mean)
            variance = np.average(np.square(self.each[:, 1], dtype=np.float64), axis=0, weights=self.lengths)
        deviation = np.sqrt(variance)
        deviation[deviation < 1e-6] = 1.0
        return torch.from_numpy(mean).float(), torch.from_numpy(deviation).float()


def rising_channels(rows: Floats) -> NDArray[np.bool_]:
    """(D,) whether each channel of (T, D) rises with every row."""
    rising: NDArray[np.bool_] = np.all(
        rows[1:ENOUGH] > rows[: ENOUGH - 1], axis=0
    )  # few are left to be looked at as a whole
    rising[rising] = (np.diff(rows[:, rising], axis=0) > 0).all(0)
    return rising
