"""A copy of a video with its detections drawn in: labels, scores, and a timeline strip with a playhead."""

from __future__ import annotations

import colorsys
import io
import math
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from itertools import chain
from pathlib import Path
from typing import Any

import av
import numpy as np
from rich.console import Console

from actionformer.core.detections import Detections
from actionformer.core.errors import InputError
from actionformer.core.files import replacing
from actionformer.core.progress import counted
from actionformer.core.terminal import plain_console
from actionformer.video.lettering import drawn_names
from actionformer.video.opencv import opencv
from actionformer.video.opening import opened
from actionformer.video.reader import Image, TimedFrame, VideoReader
from actionformer.video.writing import CLOCK, even, video_stream

CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}
"""By ending, those that keep any times of frames; others, like AVI, know but one frame rate."""
LEAST_HEIGHT = 360  # pixels; smaller frames are enlarged, by a whole factor, until labels can be read in them
TEXT = 0.0016  # size of a label's letters, in OpenCV's unit, a pixel of the frame's height
LANE = 0.045  # height of a class's lane in the strip, of the frame
AGAIN = 1.0
"""Seconds after which a picture that still stands is drawn anew."""
MOST_LANES = 10
WIDEST_NAMES = 0.3  # share of the strip's width
INK, DARK = (255, 255, 255), (24, 24, 24)

Colour = tuple[int, int, int]


