"""Frames at a steady rate, from frames shown at any times."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain, islice, repeat
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from actionformer.core.errors import InputError
from actionformer.video.clips import HIGHEST_FPS
from actionformer.video.reader import Image, TimedFrame, VideoReader

TIE = 1e-6  # seconds within which two frames are as near
STILL, STILL_EACH = 24 * 3600 * 60, 60 * 60
"""Samples that may repeat pictures, of a video and of each picture of it: a day, and a minute each, at 60 a second."""


class Timed(Protocol):
    """Something shown from a time on."""

    @property
    def time(self) -> float:
        """Seconds."""

    @property
    def duration(self) -> float:
        """Seconds."""


T = TypeVar("T", bound=Timed)


def sampled(frames: Iterable[T], fps: float, start: float = 0.0) -> Iterator[T]:
    """For sample i the frame nearest in time to `start + i / fps`, the earlier one of two as near.

    There are `round((end - start) * fps)` samples, at least one, where the last frame ends at `end`. A frame may be
    taken several times, or never. At a video's own constant rate every frame is taken once.

    Args:
        frames: in the order of time.
        fps: samples a second.
        start: time of the first sample, seconds; that of the first frame where this comes later.

    Raises:
        InputError: frames that would be repeated more often than any recording repeats them.
    """
    chosen: deque[T] = deque()  # those that the video may be too short for
    count, last = 0, None

    def whole(end: float, pictures: int) -> int:
        wanted = round((end - start) * fps)
        if wanted > STILL + pictures * STILL_EACH:
            raise InputError(f"says that {pictures} pictures last {end - start:.0f} s, which cannot be: is it damaged?")
        return wanted

    pictures = 0
    for pictures, frame in enumerate(frames, start=1):
        if last is None:
            start = max(start, frame.time)
        else:
            until = whole(frame.time, pictures)
            while start + (count + len(chosen)) / fps <= (last.time + frame.time) / 2 + TIE:
                chosen.append(last)
                if count < until:
                    yield chosen.popleft()
                    count += 1
            while chosen and count < until:
                yield chosen.popleft()
                count += 1
        last = frame
    if last is not None:
        wanted = max(1, whole(last.time + last.duration, pictures)) - count
        yield from islice(chain(chosen, repeat(last)), wanted)


def images(frames: Iterable[TimedFrame]) -> Iterator[Image]:
    """The frames as (H, W, 3) RGB; one that is repeated is converted once."""
    last: TimedFrame | None = None
    image: Image | None = None
    for frame in frames:
        if frame is not last or image is None:
            last, image = frame, frame.image()
        yield image


def read_frames(
    path: str | Path, *, fps: float | None = None, start: float = 0.0, stop: float = math.inf
) -> NDArray[np.uint8]:
    """The frames of a video, or of a part of it, in memory: (T, H, W, 3) uint8 RGB.

    Args:
        path: the video.
        fps: frames a second, taken by time as in `sampled`; by default all frames as they are.
        start: seconds, from time 0 of the video on.
        stop: seconds, the first time that is not wanted.

    Raises:
        InputError: a video that cannot be read, one that ends before `start`, or numbers that cannot be meant.
    """
    if fps is not None and not 0 < fps <= HIGHEST_FPS:
        raise InputError(f"fps must be a positive number up to {HIGHEST_FPS}, found {fps}")
    if not 0 <= start < stop:
        raise InputError(f"start must be a time from 0 on and before stop, found {start} and {stop}")
    with VideoReader(path) as video:
        frames = video.frames(start, stop)
        chosen = list(images(frames if fps is None else sampled(_within(frames, stop), fps, start)))
        if not chosen:
            raise InputError(f"{path}: ends after {video.end:.2f} s, before {start:.2f} s")
    return np.stack(chosen)


def _within(frames: Iterable[TimedFrame], stop: float) -> Iterator[TimedFrame]:
    """Frames that are shown until `stop` at most."""
    for frame in frames:
        yield replace(frame, duration=min(frame.duration, stop - frame.time))
