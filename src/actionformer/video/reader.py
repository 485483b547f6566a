"""Video files: frames with the times at which they are shown.

Time 0 is the first frame that can be shown. FFmpeg, through PyAV, reads any container it knows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import numpy as np
from av.container import InputContainer
from numpy.typing import NDArray

from actionformer.errors import InputError
from actionformer.video.opening import ADVICE, opened, reason, streams_of
from actionformer.video.orientation import Orientation, orientation_of

Image = NDArray[np.uint8]
"""(H, W, 3) RGB."""

# AVI does not store when a frame is shown, and what FFmpeg makes up for reordered frames is wrong; they are decoded at
# a steady pace, though, which the decoding times keep.
WITHOUT_TIMES = {"avi"}
JUMP_BACK, JUMP_AHEAD = 1.0, 10.0
"""Seconds from which a step of the clock is a jump, as where recordings were joined: FFmpeg's own bound ahead."""
JOINABLE = {"mpegts", "mpeg"}
"""Containers that may be joined end to end, so that no duration they state covers all."""
STEPS_BACK = (0.0, 2.0, 10.0, 60.0)
"""Seconds before a wanted time at which containers without an index are looked for a key frame."""


@dataclass(frozen=True)
class TimedFrame:
    """A decoded frame that is not yet an image: most frames are never looked at when a video is sampled sparsely."""

    time: float
    """Seconds from the first frame on."""
    duration: float
    """Seconds it is shown for."""
    decoded: av.VideoFrame
    size: tuple[int, int]
    """Width and height of the video's first frame, as shown."""

    @cached_property
    def orientation(self) -> Orientation:
        """How it is turned and mirrored to be shown."""
        return orientation_of(self.decoded)

    def image(self) -> Image:
        """(H, W, 3) RGB, turned and mirrored as the file says. Where a file changes its size, as large as the first."""
        width, height = self.orientation.size(*self.size)
        pixels: Any = self.decoded.to_ndarray(format="rgb24", width=width, height=height)
        return self.orientation.upright(pixels)


