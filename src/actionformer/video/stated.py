"""What a container states of its clock: where it begins, where it ends, how many pictures come a second."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import av
from av.container import InputContainer

# AVI does not store when a frame is shown, and what FFmpeg makes up for reordered frames is wrong; they are decoded at
# a steady pace, though, which the decoding times keep.
WITHOUT_TIMES = {"avi"}
JOINABLE = {"mpegts", "mpeg"}
"""Containers that may be joined end to end, so that no duration they state covers all."""
COUNTED = {"mov"}
"""Containers whose rate FFmpeg finds as the number of all pictures over their length."""
NO_TIMESTAMPS = 0x80
"""FFmpeg's flag of a raw stream, whose pictures have no times."""


@dataclass(frozen=True)
class Stated:
    """Seconds are those of the container's own clock."""

    zero: float | None
    """Where the container begins: with the first sound or picture, as FFmpeg and players take it."""
    start: float
    """Where its pictures begin."""
    end: float | None
    """Where its pictures end, None where it does not say."""
    ends: tuple[float, ...]
    """Where anything in it ends."""
    fps: float | None
    """Frames a second."""
    guesses: tuple[float, ...]
    """What FFmpeg takes the rate to be, the best first."""
    counted: bool
    """Whether the rate is that of all pictures, so that pauses lower it."""
    timed: bool
    """Whether pictures have times, or a rate that the codec states; else FFmpeg makes both up."""
    joinable: bool
    """Whether it may be several recordings end to end."""
    shown_unsaid: bool
    """Whether it says when pictures are decoded, and not when they are shown."""


def stated(container: InputContainer, video: Any) -> Stated:
    """What an open container states of its stream of pictures."""
    names = set(container.format.name.split(","))
    base = float(video.time_base or 0)
    zero = None if container.start_time is None else container.start_time / av.time_base
    start = (video.start_time or 0) * base
    ends = [start + video.duration * base] if video.duration else []
    if ends and names & WITHOUT_TIMES and video.average_rate:
        ends[0] = max(ends[0], float(video.frames / video.average_rate))  # cut, AVI says what is left, counts what was
    ends += tagged_end(video)
    if container.duration and len(container.streams) == 1:  # else another stream may be the one that ends there
        ends.append(container.duration / av.time_base)
    whole = (container.duration or 0) / av.time_base
    codec_rate = video.codec_context.framerate
    raw = bool(container.format.flags & NO_TIMESTAMPS) or container.format.name.endswith("_pipe")
    counted = bool(names & COUNTED)
    average = codec_rate if raw else video.average_rate
    if counted and not video.frames:  # fragments: their pictures are counted nowhere
        average = None
    guesses = (video.average_rate, video.guessed_rate, video.base_rate)
    return Stated(
        zero,
        start,
        ends[0] if ends else None,
        (*ends, whole, (zero or 0.0) + whole),
        float(average) if average else None,
        tuple(float(guess) for guess in guesses if guess),
        counted,
        bool(codec_rate) or not raw,
        bool(names & JOINABLE),
        bool(names & WITHOUT_TIMES),
    )


def tagged_end(stream: Any) -> list[float]:
    """What Matroska's tag says: hours:minutes:seconds."""
    try:
        hours, minutes, seconds = map(float, stream.metadata["DURATION"].split(":"))
    except (KeyError, ValueError):
        return []
    end = 3600 * hours + 60 * minutes + seconds
    return [end] if math.isfinite(end) else []
