"""A copy of a video with its detections drawn in: labels, scores, and a timeline strip with a playhead."""

from __future__ import annotations

import colorsys
import math
from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import av
import numpy as np

from actionformer.detections import Detections
from actionformer.errors import InputError
from actionformer.files import replacing
from actionformer.video.opencv import opencv
from actionformer.video.reader import Image, Video

CLOCK = Fraction(1, 90_000)  # seconds; exact for the usual rates
CODECS = ("libx264", "libvpx-vp9", "mpeg4")  # the first that FFmpeg has and the container takes
LANE = 0.035  # height of a class's lane in the strip, of the frame
MOST_LANES = 10
INK = (255, 255, 255)


class Overlay:
    """Draws the detections of one video into its frames.

    Args:
        found: what to draw.
        duration: of the video, seconds; what the strip spans.
        size: height and width of the frames, pixels.
    """

    def __init__(self, found: Detections, duration: float, size: tuple[int, int]) -> None:
        self.cv2 = opencv("drawing into a video")
        self.found, self.duration, self.size = found, duration, size
        self.height = max(round(LANE * size[0]), 6)  # of a lane
        best = list(dict.fromkeys(found.labels.tolist()))[:MOST_LANES]  # those with the best detections
        self.lanes = {label: lane for lane, label in enumerate(sorted(best))}
        self.strip = self._strip()

    def draw(self, image: Image, time: float) -> Image:
        """The frame (H, W, 3) shown at a time, with the strip below it and the labels of that time in its corner."""
        strip = self.strip.copy()
        if len(strip):
            x = min(round(self.size[1] * time / self.duration), self.size[1] - 1)
            strip[:, max(x - 1, 0) : x + 2] = INK
        drawn = np.concatenate((image, strip))
        now = (self.found.segments[:, 0] <= time) & (time < self.found.segments[:, 1])
        for line, row in enumerate(np.flatnonzero(now)):
            label = int(self.found.labels[row])
            self._tag(drawn, line, f"{self.found.class_names[label]} {self.found.scores[row]:.2f}", colour(label))
        return drawn

    def _strip(self) -> Image:
        """(h, W, 3), h even so that codecs take it: a lane a class, a bar a detection, brighter for a better score."""
        strip = np.full((self.height * len(self.lanes) // 2 * 2, self.size[1], 3), 24, dtype=np.uint8)
        for row in reversed(range(len(self.found))):  # the best on top
            if (lane := self.lanes.get(int(self.found.labels[row]))) is None:
                continue
            start, end = (round(self.size[1] * t / self.duration) for t in self.found.segments[row])
            light = np.array(colour(int(self.found.labels[row]))) * (0.35 + 0.65 * self.found.scores[row])
            strip[lane * self.height + 1 : (lane + 1) * self.height - 1, start : max(end, start + 1)] = light
        return strip

    def _tag(self, image: Image, line: int, text: str, fill: tuple[int, int, int]) -> None:
        scale = self.size[0] / 480
        font, thickness = self.cv2.FONT_HERSHEY_SIMPLEX, max(round(1.5 * scale), 1)
        (width, height), below = self.cv2.getTextSize(text, font, 0.6 * scale, thickness)
        pad = max(round(4 * scale), 2)
        top = pad + line * (height + below + 2 * pad)
        if top + height + below + pad > self.size[0]:
            return  # more than fit
        box = (pad, top), (3 * pad + width, top + height + below + pad)
        self.cv2.rectangle(image, *box, fill, -1)
        self.cv2.putText(
            image, text, (2 * pad, top + height + pad // 2), font, 0.6 * scale, INK, thickness, self.cv2.LINE_AA
        )


def colour(label: int) -> tuple[int, int, int]:
    """RGB of a class: hues a golden angle apart, dark enough for white text."""
    red, green, blue = colorsys.hsv_to_rgb(label * 0.618034 % 1, 0.75, 0.7)
    return round(255 * red), round(255 * green), round(255 * blue)


def write_overlay(source: str | Path, found: Detections, target: str | Path) -> None:
    """Writes a copy of a video with its detections drawn in; frames keep their times, sound is copied if it fits.

    Args:
        source: the video.
        found: its detections; leave out those not worth showing.
        target: the file to write, whole or not at all; its ending tells the container: .mp4, .mkv, .mov, ...

    Raises:
        InputError: a video that cannot be read, a target that cannot be written, or opencv is not installed.
    """
    target = Path(target)
    with ExitStack() as stack:
        video = stack.enter_context(Video(source))
        frames = video.frames()
        first = next(frames)
        output = stack.enter_context(_output(stack.enter_context(replacing(target)), target))
        overlay = Overlay(found, video.declared or _end(found), first.image().shape[:2])
        stream = _video_stream(output, video.fps, overlay.draw(first.image(), 0.0))
        sound = _Sound(stack.enter_context(av.open(str(source))), output, video.origin)
        for frame in chain((first,), frames):
            sound.copy_until(frame.time)
            drawn = av.VideoFrame.from_ndarray(_even(overlay.draw(frame.image(), frame.time)), format="rgb24")
            drawn.pts, drawn.time_base = round(frame.time / CLOCK), CLOCK
            output.mux(stream.encode(drawn))
        output.mux(stream.encode())
        sound.copy_until(math.inf)


def _output(temporary: Path, target: Path) -> av.container.OutputContainer:
    kind = av_format(target)
    try:
        return av.open(str(temporary), "w", format=kind)
    except (av.FFmpegError, ValueError) as error:
        raise InputError(f"{target}: cannot write a video that ends so: take .mp4 or .mkv") from error


def av_format(target: Path) -> str:
    """FFmpeg's name of the container that an ending stands for; most are called like it."""
    ending = target.suffix.lower().removeprefix(".")
    return {"mkv": "matroska", "m4v": "mp4", "ts": "mpegts", "wmv": "asf", "mpg": "mpeg"}.get(ending, ending)


def _video_stream(output: av.container.OutputContainer, fps: float, example: Image) -> Any:
    codec = next((name for name in CODECS if name in output.supported_codecs), output.default_video_codec)
    stream: Any = output.add_stream(codec, rate=Fraction(fps).limit_denominator(1001))
    stream.height, stream.width = _even(example).shape[:2]
    stream.pix_fmt = "yuv420p"
    stream.codec_context.time_base = CLOCK
    return stream


def _even(image: Image) -> Image:
    """An image whose sides are even, as the codecs want: the last row or column again where one is odd."""
    return np.pad(image, ((0, image.shape[0] % 2), (0, image.shape[1] % 2), (0, 0)), mode="edge")


def _end(found: Detections) -> float:
    return float(found.segments[:, 1].max(initial=1e-3))


class _Sound:
    """Copies the packets of the first sound stream, as far as the container takes them."""

    def __init__(
        self, source: av.container.InputContainer, output: av.container.OutputContainer, origin: float
    ) -> None:
        self.output, self.origin = output, origin
        self.packets: Iterator[av.Packet[Any]] = iter(())
        self.held: av.Packet[Any] | None = None
        self.stream: Any = None
        if source.streams.audio and source.streams.audio[0].codec.canonical_name in output.supported_codecs:
            self.stream = output.add_stream_from_template(source.streams.audio[0])
            self.packets = source.demux(source.streams.audio[0])

    def copy_until(self, time: float) -> None:
        """Copies what is heard up to a time, seconds from the first frame."""
        while packet := self.held or next(self.packets, None):
            self.held = packet
            if packet.pts is not None and packet.dts is not None:
                if float(packet.pts * packet.time_base) - self.origin > time:
                    return
                shift = round(self.origin / packet.time_base)
                packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
                packet.stream = self.stream
                if packet.pts >= 0:
                    self.output.mux(packet)
            self.held = None
