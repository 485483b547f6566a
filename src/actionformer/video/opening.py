"""Opening a video file or source, and which of its streams are its video and its sound: one answer for all readers."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.stream import Disposition

from actionformer.core.errors import InputError
from actionformer.core.files import check_fetched

COVER = Disposition.attached_pic | Disposition.timed_thumbnails
UNKNOWN = "unknown"
"""Codec of a stream that FFmpeg cannot decode."""
ADVICE = "is the file whole?"
MOST_CHUNKS = 1000
"""Parts of a RIFF file that are looked at: few come before its pictures and sound."""
READ_PACKETS = 200
"""Packets of a file that are read to tell a moving stream from a picture that nobody marked as a cover."""


@dataclass(frozen=True)
class Streams:
    """The streams of a container that are read."""

    video: Any
    sound: Any | None
    """That of the video's own program, None where there is none."""
    alone: bool
    """Whether no other stream could be taken for the video; marked covers never are."""


def opened(content: Any, name: str, advice: str = ADVICE, kind: str = "video", **settings: Any) -> InputContainer:
    """An open container; texts in it that are not UTF-8 are read without the bytes that are none.

    Args:
        content: what PyAV opens: a path, an address, something with `read`.
        name: what messages call it.
        advice: what to do where it cannot be read.
        kind: what it should be, as messages call it.
        settings: of `av.open`.

    Raises:
        InputError: FFmpeg cannot read it.
    """
    file = Path(content) if isinstance(content, str) and Path(content).is_file() else None
    if file is not None:
        _check_facts(file, name, advice)
    try:
        container: InputContainer = av.open(content, metadata_errors="ignore", **settings)
    except (av.FFmpegError, ValueError) as error:
        if file is not None:
            check_fetched(file)
        raise InputError(f"{name}: not a readable {kind} ({reason(error)}): {advice}") from error
    return container


def _check_facts(path: Path, name: str, advice: str) -> None:
    """Checks that what a RIFF file (WAV, AVI) tells of itself, as its title, fits into it: FFmpeg makes room for all.

    Raises:
        InputError: they are said to go beyond its end.
    """
    with path.open("rb") as file:
        if file.read(4) != b"RIFF":
            return
        place, end = 12, path.stat().st_size
        for _ in range(MOST_CHUNKS):
            file.seek(place)
            chunk = file.read(12)  # its kind, how long it is, and of a list what it lists
            if len(chunk) < 12:
                return
            place += 8 + int.from_bytes(chunk[4:8], "little")
            if chunk[:4] == b"LIST" and chunk[8:] == b"INFO" and place > end:
                raise InputError(f"{name}: what it tells of itself would go on beyond its end: {advice}")
            place += place % 2


def streams_of(container: InputContainer, name: str) -> Streams:
    """FFmpeg's best video stream and the best sound that goes with it; a cover, a thumbnail or a still is no video.

    A still is taken only where nothing moves.

    Args:
        container: an open one.
        name: its path, or what messages call it.

    Raises:
        InputError: it has no video stream, or none that FFmpeg decodes.
    """
    shown = [stream for stream in container.streams.video if not stream.disposition & COVER]
    candidates = [stream for stream in shown if stream.codec_context is not None]
    if not candidates:
        raise InputError(f"{name}: {_without_video(container) if not shown else 'FFmpeg has no decoder for its video'}")
    if len(candidates) > 1:
        candidates = _moving(candidates, name) or candidates
    best = container.streams.best("video")
    video = next((stream for stream in candidates if best and stream.index == best.index), candidates[0])
    return Streams(video, container.streams.best("audio", related=video), len(shown) == 1)


def _without_video(container: InputContainer) -> str:
    kinds = ", ".join(sorted({stream.type for stream in container.streams} - {"video"})) or "nothing"
    return f"has no video stream, it holds {kinds}"


def _moving(candidates: list[Any], name: str) -> list[Any]:
    """Those with more than one picture, by what the file states or by its first packets.

    FFmpeg prefers what is marked as default, and muxers mark the first stream, which may be a cover.
    """
    pictures = {stream.index: int(stream.frames) for stream in candidates}
    if not all(pictures.values()) and Path(name).is_file():
        pictures = _counted(name, pictures)
    still = Disposition.still_image
    return [stream for stream in candidates if pictures[stream.index] > 1 and not stream.disposition & still]


def _counted(path: str, pictures: dict[int, int]) -> dict[int, int]:
    """How many pictures of each stream the file states, or begins with."""
    counts = dict(pictures)
    try:
        with opened(path, path) as file:
            for packet in islice(file.demux([file.streams[index] for index in counts]), READ_PACKETS):
                counts[packet.stream.index] += bool(packet.size)
                if min(counts.values()) > 1:
                    break
    except (av.FFmpegError, InputError, IndexError):  # what was counted until it broke off is all there is to go by
        pass
    return counts


def codec_of(stream: Any | None) -> str:
    """The codec of a stream, whichever decoder FFmpeg has for it; `UNKNOWN` where there is none, or no stream."""
    context = None if stream is None else stream.codec_context
    return UNKNOWN if context is None else str(context.codec.canonical_name)


def reason(error: Exception) -> str:
    """What went wrong, in the words of FFmpeg."""
    return str(getattr(error, "strerror", None) or error).rstrip(".")
