"""Frames of a source that goes on: a camera, an address, a pipe, a file that is still being written."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import FileIO
from queue import Empty, Full, Queue
from threading import Thread
from typing import Any

import av
from av.container import InputContainer

from actionformer.core.errors import InputError, kind_and_reason, warn
from actionformer.video.opening import opened
from actionformer.video.reader import TimedFrame, VideoReader
from actionformer.video.sampling import sampled
from actionformer.video.sources import Source
from actionformer.video.summary import warning_of

WAITING = 64
"""Most frames that wait to be looked at: 4 seconds at 15 a second, 200 MB of a video 1080 pixels high."""
PEEKED_SECONDS = 1.0
"""After which a source that is slow is looked at by the rate that its first packets showed until then."""
TICK = 0.1
"""Seconds after which a thread that waits looks whether it is to stop."""


class _Bytes:
    """A file or pipe, which FFmpeg reads from beginning to end: without `seek` it does not try to jump in it."""

    def __init__(self, address: str, patience: float, stopped: Callable[[], bool]) -> None:
        self._file = FileIO(0, closefd=False) if address == "-" else FileIO(address)
        self._patience, self._stopped = patience, stopped
        self.close = self._file.close

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; none after nothing came for `patience` seconds, nor ever again."""
        until = time.monotonic() + self._patience
        while not (content := self._file.read(size)) and time.monotonic() < until and not self._stopped():
            time.sleep(TICK / 2)
        self._patience = self._patience if content else 0.0
        return content or b""


class LiveVideoReader(VideoReader):
    """An open live source, whose frames come once, from the first.

    Time 0 of a real-time source is its first picture, that of any other where it begins, as in files. Where the clock
    of a real-time source jumps, as when a camera was started again, times go on by the clock of this machine: what was
    missed in between has lasted as long as it did.

    Args:
        source: where it comes from.
        patience: seconds without anything new after which a file has ended.
        stopped: whether nothing more is wanted.

    Raises:
        InputError: nothing that can be read, or no video in it.
    """

    def __init__(self, source: Source, patience: float, stopped: Callable[[], bool]) -> None:
        self.source, self._patience, self._stopped = source, patience, stopped
        self.advice = (
            "a file that is being written must be .ts, .mkv or fragmented .mp4"
            if source.kind == "file"
            else "is the address right, and its format?"
        )
        self._opened_at = self._arrived = time.monotonic()
        self._waited = 0.0  # between the last two frames
        self._bytes: _Bytes | None = None
        try:
            self._begin(source.name)
        except InputError:
            self._close_bytes()
            raise

    def _opened(self) -> InputContainer:
        source = self.source
        content: Any = source.address
        settings: dict[str, Any] = {"format": source.format}
        if source.kind in ("file", "pipe"):
            patience = self._patience if source.kind == "file" else 0.0
            content = self._bytes = _Bytes(source.address, patience, self._stopped)
        else:
            # A thread that waits for a dead address ends by itself; who waits for the thread has given up before.
            settings["timeout"] = self._patience + 1
        if source.scheme in ("rtsp", "rtsps"):
            settings["options"] = {"rtsp_transport": "tcp"}
        return opened(content, self.name, self.advice, **settings)

    @property
    def _zero(self) -> float | None:
        return None if self.source.real_time else super()._zero

    @property
    def _joined(self) -> bool:
        return self.source.real_time or super()._joined

    @property
    def _last_time(self) -> None:
        return None  # what is still written may say anything of its end

    def _pressed(self) -> bool:
        return self.source.kind != "file" and time.monotonic() > self._opened_at + PEEKED_SECONDS

    def close(self) -> None:
        """Closes the source."""
        super().close()
        self._close_bytes()

    def _close_bytes(self) -> None:
        if self._bytes is not None:
            self._bytes.close()

    def _decoded(self) -> Iterator[av.VideoFrame]:
        for frame in super()._decoded():
            before, self._arrived = self._arrived, time.monotonic()
            self._waited = self._arrived - before
            yield frame

    def _missed(self, lasting: float) -> float:
        return max(lasting, self._waited) if self.source.real_time else lasting


@dataclass(frozen=True)
class Sample:
    """A frame of those at a steady rate."""

    index: int
    frame: TimedFrame


@dataclass(frozen=True)
class _Opened:
    fps: float
    start: float


@dataclass(frozen=True)
class _Ended:
    frames: int = 0
    duration: float | None = None
    broken: str | None = None
    warning: str | None = None


