"""Clips: `num_frames` frames every `stride` frames, the windows that feature vectors stand for.

A frame is a row of any medium (`medium.py`): a picture, the readings of sensors at one moment, ...
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from actionformer.core.errors import InputError
from actionformer.core.segments import TimeGrid
from actionformer.medium import Row

LastClip = Literal["pad", "drop"]
HIGHEST_FPS = 10_000


@dataclass(frozen=True)
class ClipLayout:
    """Where the clips of a video lie: clip i covers `num_frames` frames from frame `i * stride` on, at `fps`."""

    fps: float | None
    """Frames a second that the video is sampled at; None for its own rate."""
    num_frames: int
    stride: int
    last_clip: LastClip = "pad"
    """What becomes of frames after the last whole clip: one more clip that repeats the last frame, or nothing.
    A video of fewer than `num_frames` frames is one padded clip either way."""

    def __post_init__(self) -> None:
        for name in ("num_frames", "stride"):
            whole_frames(name, getattr(self, name))
        if self.fps is not None and not 0 < self.fps <= HIGHEST_FPS:
            raise InputError(f"fps must be a positive number up to {HIGHEST_FPS}, found {self.fps}")
        if self.last_clip not in ("pad", "drop"):
            raise InputError(f"last_clip must be pad or drop, found {self.last_clip!r}")

    def count(self, frames: int) -> int:
        """Clips of a video of so many frames, T.

        pad: ceil((frames - num_frames) / stride) + 1; drop: floor(...) + 1; at least 1.
        """
        beyond = max(frames - self.num_frames, 0)
        return (-(-beyond // self.stride) if self.last_clip == "pad" else beyond // self.stride) + 1

    def grid(self, native_fps: float, start: float = 0.0) -> TimeGrid:
        """The grid of a video whose own rate is `native_fps`, and whose first frame is shown at `start` seconds."""
        return TimeGrid(fps=self.fps or native_fps, stride=self.stride, num_frames=self.num_frames, start=start)


def whole_frames(name: str, value: float) -> int:
    """A number of frames, from 1 on.

    Raises:
        InputError: it is no whole number; `name` says of what.
    """
    if not 1 <= value < float("inf") or value != int(value):
        raise InputError(f"{name} must be a whole number of frames from 1 on, found {value:g}")
    return int(value)


@dataclass
class ClipCutter:
    """Cuts a stream of frames, which come in pieces, into clips; holds no more than one clip."""

    layout: ClipLayout
    frames: int = 0
    """Frames so far."""
    _held: list[Row] = field(default_factory=list)
    _last: Row | None = None
    _next: int = 0  # first frame of the next clip

    def add(self, frames: Iterable[Row]) -> Iterator[Row]:
        """Takes in frames of one shape, yields the clips (num_frames, ...) that they complete."""
        for frame in frames:
            if self.frames >= self._next:
                self._held.append(frame)
            self.frames += 1
            if len(self._held) == self.layout.num_frames:
                yield np.stack(self._held)
                self._next += self.layout.stride
                self._held = self._held[self.layout.stride :]
            self._last = frame

    def finish(self) -> Iterator[Row]:
        """Yields the last clip, padded by its last frame, if the layout has one."""
        if self._last is not None and self.layout.count(self.frames) * self.layout.stride > self._next:
            held = self._held or [self._last]
            yield np.stack(held + [held[-1]] * (self.layout.num_frames - len(held)))
