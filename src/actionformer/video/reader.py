"""Video files: frames with the times at which they are shown.

Time 0 is where the container begins, as FFmpeg and players take it: sound may come before the first picture. FFmpeg,
through PyAV, reads any container it knows.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from actionformer.core.errors import InputError
from actionformer.core.segments import LATEST, LEAST
from actionformer.video.clock import JUMP_AHEAD, Clock, Rate, lasts, rate_of, usual_step
from actionformer.video.orientation import Orientation, orientation_of
from actionformer.video.packets import Packet, PacketReader
from actionformer.video.stated import stated

Image = NDArray[np.uint8]
"""(H, W, 3) RGB."""

STEPS_BACK = (0.0, 2.0, 10.0, 60.0)
"""Seconds before a wanted time at which containers without an index are looked for a key frame."""
PEEKED, PEEKED_LONG = 32, 224
"""Packets by whose times a stated rate is judged, and how many more are looked at where none is stated."""
HIGHEST_STATED = 1 / LEAST
"""Frames a second; a single picture may state so many as its clock has ticks."""


@dataclass(frozen=True)
class TimedFrame:
    """A decoded frame that is not yet an image: most frames are never looked at when a video is sampled sparsely."""

    time: float
    """Seconds from time 0 of the video on."""
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
        # FFmpeg would start a thread per core for every frame, which costs more than the work that they share.
        pixels: Any = self.decoded.to_ndarray(format="rgb24", width=width, height=height, threads=1)
        return self.orientation.upright(pixels)


OF_ALL_STREAMS = ("asf",)
"""Containers that state how long all of their streams last together, sound too."""


class VideoReader(PacketReader):
    """An open video file.

    Attributes, beside those of `PacketReader`:
        stated: what the container says of its clock.
        rate: frames a second, with what is doubtful about them.
        jumps: how often the clock of the file jumped so far; times go on from the frame before.
        end: seconds at which the last frame so far ends.

    Raises:
        InputError: not a readable video file, one without a video stream, or one that cannot last as long as it says.
    """

    def __init__(self, path: str | Path) -> None:
        if not Path(path).is_file():
            raise InputError(f"{path}: no such video file")
        if Path(path).stat().st_size == 0:
            raise InputError(f"{path}: the file is empty")
        self._begin(str(path))

    def _begin(self, name: str) -> None:
        super().__init__(name)
        self.jumps = 0
        self.end = 0.0
        self._first: float | None = None  # time of the first picture on the clock of the container
        self._size: tuple[int, int] | None = None
        self._fed: list[Packet] = []  # to the decoder, until the first picture is there
        self._step = 0.0  # seconds from a packet to the next
        self._lag = 0.0  # by which decoding times are late
        self.stated = stated(self.container, self.stream)
        try:
            self._check(self.declared or 0.0)
            self.rate = self._rate()
        except InputError:
            self.close()
            raise

    def _check(self, seconds: float) -> None:
        if not seconds < LATEST:
            raise InputError(f"{self.name}: says that it lasts {seconds:.3g} s, which cannot be: {self.advice}")

    @property
    def fps(self) -> float:
        """Frames a second: as stated; where that is absent or contradicts the times of the frames, as these come."""
        return self.rate.fps

    @property
    def usual(self) -> float:
        """Seconds that a usual picture lasts: as the rate says, but where that is far longer than the file, as that."""
        by_rate, end = 1 / self.fps, self._last_time
        whole = 0.0 if end is None else end - self.origin
        return whole if 0 < whole < by_rate - JUMP_AHEAD else by_rate

    @property
    def origin(self) -> float:
        """Time 0 on the clock of the container, seconds: where it begins, and no later than its first picture."""
        first, zero = self._first_picture, self._zero
        return first if zero is None else min(zero, first)

    @property
    def start(self) -> float:
        """Seconds of the first picture; as the container states it until one was read."""
        return self._first_picture - self.origin

    @property
    def _first_picture(self) -> float:
        return self.stated.start if self._first is None else self._first

    @property
    def _zero(self) -> float | None:
        return self.stated.zero

    @property
    def declared(self) -> float | None:
        """Seconds at which the file says its pictures end, None if it does not say."""
        return None if self.stated.end is None else self.stated.end - self.origin

    @property
    def cut_short(self) -> bool:
        """After all frames were read: the file promised more, by over half a second and a hundredth of it."""
        return self._ends_before_its_end(self.end)

    def _ends_before_its_end(self, seconds: float) -> bool:
        return self.declared is not None and self.declared - seconds > 0.5 + 0.01 * self.declared

    @property
    def _joined(self) -> bool:
        """Whether a long step ahead of the clock is no pause."""
        return self.stated.joinable

    @property
    def _last_time(self) -> float | None:
        """The end of the container's clock, where that can be relied on."""
        return self.stated.end

    def _rate(self) -> Rate:
        """By what the container states, and when its first packets are shown."""
        says = self.stated
        peeked = self._peeked(PEEKED)
        rate = self._rate_by(self._steps(peeked))
        if rate.doubt and says.fps is None:  # measured, and better from more
            peeked += self._peeked(PEEKED_LONG)
            rate = self._rate_by(self._steps(peeked))
        elif rate.doubt:  # two packets that hold a field each make a picture
            rate = self._rate_by(self._steps(self._tried(peeked)) or self._steps(peeked))
        self._put_back(peeked)
        self._step = usual_step(self._steps(peeked)) or 1 / rate.fps
        return rate

    def _rate_by(self, steps: list[float]) -> Rate:
        rate = rate_of(self.stated.fps, steps, guesses=self.stated.guesses, counted=self.stated.counted)
        if rate is None:
            raise InputError(f"{self.name}: states neither its frame rate nor the times of its frames")
        if not LEAST <= rate.fps <= HIGHEST_STATED:
            raise InputError(
                f"{self.name}: says that its pictures come {rate.fps:.3g} per second, which cannot be: {self.advice}"
            )
        return rate

    def _steps(self, shown: Iterable[Packet | av.VideoFrame]) -> list[float]:
        """Seconds between neighbouring times of packets or frames; as long as each lasts where they have no times."""
        shown = [item for item in shown if not (isinstance(item, av.Packet) and (item.is_discard or not item.size))]
        stamps = sorted(stamp for item in shown if (stamp := self._stamp(item)) is not None)
        if stamps:
            return [second - first for first, second in pairwise(stamps)]
        return [float(item.duration * item.time_base) for item in shown[1:] if item.duration and item.time_base]

    def cut_at(self) -> float | None:
        """Seconds at which the packets end of a file that says that it lasts longer; None if they reach its end.

        Those from the last key frame on are read and none is decoded, so that no frames come from this reader any more.
        """
        if self.declared is None or not self.stated.timed or self.container.format.name in OF_ALL_STREAMS:
            return None
        try:
            self._jump(self.origin + self.declared)
            shown = self._left()
        except av.FFmpegError:  # a container that cannot seek
            shown = []
        if not shown:
            self._reopen()
            shown = self._left()
        end = max((stamp + max(lasting, self._step) for stamp, lasting in shown), default=self.origin) - self.origin
        return end if self._ends_before_its_end(end) else None

    def _left(self) -> list[tuple[float, float]]:
        """When the packets that are left are shown, and for how long as far as they say."""
        shown = (one for one in self._packets if one.size and not one.is_discard)
        return [
            (stamp, float(one.duration * one.time_base) if one.duration and one.time_base else 0.0)
            for one in shown
            if (stamp := self._stamp(one)) is not None
        ]

    def uneven_by(self) -> float:
        """Seconds by which a picture lies at most from where its number, from 0, over the rate would have it.

        That is more than a picture lasts where the rate varies, or where the first picture is not at time 0. All
        packets are read and none is decoded, so that no frames come from this reader any more.
        """
        stamps = np.array(sorted(stamp for stamp, _ in self._left()))
        if not len(stamps) or not self.stated.timed:
            return 0.0
        if abs((usual_step(np.diff(stamps).tolist()) or 0.0) * self.fps - 0.5) < 0.05:  # a packet per field
            stamps = stamps[::2]
        return float(np.abs(stamps - self.origin - np.arange(len(stamps)) / self.fps).max())

    def frames(self, start: float = 0.0, stop: float = math.inf) -> Iterator[TimedFrame]:
        """The frames shown between two times, in order; what cannot be decoded is left out and counted in `skipped`.

        Args:
            start: seconds; the first frame is the one on the screen at that time, or the first of all.
            stop: seconds, the first time that is not wanted.

        Raises:
            InputError: no frame at all can be decoded, or one is shown at a time that cannot be.
        """
        if start > 0 or self._first is not None:  # not the beginning, or no longer there
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
        clock, jumps = Clock(joined=self._joined, end=self._last_time), self.jumps
        for frame in self._decoded():
            if self._first is None:
                self._lag = self._late(frame)
            stamp = self._shown_at(frame)
            lasting = self._lasting(frame, stamp)
            time = clock.time(stamp, lasting, self._missed(lasting))
            if self._first is None or self._size is None:
                self._first, self._size = time, orientation_of(frame).size(frame.width, frame.height)
            self.jumps = jumps + clock.jumps
            self._check(time + lasting - self.origin)
            yield TimedFrame(time - self.origin, lasting, frame, self._size)
        if self._first is None:
            raise InputError(f"{self.name}: no frame could be decoded ({self.skipped} damaged packets): {self.advice}")

    def _lasting(self, frame: av.VideoFrame, stamp: float | None) -> float:
        says = float(frame.duration * frame.time_base) if frame.duration and frame.time_base else 0.0
        usual = self.usual
        if self.rate.doubt:  # what FFmpeg makes of a rate that is not right
            says = max(says, usual)
        return lasts(stamp or 0.0, says, usual, self.stated.ends)

    def _missed(self, lasting: float) -> float:
        """Seconds that a jump of the clock is taken to have lasted, of a frame that is shown for `lasting`."""
        return lasting

    def _shown_at(self, frame: av.VideoFrame) -> float | None:
        """When a frame is shown, on the clock of the container, None where it does not say."""
        stamp = self._stamp(frame)
        return None if stamp is None else stamp - self._lag

    def _late(self, frame: av.VideoFrame) -> float:
        """Seconds that a picture is held back to be reordered: packets from a key, that of the first, until it comes.

        They are counted, as there may be a gap between them.
        """
        fed, self._fed = self._fed, []
        stamp = self._stamp(frame)
        if stamp is None or not self.stated.shown_unsaid:
            return 0.0
        until = [packet for packet in fed if (fed_at := self._stamp(packet)) is not None and fed_at <= stamp]
        keys = [number for number, packet in enumerate(until) if packet.is_keyframe]
        return (len(until) - 1 - keys[-1]) * self._step if keys else 0.0

    def _stamp(self, item: Packet | av.VideoFrame) -> float | None:
        stamps = (item.dts,) if self.stated.shown_unsaid else (item.pts, item.dts)
        stamp = next((stamp for stamp in stamps if stamp is not None), None)
        return None if stamp is None or item.time_base is None else float(stamp * item.time_base)

    def _seek(self, start: float) -> None:
        """To a key frame at or before `start`, or to the beginning where none can be found."""
        if self._first is None:
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
        self._reopen()

    def _seek_to(self, time: float) -> None:
        self._jump(self.origin + max(time, 0.0))

    def _feeding(self, packet: Packet) -> None:
        if self._first is None:
            self._fed.append(packet)
