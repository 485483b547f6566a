"""Segments in time: overlap, the grid that features lie on, clipping. Pure functions on arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actionformer.core.errors import InputError

LATEST = 1e9
"""Seconds, 31 years: no time lies further from a video's beginning, on either side."""

LEAST, LARGEST = 1e-6, 1e9
"""Of frames a second, frames of a feature and seconds of a video: what lies beyond is no measured number."""

FloatArray = NDArray[np.float64] | NDArray[np.float32]


def tiou(first: FloatArray, second: FloatArray) -> NDArray[np.float64]:
    """Temporal intersection over union of every pair of segments.

    Args:
        first: (N, 2) starts and ends, in any one unit.
        second: (M, 2), in the same unit.

    Returns:
        (N, M) float64 in [0, 1]; 0 where the union is empty (two segments of length 0).
    """
    first = np.asarray(first, dtype=np.float64).reshape(-1, 2)
    second = np.asarray(second, dtype=np.float64).reshape(-1, 2)
    start = np.maximum(first[:, None, 0], second[None, :, 0])
    end = np.minimum(first[:, None, 1], second[None, :, 1])
    intersection = np.maximum(end - start, 0.0)
    union = (first[:, 1] - first[:, 0])[:, None] + (second[:, 1] - second[:, 0])[None, :] - intersection
    overlap: NDArray[np.float64] = np.divide(intersection, union, out=np.zeros_like(intersection), where=union > 0)
    return overlap


def clip(segments: NDArray[np.float64], end: float, start: float = 0.0) -> NDArray[np.float64]:
    """Segments (N, 2) cut to [start, end], all in seconds."""
    return np.clip(segments, start, max(start, end))


def check_times(start: float, end: float, where: str) -> None:
    """Checks the ends of a segment, in seconds.

    Raises:
        InputError: they lie beyond `LATEST` on either side, or the end before the start; `where` is named.
    """
    if not (abs(start) <= LATEST and abs(end) <= LATEST):
        raise InputError(
            f"{where}: segment [{start:g}, {end:g}] lies more than {LATEST:g} s from the video's beginning: "
            "times count in seconds, and from there"
        )
    if end < start:
        raise InputError(f"{where}: segment [{start}, {end}] ends before it starts")


@dataclass(frozen=True)
class TimeGrid:
    """Where the feature vectors of a video lie in time.

    Vector i covers `num_frames` frames from frame `i * stride` on, of a video at `fps` frames a second whose first
    frame is shown at `start` seconds; its grid position i stands for the centre of that window
    (`grid = (t - start) * fps / stride - 0.5 * num_frames / stride`).
    """

    fps: float
    stride: float
    num_frames: float
    start: float = 0.0

    def __post_init__(self) -> None:
        for name in ("fps", "stride", "num_frames"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value > 0):
                raise InputError(f"{name} must be a positive number, found {value}")
            if not LEAST <= value <= LARGEST:
                raise InputError(f"{name} must lie between {LEAST:g} and {LARGEST:g}, found {value:g}")
        if not (np.isfinite(self.start) and self.start >= 0):
            raise InputError(f"start must be a number of seconds from 0 on, found {self.start}")

    @property
    def step(self) -> float:
        """From one feature to the next, seconds."""
        return self.stride / self.fps

    @property
    def half_window(self) -> float:
        """Half the width of a feature's window, in grid steps."""
        return 0.5 * self.num_frames / self.stride

    @property
    def tolerance(self) -> float:
        """By how much a video's length and that of its features may differ, seconds: a window or a stride."""
        return max(self.num_frames, self.stride) / self.fps + 1e-6

    @property
    def units(self) -> dict[str, float]:
        """What times may be counted in by mistake, from the largest unit on: how many of each make a second."""
        counted = {"minutes": 1 / 60, "features": self.fps / self.stride, "frames": self.fps, "ms": 1e3}
        sound = {f"samples at {rate:g} kHz": 1e3 * rate for rate in (16, 22.05, 44.1, 48)}
        units = {**counted, **sound, "µs": 1e6, "ns": 1e9}
        return dict(sorted(units.items(), key=lambda unit: unit[1]))

    def to_grid(self, seconds: NDArray[np.float64]) -> NDArray[np.float64]:
        """Times in seconds -> grid positions; small negative positions are normal."""
        return (seconds - self.start) * self.fps / self.stride - self.half_window

    def to_seconds(self, grid: NDArray[np.float64]) -> NDArray[np.float64]:
        """Grid positions -> times in seconds, unclipped."""
        return self.start + (grid * self.stride + 0.5 * self.num_frames) / self.fps

    def seconds_covered(self, length: int) -> float:
        """Until when `length` feature vectors cover a video, seconds: the end of the last window."""
        return self.start + ((length - 1) * self.stride + self.num_frames) / self.fps

    def resized(self, length: int, new_length: int) -> TimeGrid:
        """The grid after `length` features were resized to `new_length` (ActivityNet's fixed length)."""
        stride = ((length - 1) * self.stride + self.num_frames) / new_length
        return TimeGrid(fps=self.fps, stride=stride, num_frames=stride, start=self.start)
