"""Video files: frames with the times at which they are shown.

Time 0 is the first frame that can be shown. FFmpeg, through PyAV, reads any container it knows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import numpy as np
from av.stream import Disposition
from numpy.typing import NDArray

from actionformer.errors import InputError

Image = NDArray[np.uint8]
"""(H, W, 3) RGB."""

# The containers that do not store when a frame is shown: what FFmpeg makes up for frames that were reordered is wrong.
WITHOUT_TIMES = {"avi"}


@dataclass(frozen=True)
class TimedFrame:
    """A decoded frame that is not yet an image: most frames are never looked at when a video is sampled sparsely."""

    time: float
    """Seconds from the first frame on."""
    duration: float
    """Seconds it is shown for."""
    decoded: av.VideoFrame

    def image(self) -> Image:
        """(H, W, 3) RGB, upright: turned as the file says."""
        return np.ascontiguousarray(
            np.rot90(self.decoded.to_ndarray(format="rgb24"), round(self.decoded.rotation / 90))
        )


class Video:
    """An open video file.

    Attributes:
        path: where it is.
        fps: frames a second, on average.
        skipped: packets that could not be decoded so far.
        end: seconds at which the last frame so far ends.

    Raises:
        InputError: not a readable video file, or one without a video stream.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise InputError(f"{path}: no such video file")
        if self.path.stat().st_size == 0:
            raise InputError(f"{path}: the file is empty")
        try:
            self.container = av.open(str(path), metadata_errors="ignore")
        except (av.FFmpegError, ValueError) as error:
            raise InputError(f"{path}: not a readable video ({_reason(error)}): is the file whole?") from error
        self.stream: Any = self._first_stream()
        self.stream.thread_type = "AUTO"
        self.fps = self._fps()
        self.skipped = 0
        self.end = 0.0
        self._stated_start = (self.stream.start_time or 0) * float(self.stream.time_base or 0)
        self._promised = self._promised_end()
        self._origin: float | None = None

    def _first_stream(self) -> Any:
        """The first video stream; the cover of a song is none."""
        for stream in self.container.streams.video:
            if not stream.disposition & Disposition.attached_pic:
                return stream
        kinds = ", ".join(sorted({stream.type for stream in self.container.streams} - {"video"})) or "nothing"
        self.container.close()
        raise InputError(f"{self.path}: has no video stream, it holds {kinds}")

    def _fps(self) -> float:
        for rate in (self.stream.average_rate, self.stream.guessed_rate, self.stream.base_rate):
            if rate:
                return float(rate)
        raise InputError(f"{self.path}: does not say how many frames a second it has")

    def _promised_end(self) -> float | None:
        """The end that the container states, on its own clock."""
        if self.stream.duration:
            return float(self.stream.duration * self.stream.time_base) + self._stated_start
        if tag := self.stream.metadata.get("DURATION"):  # Matroska: hours:minutes:seconds
            return sum(float(part) * unit for part, unit in zip(tag.split(":"), (3600, 60, 1), strict=True))
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
        if start > 0:
            self._seek(start)
        held: TimedFrame | None = None  # the last one before `start`, which may still be on the screen then
        for frame in self._timed():
            self.end = max(self.end, min(frame.time + frame.duration, stop))
            if frame.time >= stop:
                break
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
        last = -math.inf
        for frame in self._decoded():
            time = self._time_of(frame)
            step = float(frame.duration * frame.time_base) if frame.duration and frame.time_base else 1 / self.fps
            if time is None:
                time = last + step if last > -math.inf else 0.0
            if self._origin is None:
                self._origin = time
            time = max(time, last)
            last = time
            yield TimedFrame(time - self._origin, step, frame)
        if self._origin is None:
            raise InputError(f"{self.path}: no frame could be decoded ({self.skipped} damaged packets)")

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
        except av.FFmpegError:  # the file ends, or is broken, in the middle of a packet
            self.skipped += 1

    def _seek(self, start: float) -> None:
        """To the key frame before `start`; times count from the first frame, so that is looked at before."""
        if self._origin is None:
            next(self._timed())
        assert self._origin is not None
        target = math.floor((self._origin + start) / self.stream.time_base)
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


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error).rstrip(".")