class Video:
    """An open video file.

    Attributes:
        name: what messages call it, its path.
        streams: its streams of pictures and sound.
        stream: that of pictures, which is read.
        fps: frames a second, on average.
        skipped: packets that could not be decoded so far.
        broken: why reading broke off in the middle, None while it has not.
        jumps: how often the clock of the file jumped so far; times go on from the frame before.
        end: seconds at which the last frame so far ends.

    Raises:
        InputError: not a readable video file, or one without a video stream.
    """

    advice = ADVICE

    def __init__(self, path: str | Path) -> None:
        if not Path(path).is_file():
            raise InputError(f"{path}: no such video file")
        if Path(path).stat().st_size == 0:
            raise InputError(f"{path}: the file is empty")
        self._begin(str(path))

    def _begin(self, name: str) -> None:
        self.name = name
        self._open()
        self.fps = self._fps()
        self.skipped = 0
        self.broken: str | None = None
        self.jumps = 0
        self.end = 0.0
        self._stated_start = (self.stream.start_time or 0) * float(self.stream.time_base or 0)
        self._promised = self._promised_end()
        self._origin: float | None = None
        self._size: tuple[int, int] | None = None

    def _open(self) -> None:
        self.container = self._opened()
        try:
            self.streams = streams_of(self.container, self.name)
        except InputError:
            self.container.close()
            raise
        self.stream = self.streams.video
        self.stream.thread_type = "AUTO"

    def _opened(self) -> InputContainer:
        return opened(self.name, self.name)

    def _fps(self) -> float:
        for rate in (self.stream.average_rate, self.stream.guessed_rate, self.stream.base_rate):
            if rate:
                return float(rate)
        raise InputError(f"{self.name}: does not say how many frames a second it has")

    def _promised_end(self) -> float | None:
        """The end that the container states, on its own clock."""
        if self.stream.duration:
            stated = float(self.stream.duration * self.stream.time_base) + self._stated_start
            counted = float(self.stream.frames) / self.fps  # a cut AVI states what is left, but counts what was
            return max(stated, counted)
        try:  # Matroska's tag: hours:minutes:seconds
            hours, minutes, seconds = map(float, self.stream.metadata["DURATION"].split(":"))
            return 3600 * hours + 60 * minutes + seconds
        except (KeyError, ValueError):
            pass
        alone = len(self.container.streams) == 1  # else another stream may be the one that ends there
        return self.container.duration / av.time_base if self.container.duration and alone else None

    @property
    def origin(self) -> float:
        """Time of the first frame on the clock of the file, seconds; as the file states it until a frame was read."""
        return self._stated_start if self._origin is None else self._origin

    @property
    def declared(self) -> float | None:
        """Seconds that the file says it lasts, None if it does not say."""
        return None if self._promised is None else self._promised - self.origin

    @property
    def cut_short(self) -> bool:
        """After all frames were read: the file promised more, by over half a second and a hundredth of it."""
        return self.declared is not None and self.declared - self.end > 0.5 + 0.01 * self.declared

    def frames(self, start: float = 0.0, stop: float = math.inf) -> Iterator[TimedFrame]:
        """The frames shown between two times, in order; what cannot be decoded is left out and counted in `skipped`.

        Args:
            start: seconds; the first frame is the one on the screen at that time.
            stop: seconds, the first time that is not wanted.

        Raises:
            InputError: no frame at all can be decoded.
        """
        if start > 0 or self._origin is not None:  # not the beginning, or no longer there
            self._seek(start)
        held: TimedFrame | None = None  # the last one before `start`, which may still be on the screen then
        for frame in self._timed():
            self.end = min(frame.time + frame.duration, stop)
            if frame.time >= stop:
                if held is not None:  # shown all the time
                    yield held
                return
            if frame.time + 1e-6 < start:
                held = frame
                continue
            if held is not None and frame.time > start + 1e-6:
                yield held
            held = None
            yield frame
        if held is not None and held.time + held.duration > start:
            yield held

    def _timed(self) -> Iterator[TimedFrame]:
        last: float | None = None  # on the clock of the file
        shift = 0.0  # what jumps of that clock amount to
        for frame in self._decoded():
            time = self._time_of(frame)
            step = self._step(frame)
            if time is None:
                time = 0.0 if last is None else last + step
            if self._origin is None or self._size is None:
                self._origin, self._size = time, orientation_of(frame).size(frame.width, frame.height)
            if last is not None and self._jumps(last, time):
                self.jumps += 1
                shift += last + self._lasted(step) - time
            elif last is not None:
                time = max(time, last)
            last = time
            yield TimedFrame(time + shift - self._origin, step, frame, self._size)
        if self._origin is None:
            raise InputError(f"{self.name}: no frame could be decoded ({self.skipped} damaged packets): {self.advice}")

    def _step(self, frame: av.VideoFrame) -> float:
        """Seconds that a frame is shown for, as the file states it if that can be believed."""
        stated = float(frame.duration * frame.time_base) if frame.duration and frame.time_base else 0.0
        return stated if 0 < stated <= max(JUMP_AHEAD, 2 / self.fps) else 1 / self.fps

    def _jumps(self, last: float, time: float) -> bool:
        """Whether the clock jumped. Ahead it may be meant, as in recordings of screens, unless it leaves the file."""
        if time - last > JUMP_AHEAD:
            known = self._promised is not None and self.container.format.name not in JOINABLE
            return not known or time > (self._promised or 0.0) + JUMP_AHEAD
        return last - time > JUMP_BACK

    def _lasted(self, step: float) -> float:
        """Seconds that a jump of the clock is taken to have lasted, of a frame that is shown for `step`."""
        return step

    def _time_of(self, frame: av.VideoFrame) -> float | None:
        stamps = (frame.dts,) if self.container.format.name in WITHOUT_TIMES else (frame.pts, frame.dts)
        stamp = next((stamp for stamp in stamps if stamp is not None), None)
        return None if stamp is None or frame.time_base is None else float(stamp * frame.time_base)

    def _decoded(self) -> Iterator[av.VideoFrame]:
        try:
            for packet in self.container.demux(self.stream):
                try:
                    yield from packet.decode()
                except av.FFmpegError:
                    self.skipped += 1
        except (av.FFmpegError, IndexError) as error:  # the file ends, or is broken, in the middle of a packet
            self.skipped += 1  # (an IndexError where a stream turns up that was not announced)
            self.broken = reason(error)

    def _seek(self, start: float) -> None:
        """To a key frame at or before `start`, or to the beginning where none can be found."""
        if self._origin is None:
            next(self._timed())  # times count from the first frame
        skipped, jumps = self.skipped, self.jumps
        try:
            for back in STEPS_BACK:
                self._seek_to(start - back)
                first = next(self._timed(), None)
                if first is not None and first.time <= start + 1e-6:
                    self._seek_to(start - back)
                    return
        except av.FFmpegError:  # a container that cannot seek
            pass
        finally:
            self.skipped, self.jumps = skipped, jumps
        self.container.close()
        self._open()

    def _seek_to(self, time: float) -> None:
        assert self._origin is not None
        target = math.floor((self._origin + max(time, 0.0)) / self.stream.time_base)
        self.container.seek(max(target, 0), stream=self.stream, backward=True)

    def close(self) -> None:
        """Closes the file."""
        self.container.close()

    def __enter__(self) -> Video:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
