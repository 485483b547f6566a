"""Media segments: video that no browser plays, encoded in files of a few seconds, any of which can be made first.

They join without gaps: the last picture lasts until the next segment begins, and sound is cut between two frames of its
encoder, which hears what comes before a segment and what comes after it.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterable
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import av
from av.video.frame import PictureType
from av.video.reformatter import ColorRange

from actionformer.core.errors import InputError
from actionformer.video.orientation import UPRIGHT
from actionformer.video.reader import TimedFrame, VideoReader
from actionformer.viewer.media.encodings import Encoding, encoding
from actionformer.viewer.media.sound import RATE, sound_between

SEGMENT_SECONDS = 3.2
"""Length of a media segment: 150 frames of AAC."""
LONGEST_SIDE = 1280
CLOCK = 90_000
"""Ticks a second of the pictures."""
AAC_FRAME = AAC_DELAY = 1024
"""Samples of a frame of sound, and by which its first packet begins before what is encoded."""
BEFORE = 8
"""Frames of sound that the encoder hears before a segment."""


class NoPictureError(InputError):
    """Nothing can be shown of a span of a video."""


def encode_segment(path: Path, number: int, sound: bool) -> bytes:
    """The file of one media segment. Times count from its beginning; pictures are upright, at most `LONGEST_SIDE` long.

    Args:
        path: a video.
        number: of the segment, which begins at `number * SEGMENT_SECONDS`.
        sound: whether it gets sound.

    Raises:
        NoPictureError: the video is over, or broken there.
        InputError: not a readable video, or FFmpeg has no encoder for it.
    """
    how, start, stop = encoding(), number * SEGMENT_SECONDS, (number + 1) * SEGMENT_SECONDS
    file = io.BytesIO()
    with VideoReader(path) as video:
        frames = video.frames(start, stop - 0.5 / CLOCK)
        first = next(frames, None) or _held_before(video, stop)
        if first is None:
            why = f"is broken there ({video.broken})" if video.broken else "has nothing there that can be decoded"
            raise NoPictureError(f"no picture from {start:.1f} s on: {path.name} {why}")
        with av.open(file, "w", format=how.container, options=how.container_options) as output:
            pictures = _picture_stream(output, how, video, first)
            voice: Any = output.add_stream("aac", rate=RATE, layout="stereo") if sound and how.sound else None
            packets = _encoded(pictures, chain([first], frames), start)
            end = min(video.end, stop) - start
            _last_until(packets, round(end * CLOCK))
            if voice:
                packets += _encoded_sound(voice, path, video.origin + start, end)
            for packet in packets:
                output.mux(packet)
    return file.getvalue()


def _held_before(video: VideoReader, stop: float) -> TimedFrame | None:
    """The first picture of a video that begins later: it stands there until it does."""
    first = next(video.frames(), None)
    return first if first and first.time >= stop - 0.5 / CLOCK else None


def _picture_stream(output: Any, how: Encoding, video: VideoReader, first: TimedFrame) -> Any:
    """A stream of pictures as large as the video is shown, and of its colours."""
    rate = Fraction(video.fps).limit_denominator(CLOCK)
    a_key_a_second = {"g": str(max(round(video.fps), 1))}  # for steps backwards
    stream = output.add_stream(how.codec, rate=rate, options=how.codec_options | a_key_a_second)
    stream.width, stream.height = _shown_size(first, video.stream.sample_aspect_ratio or Fraction(1))
    stream.pix_fmt = "yuv420p"
    stream.codec_context.time_base = Fraction(1, CLOCK)
    stream.codec_context.color_range = ColorRange.MPEG
    if first.decoded.format.name.startswith("yuv") and first.orientation == UPRIGHT:
        _keep_colours(video.stream.codec_context, stream.codec_context)
    return stream


def _keep_colours(source: Any, target: Any) -> None:
    """What numbers mean which colours."""
    for what in ("colorspace", "color_primaries", "color_trc"):
        setattr(target, what, getattr(source, what))


def _shown_size(frame: TimedFrame, pixel_aspect: Fraction) -> tuple[int, int]:
    """Width and height with square pixels, upright, even as 4:2:0 wants them."""
    stored = frame.orientation.size(*frame.size)
    width, height = frame.orientation.size(*(round(stored[0] * pixel_aspect), stored[1]))
    scale = min(1.0, LONGEST_SIDE / max(width, height))
    return max(2 * int(width * scale / 2), 2), max(2 * int(height * scale / 2), 2)


def _encoded(stream: Any, frames: Iterable[TimedFrame], start: float) -> list[Any]:
    """Packets of frames whose times count from `start`, where the first begins; of frames at one time one is taken."""
    packets: list[Any] = []
    last = -1
    for frame in frames:
        stamp = 0 if last < 0 else round((frame.time - start) * CLOCK)
        if stamp > last:
            upright = frame.decoded if frame.orientation == UPRIGHT else av.VideoFrame.from_ndarray(frame.image())
            ranges = {"src_color_range": upright.color_range, "dst_color_range": ColorRange.MPEG}
            picture = upright.reformat(stream.width, stream.height, "yuv420p", **ranges)
            picture.pts, picture.time_base, picture.pict_type = stamp, Fraction(1, CLOCK), PictureType.NONE
            packets += stream.encode(picture)
            last = stamp
    packets += stream.encode(None)
    return packets


def _last_until(packets: list[Any], end: int) -> None:
    """Each picture stays until the next one, the last one until `end`, ticks."""
    for packet, following in zip(packets, [*(packet.pts for packet in packets[1:]), end], strict=True):
        packet.duration = following - packet.pts


def _encoded_sound(stream: Any, path: Path, start: float, seconds: float) -> list[Any]:
    """The packets that sound from `start` on, seconds on the clock of the file, at least for so many seconds."""
    count = math.ceil(seconds * RATE / AAC_FRAME)
    first = round(start * RATE) - BEFORE * AAC_FRAME + AAC_DELAY
    heard = sound_between(path, first, first + (BEFORE + count + 1) * AAC_FRAME)
    whole = av.AudioFrame.from_ndarray(heard, format="fltp", layout="stereo")
    whole.sample_rate, whole.pts, whole.time_base = RATE, 0, Fraction(1, RATE)
    packets: list[Any] = [*stream.encode(whole), *stream.encode(None)][BEFORE : BEFORE + count]
    for i, packet in enumerate(packets):
        packet.pts = packet.dts = i * AAC_FRAME
        packet.time_base, packet.duration = Fraction(1, RATE), AAC_FRAME
    return packets
