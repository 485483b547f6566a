"""The sound of a span of a video file, on samples that do not depend on where the span begins."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from actionformer.video.opening import opened, streams_of

RATE = 48_000
"""Samples a second of what is given, whatever the file has."""
MARGIN = 1.0
"""Seconds before the span that are decoded too: decoders and resampling need a past."""
GAP = 0.1
"""Seconds between where a frame was expected and where it is from which sound is missing in between."""

ROUNDED = 0.001
"""Seconds by which containers may round times."""

Samples = NDArray[np.float32]
"""(2, samples) left and right, within -1..1."""


def sound_between(path: Path, first: int, last: int) -> Samples:
    """The samples from index `first` up to `last` on the clock of the file; silence where nothing can be decoded."""
    sound = np.zeros((2, last - first), np.float32)
    try:
        with opened(str(path), path.name) as file:
            stream = streams_of(file, str(path)).sound
            if stream is None:
                return sound
            origin = float((stream.start_time or 0) * stream.time_base)
            for run in _runs(_decoded(file, stream, first / RATE - MARGIN, last / RATE)):
                at, samples = run.resampled(origin)
                _lay(sound, at - first, samples)
    except (av.FFmpegError, ValueError):  # broken there, or a layout that cannot be converted
        pass
    return sound


def _decoded(file: Any, stream: Any, start: float, stop: float) -> Iterator[av.AudioFrame]:
    """The frames from a place at or before `start` on, if it can be found."""
    if start > 0:
        file.seek(math.floor(start / stream.time_base), stream=stream, backward=True)
    for packet in file.demux(stream):
        try:
            frames = packet.decode()
        except av.FFmpegError:  # damaged: a gap
            continue
        for frame in frames:
            if frame.time is not None and frame.time >= stop:
                return
            yield frame


@dataclass
class _Run:
    """Frames without a gap between them."""

    kind: tuple[str, str, int]
    """Format, layout, and samples a second."""
    parts: list[NDArray[Any]] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    """Samples of each frame."""
    begins: list[float] = field(default_factory=list)
    """When the run began as each frame says it, seconds; they differ by what the container rounds."""

    @property
    def end(self) -> float:
        """When the next frame begins, seconds."""
        return self.begins[0] + sum(self.lengths) / self.kind[2]

    def add(self, frame: av.AudioFrame, time: float) -> None:
        self.begins.append(time - sum(self.lengths) / self.kind[2])
        self.lengths.append(frame.samples)
        self.parts.append(frame.to_ndarray())

    def begin(self, origin: float) -> float:
        """When the run begins, seconds: exactly where frames of one length have followed one another since `origin`."""
        near = (min(self.begins) + max(self.begins)) / 2
        inner = set(self.lengths[1:-1])
        if len(inner) != 1:
            return near
        step, to_last = inner.pop() / self.kind[2], sum(self.lengths[:-1]) / self.kind[2]
        exact = origin + round((near + to_last - origin) / step) * step - to_last
        return exact if abs(exact - near) < ROUNDED else near

    def resampled(self, origin: float) -> tuple[int, Samples]:
        """Index of the first sample on the clock of the file, and the samples.

        So many samples are left out at the beginning that the next one falls onto one of the result.
        """
        format, layout, rate = self.kind
        heads = np.arange(rate // math.gcd(rate, RATE))
        places = (self.begin(origin) + heads / rate) * RATE
        head = int(np.argmin(np.abs(places - np.round(places))))
        whole = np.concatenate(self.parts, axis=1)
        packed = whole.shape[1] // sum(self.lengths)  # channels side by side
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(whole[:, head * packed :]), format, layout)
        frame.sample_rate = rate
        resampler = av.AudioResampler("fltp", "stereo", RATE)
        made = [*resampler.resample(frame), *resampler.resample(None)]
        return round(places[head]), np.concatenate([one.to_ndarray() for one in made], axis=1)


def _runs(frames: Iterator[av.AudioFrame]) -> Iterator[_Run]:
    run: _Run | None = None
    for frame in frames:
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        time = frame.time if frame.time is not None else run.end if run else 0.0
        if run is None or run.kind != kind or abs(time - run.end) > GAP:
            if run is not None:
                yield run
            run = _Run(kind)
        run.add(frame, time)
    if run is not None:
        yield run


def _lay(sound: Samples, at: int, samples: Samples) -> None:
    """Writes samples from index `at` on, as far as they fit."""
    begin, end = max(at, 0), min(at + samples.shape[1], sound.shape[1])
    if begin < end:
        sound[:, begin:end] = samples[:, begin - at : end - at]
