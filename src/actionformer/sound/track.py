"""Which of the streams of a file is its sound, and what the file says of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import av
from av.container import InputContainer

from actionformer.core.errors import InputError
from actionformer.core.words import plural
from actionformer.video.opening import streams_of
from actionformer.video.stated import JOINABLE, NO_TIMESTAMPS, stated, tagged_end

LENGTHS = {"mov", "matroska", "avi", "wav", "flac", "aiff"}
"""Containers whose length is written in them; of others FFmpeg estimates it, or finds it where the file ends."""
RAW = {"aac", "loas", "mp3", "ac3", "eac3", "dts", "truehd", "amr"}
"""Streams without a container. FFmpeg makes up their times as if the rate of the beginning never changed."""


@dataclass(frozen=True)
class Track:
    """The sound of a file. Seconds are those of the container's own clock."""

    stream: Any
    zero: float | None
    """Time 0 of the recording; None where that is the first sound."""
    end: float | None
    """Where the sound ends, None where the container does not say or only estimates it."""
    pictures_end: float | None
    """Where the pictures end, None without pictures, or where the container does not say."""
    timed: bool
    """Whether packets have times; those of a raw stream are made up, and its samples are counted instead."""
    joinable: bool
    """Whether it may be several recordings end to end."""
    remark: str | None
    """That there are several tracks, and which one this is."""


def track_of(container: InputContainer, name: str) -> Track:
    """The sound that goes with the pictures, or FFmpeg's best one where there are none; a cover is no picture.

    Args:
        container: an open one.
        name: its path.

    Raises:
        InputError: it has no sound, or none that FFmpeg decodes.
    """
    tracks = container.streams.audio
    if not tracks:
        kinds = ", ".join(sorted({stream.type for stream in container.streams})) or "nothing"
        raise InputError(f"{name}: has no sound track, it holds {kinds}")
    pictures = _pictures(container, name)
    best = container.streams.best("audio", related=pictures) if pictures else container.streams.best("audio")
    stream: Any = best or next((track for track in tracks if track.codec_context is not None), None)
    if stream is None or stream.codec_context is None:
        raise InputError(f"{name}: FFmpeg has no decoder for its sound")
    names, alone = _names(container), pictures is None and len(tracks) == 1
    return Track(
        stream=stream,
        zero=None if alone or container.start_time is None else container.start_time / av.time_base,
        end=_end(container, stream),
        pictures_end=None if pictures is None else stated(container, pictures).end,
        timed=not (names & RAW or container.format.flags & NO_TIMESTAMPS),
        joinable=bool(names & JOINABLE),
        remark=_remark(list(tracks), stream, bool(pictures)),
    )


def _pictures(container: InputContainer, name: str) -> Any | None:
    try:
        return streams_of(container, name).video
    except InputError:  # no pictures, or none that FFmpeg decodes
        return None


def _names(container: InputContainer) -> set[str]:
    return set(container.format.name.split(","))


def _end(container: InputContainer, stream: Any) -> float | None:
    if not _names(container) & LENGTHS:
        return None
    base = float(stream.time_base or 0)
    start = (stream.start_time or 0) * base
    ends = [start + stream.duration * base] if stream.duration else tagged_end(stream)
    if container.duration and len(container.streams) == 1:
        ends.append(start + container.duration / av.time_base)
    return ends[0] if ends else None


def _remark(tracks: list[Any], taken: Any, pictures: bool) -> str | None:
    if len(tracks) == 1:
        return None
    places = [track.index for track in tracks]
    number = places.index(taken.index)
    said = ", ".join(filter(None, (taken.metadata.get("language"), plural(taken.codec_context.channels, "channel"))))
    other = 1 if number == 0 else 0
    kept = "-map 0:v " if pictures else ""
    return (
        f"holds {len(tracks)} sound tracks, of which number {number + 1} ({said}) is taken: "
        f"ffmpeg -i IN {kept}-map 0:a:{other} -c copy OUT makes a file with number {other + 1}"
    )