class Overlay:
    """Draws the detections of one video into its frames.

    Args:
        found: what to draw.
        duration: of the video, seconds; what the strip spans.
        size: height and width of the frames, pixels.
    """

    def __init__(self, found: Detections, duration: float, size: tuple[int, int]) -> None:
        self.cv2 = opencv("drawing into a video")
        self.found, self.duration = found, duration
        self.factor = max(1, math.ceil(LEAST_HEIGHT / size[0]))
        self.height, self.width = self.factor * size[0], self.factor * size[1]
        self.names = drawn_names(self.cv2, {int(label): found.class_names[label] for label in np.unique(found.labels)})
        best = list(dict.fromkeys(found.labels.tolist()))[:MOST_LANES]  # those with the best detections
        self.lanes = {label: lane for lane, label in enumerate(sorted(best))}
        self.lane = max(round(LANE * self.height), 6)  # pixels
        self.text = TEXT * self.height
        names = [self._extent(self.names[label], 0.7 * self.text)[0] for label in self.lanes]
        self.left = min(max(names, default=0) + self.lane, round(WIDEST_NAMES * self.width))  # where time 0 is
        self.strip = self._strip()

    def draw(self, image: Image, time: float) -> Image:
        """The frame (H, W, 3) shown at a time, with the strip below it and the labels of that time in its corner."""
        drawn = np.empty((self.height + len(self.strip), self.width, 3), dtype=np.uint8)
        picture, strip = drawn[: self.height], drawn[self.height :]
        picture[:] = image if self.factor == 1 else image.repeat(self.factor, axis=0).repeat(self.factor, axis=1)
        strip[:] = self.strip
        x = min(self._column(time), self.width - 1)
        strip[:, max(x - 1, 0) : x + 2] = INK
        now = (self.found.segments[:, 0] <= time) & (time < self.found.segments[:, 1])
        for line, row in enumerate(np.flatnonzero(now)):
            label = int(self.found.labels[row])
            self._tag(drawn, line, f"{self.names[label]} {self.found.scores[row]:.2f}", colour(label))
        return drawn

    def _column(self, time: float) -> int:
        """The column of the strip that stands for a time."""
        return self.left + round((self.width - self.left) * time / self.duration)

    def _strip(self) -> Image:
        """(h, W, 3), h even as codecs want it: a lane a class, with its name, and bars, brighter for a better score."""
        strip = np.full((self.lane * len(self.lanes) // 2 * 2, self.width, 3), DARK, dtype=np.uint8)
        for row in reversed(range(len(self.found))):  # the best on top
            label, segment = int(self.found.labels[row]), self.found.segments[row]
            if (lane := self.lanes.get(label)) is not None:
                start, end = (self._column(time) for time in segment)
                light = np.array(colour(label)) * (0.35 + 0.65 * min(self.found.scores[row], 1.0))
                strip[lane * self.lane + 1 : (lane + 1) * self.lane - 1, start : max(end, start + 1)] = light
        for label, lane in self.lanes.items():
            names = np.ascontiguousarray(strip[:, : self.left])  # what is longer ends here
            below = (lane + 1) * self.lane - round(0.3 * self.lane)
            self._write(names, self.names[label], (self.lane // 3, below), 0.7 * self.text, colour(label))
            strip[:, : self.left] = names
        return strip

    def _tag(self, image: Image, line: int, text: str, fill: Colour) -> None:
        """A label on a field of its colour; those above it come first."""
        (width, height), pad = self._extent(text, self.text), round(0.012 * self.height)
        top = pad + line * (height + 3 * pad)
        if top + height + 2 * pad > self.height:
            return  # more than fit
        self.cv2.rectangle(image, (pad, top), (3 * pad + width, top + height + 2 * pad), fill, -1)
        self._write(image, text, (2 * pad, top + height + pad), self.text, text_colour(fill))

    def _write(self, image: Image, text: str, place: tuple[int, int], size: float, ink: Colour) -> None:
        """Writes from a place, x and y, to the right; letters stand on it."""
        font, thickness = self.cv2.FONT_HERSHEY_SIMPLEX, max(round(2 * size), 1)
        self.cv2.putText(image, text, place, font, size, ink, thickness, self.cv2.LINE_AA)

    def _extent(self, text: str, size: float) -> tuple[int, int]:
        """Width and height of letters, pixels."""
        font, thickness = self.cv2.FONT_HERSHEY_SIMPLEX, max(round(2 * size), 1)
        (width, height), _ = self.cv2.getTextSize(text, font, size, thickness)
        return width, height


def colour(label: int) -> Colour:
    """RGB of a class: hues a golden angle apart, bright enough for the dark strip."""
    red, green, blue = colorsys.hsv_to_rgb(label * 0.618034 % 1, 0.65, 0.9)
    return round(255 * red), round(255 * green), round(255 * blue)


def text_colour(field: Colour) -> Colour:
    """What can be read on a field: dark letters on a light one, else white ones."""
    red, green, blue = field
    return DARK if 0.299 * red + 0.587 * green + 0.114 * blue > 120 else INK


def write_overlay(source: str | Path, found: Detections, target: str | Path, console: Console | None = None) -> None:
    """Writes a copy of a video with its detections drawn in; frames keep their times, sound is copied if it fits.

    A frame that is shown for long is drawn anew every `AGAIN` seconds.
    Frames lower than `LEAST_HEIGHT` are enlarged, by a whole factor.

    Args:
        source: the video.
        found: its detections; leave out those not worth showing.
        target: the file to write, whole or not at all; its ending tells the container, see `CONTAINERS`
        console: where progress is shown; by default nowhere.

    Raises:
        InputError: a video that cannot be read, a target that cannot be written, or opencv is not installed.
    """
    target = Path(target)
    with ExitStack() as stack:
        video = stack.enter_context(VideoReader(source))
        expected = video.stream.frames or round(video.fps * (video.declared or 0))
        frames = counted(video.frames(), expected, console or plain_console(quiet=True), "frames of the overlay")
        first = next(frames)
        output = stack.enter_context(_output(stack.enter_context(replacing(target)), target))
        overlay = Overlay(found, video.declared or _end(found), first.image().shape[:2])
        stream = video_stream(output, video.fps, overlay.draw(first.image(), 0.0))
        sound = _Sound(stack.enter_context(opened(str(source), str(source))), output, video)
        last = -1
        for time, image in _shown(chain((first,), frames), 1 / video.fps):
            if (stamp := round(time / CLOCK)) > last:  # of frames at one time codecs take but one
                sound.copy_until(time)
                drawn = av.VideoFrame.from_ndarray(even(overlay.draw(image, time)), format="rgb24")
                drawn.pts, drawn.time_base, last = stamp, CLOCK, stamp
                output.mux(stream.encode(drawn))
        output.mux(stream.encode())
        sound.copy_until(math.inf)


def _shown(frames: Iterable[TimedFrame], step: float) -> Iterator[tuple[float, Image]]:
    """When pictures are shown, seconds, and they; a dark one before a first that comes later than a step.

    One that stands for long comes again and again until the next one, or until a step before the end: what is drawn
    into it changes meanwhile.
    """
    time, end, image = 0.0, 0.0, None
    for frame in frames:
        following = frame.image()
        if image is not None:
            yield from _standing(time, frame.time, image)
        elif frame.time > step:
            yield 0.0, np.zeros_like(following)
        time, end, image = frame.time, frame.time + frame.duration, following
    if image is not None:
        yield from _standing(time, end, image)
        if end - time > 2 * min(step, AGAIN):
            yield end - min(step, AGAIN), image


def _standing(time: float, until: float, image: Image) -> Iterator[tuple[float, Image]]:
    yield time, image
    for again in range(1, math.ceil((until - time) / AGAIN)):
        yield time + again * AGAIN, image


def _output(temporary: Path, target: Path) -> av.container.OutputContainer:
    return av.open(str(temporary), "w", format=container_of(target))


def container_of(target: Path) -> str:
    """The container of a video that is to be written, by its ending.

    Raises:
        InputError: an ending that none is written with.
    """
    if (kind := CONTAINERS.get(target.suffix.lower())) is None:
        raise InputError(f"{target}: cannot write a video with this ending: use one of {', '.join(CONTAINERS)}")
    return kind


def _end(found: Detections) -> float:
    return float(found.segments[:, 1].max(initial=1e-3))


def _takes(container: str, sound: Any) -> bool:
    """Whether packets of a stream can be copied into a container: only the beginning of a file tells."""
    try:
        with av.open(io.BytesIO(), "w", format=container) as file:
            file.add_stream_from_template(sound)
            file.start_encoding()
    except (av.FFmpegError, ValueError):
        return False
    return True


class _Sound:
    """Copies the packets of the sound that goes with a video, as far as the container takes them."""

    def __init__(
        self, source: av.container.InputContainer, output: av.container.OutputContainer, video: VideoReader
    ) -> None:
        self.output, self.origin = output, video.origin
        self.packets: Iterator[av.Packet[Any]] = iter(())
        self.held: av.Packet[Any] | None = None
        self.stream: Any = None
        if video.streams.sound is not None:
            copied: Any = source.streams[video.streams.sound.index]
            if _takes(output.format.name, copied):
                self.stream = output.add_stream_from_template(copied)
                self.packets = source.demux(copied)

    def copy_until(self, time: float) -> None:
        """Copies what is heard up to a time, seconds."""
        while packet := self.held or next(self.packets, None):
            self.held = packet
            if packet.pts is not None and packet.dts is not None:
                if float(packet.pts * packet.time_base) - self.origin > time:
                    return
                shift = round(self.origin / packet.time_base)
                packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
                packet.stream = self.stream
                if packet.pts >= 0:
                    self._mux(packet)
            self.held = None

    def _mux(self, packet: av.Packet[Any]) -> None:
        with suppress(av.error.ArgumentError, av.error.InvalidDataError):  # damaged, or before the last one: a gap
            self.output.mux(packet)