class LiveFrames:
    """The frames of a live source at a steady rate, by their own times, read and decoded in a thread.

    At most `WAITING` of them wait. A source that can wait does so while they are too many. A real-time source cannot:
    from then on until all that wait are taken its frames are left out, and their numbers are missing.

    Args:
        source: where it comes from.
        fps: frames a second, by default as many as the source has.
        patience: seconds without a frame after which the source is given up; a file has then ended.
        stop_after: seconds of video after which enough was seen.

    Attributes:
        fps: frames a second.
        start: seconds of the first picture.
        frames: how many were taken so far, with those left out.
        missed: how many of them were left out.
        broken: why the source broke off, None if it ended or was stopped.

    Raises:
        InputError: nothing that can be read, or no video in it.
    """

    def __init__(
        self, source: Source, *, fps: float | None = None, patience: float = 10.0, stop_after: float = math.inf
    ) -> None:
        self.source, self._patience, self._stop_after = source, patience, stop_after
        self.frames = self.missed = 0
        self.broken: str | None = None
        self._told = 0  # of the missed ones
        self._queue: Queue[_Opened | Sample | _Ended] = Queue(WAITING + 1)  # and that the source is open
        self._stopped = self._full = False
        self._began = math.inf
        self._duration: float | None = None
        self._thread = Thread(target=self._read, args=(fps,), name=f"reads {source.name}", daemon=True)
        self._thread.start()
        opened = self._get()
        if not isinstance(opened, _Opened):
            raise InputError(f"{source.name}: {getattr(opened, 'broken', None)}")
        self.fps, self.start = fps or opened.fps, opened.start

    @property
    def began(self) -> datetime | None:
        """When time 0 was, in UTC, as far as the arrival of all frames tells; None of what is not live."""
        live = self.source.real_time and math.isfinite(self._began)
        return datetime.fromtimestamp(self._began, UTC) if live else None

    @property
    def waiting(self) -> bool:
        """Whether more can be had at once."""
        return not self._queue.empty()

    @property
    def duration(self) -> float:
        """Seconds at which the video ends, as far as it was read."""
        return self._duration or self.start + self.frames / self.fps

    def __iter__(self) -> Iterator[Sample]:
        """Frames as they come, until the source ends, breaks off or is stopped."""
        while isinstance(item := self._get(), Sample) and item.index < self._stop_after * self.fps:
            self._count(item.index)
            self.frames += 1
            yield item
        if isinstance(item, _Ended):
            self._count(max(item.frames, self.frames))
            self._duration, self.broken = item.duration, item.broken
            if item.warning:
                warn(f"{self.source.name}: {item.warning}", stacklevel=2)
        self.stop()
        self._thread.join(timeout=1.0)

    def stop(self) -> None:
        """Ends the source here; it may be called from anywhere, a signal handler included."""
        self._stopped = True

    def _count(self, frames: int) -> None:
        """Those before the next one are so many: what was not taken of them was missed."""
        self.missed += frames - self.frames
        self.frames = frames
        if self.missed >= max(2 * self._told, 1):
            self._told = self.missed
            warn(
                f"{self.source.name}: too fast for this machine: of {self.frames / self.fps:.1f} s so far "
                f"{self.missed / self.fps:.1f} s were not looked at",
                stacklevel=3,
            )

    def _get(self) -> _Opened | Sample | _Ended:
        until = time.monotonic() + self._patience
        while not self._stopped:
            try:
                return self._queue.get(timeout=TICK)
            except Empty:
                if time.monotonic() > until and self.source.kind != "file":
                    return _Ended(broken=f"no frame came for {self._patience:g} s")
        return _Ended()

    # What follows runs in the thread.

    def _read(self, fps: float | None) -> None:
        frames = 0
        try:
            with LiveVideoReader(self.source, self._patience, lambda: self._stopped) as video:
                for frame in sampled(video.frames(), fps or video.fps):
                    if frames == 0:
                        self._put(_Opened(video.fps, video.start))  # a source counts as open once it shows something
                    self._began = min(self._began, time.time() - frame.time)
                    self._offer(Sample(frames, frame))
                    frames += 1
                    if self._stopped:
                        return
                self._put(_Ended(frames, video.end, video.broken, None if video.broken else warning_of(video, fps)))
        except InputError as error:
            self._put(_Ended(frames, broken=str(error).removeprefix(f"{self.source.name}: ")))
        except Exception as error:  # every codec and library has its own ways of failing
            self._put(_Ended(frames, broken=f"cannot be read ({kind_and_reason(error)})"))

    def _offer(self, sample: Sample) -> None:
        if self.source.real_time:
            self._full = not self._queue.empty() if self._full else self._queue.full()
        if not self._full:
            self._put(sample)

    def _put(self, item: _Opened | Sample | _Ended) -> None:
        while not self._stopped:
            try:
                self._queue.put(item, timeout=TICK)
            except Full:
                continue
            break
