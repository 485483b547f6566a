"""Parts of a video as files of their own, cut at any frame: pictures and sound are encoded anew."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from actionformer.core.errors import InputError
from actionformer.core.files import replacing
from actionformer.video.opening import opened
from actionformer.video.reader import VideoReader
from actionformer.video.writing import CLOCK, even, video_stream

ENDING = ".mp4"
SOUND = "aac"
RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)
"""Samples a second that the codec of sound takes; sound of another rate becomes the first but 48,000."""
BLOCK = 1024
"""Samples that the codec of sound takes at a time."""

Samples = NDArray[np.float32]


class Cutter:
    """A video that parts are cut out of; to be used as a context.

    Raises:
        InputError: a video that cannot be read.
    """

    def __init__(self, source: str | Path) -> None:
        with ExitStack() as stack:
            self.video = stack.enter_context(VideoReader(source))
            has_sound = self.video.streams.sound is not None
            self.sound = _Sound(stack, str(source), self.video) if has_sound else None
            self._open = stack.pop_all()

    def __enter__(self) -> Cutter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def cut(self, start: float, end: float, target: Path) -> None:
        """Writes what is shown and heard between two times, from time 0 on.

        The first picture is the one on the screen at the start, the last the one before the end; sound begins and ends
        at the sample.

        Args:
            start, end: seconds of the video.
            target: the file, MP4, whole or not at all.

        Raises:
            InputError: nothing is shown then, or the file cannot be written.
        """
        frames = self.video.frames(start, end)
        if (first := next(frames, None)) is None:
            raise InputError(f"{self.video.name}: shows nothing between {start:.2f} and {end:.2f} s")
        with replacing(target) as part, av.open(str(part), "w", format="mp4") as output:
            stream = video_stream(output, self.video.fps, first.image())
            sound = None if self.sound is None else self.sound.stream_in(output)
            last = -1
            for frame in chain((first,), frames):
                if (stamp := round(max(frame.time - start, 0.0) / CLOCK)) > last:
                    picture = av.VideoFrame.from_ndarray(even(frame.image()), format="rgb24")
                    picture.pts, picture.time_base, last = stamp, CLOCK, stamp
                    output.mux(stream.encode(picture))
            output.mux(stream.encode())
            if self.sound is not None and sound is not None:
                for block in self.sound.frames(start, end):
                    output.mux(sound.encode(block))
                output.mux(sound.encode())


class _Sound:
    """The sound that goes with a video."""

    def __init__(self, stack: ExitStack, source: str, video: VideoReader) -> None:
        assert video.streams.sound is not None
        self.container, self.video = stack.enter_context(opened(source, source)), video
        self.stream: Any = self.container.streams[video.streams.sound.index]
        self.rate = self.stream.rate if self.stream.rate in RATES else 48000
        self.layout = "mono" if self.stream.codec_context.layout.nb_channels == 1 else "stereo"

    def stream_in(self, output: av.container.OutputContainer) -> Any:
        """A stream for it."""
        return output.add_stream(SOUND, rate=self.rate, layout=self.layout)

    def frames(self, start: float, end: float) -> Iterator[av.AudioFrame]:
        """What is heard between two times, in blocks of the codec's size."""
        waiting: Samples = np.zeros((1 if self.layout == "mono" else 2, 0), dtype=np.float32)
        begin = 0
        for piece in chain(self._pieces(start, end), (None,)):
            waiting = waiting if piece is None else np.concatenate([waiting, piece], axis=1)
            while waiting.shape[1] >= (BLOCK if piece is not None else 1):
                yield self._frame(waiting[:, :BLOCK], begin)
                begin += BLOCK
                waiting = waiting[:, BLOCK:]

    def _pieces(self, start: float, end: float) -> Iterator[Samples]:
        """Samples (C, n) that follow each other from the start to the end; silence where there is no sound."""
        done, all_ = 0, round((end - start) * self.rate)
        for time, samples in self._decoded(start):
            if time >= end:
                break
            begin = round((time - start) * self.rate)
            if begin > done:
                yield np.zeros((len(samples), begin - done), dtype=np.float32)
                done = begin
            piece = samples[:, done - begin : all_ - begin]
            if piece.shape[1]:
                yield piece
                done += piece.shape[1]

    def _decoded(self, start: float) -> Iterator[tuple[float, Samples]]:
        """Sound with its times from somewhere before a time on."""
        origin = self.video.origin
        self.container.seek(max(int((origin + start - 1.0) * av.time_base), 0))
        resampler = av.AudioResampler(format="fltp", layout=self.layout, rate=self.rate)
        for frame in self.container.decode(self.stream):
            if frame.pts is None or frame.time_base is None:
                continue
            time = float(frame.pts * frame.time_base) - origin
            for changed in resampler.resample(frame):
                yield time, changed.to_ndarray().astype(np.float32, copy=False)

    def _frame(self, samples: Samples, begin: int) -> av.AudioFrame:
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout=self.layout)
        frame.sample_rate, frame.pts, frame.time_base = self.rate, begin, Fraction(1, self.rate)
        return frame
