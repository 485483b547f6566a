"""The videos that labels are of: how long they are, and how many frames a second they have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from actionformer.extraction.inputs import videos_there
from actionformer.video.reader import VideoReader


@dataclass(frozen=True)
class Recording:
    """A video file, as far as labels depend on it."""

    id: str
    fps: float
    """Frames per second."""
    duration: float
    """Seconds at which its pictures end."""
    doubt: str | None = None
    """Why its rate may be wrong."""


def read_recordings(videos: Sequence[str | Path]) -> dict[str, Recording]:
    """The videos that files, folders and patterns stand for, by id. They are opened, and not decoded.

    Raises:
        InputError: no videos, two of one id, or one that cannot be read.
    """
    return {id_: read_recording(path, id_) for path, id_ in videos_there(videos).items()}


def read_recording(path: Path, id_: str) -> Recording:
    """A video file.

    Raises:
        InputError: it cannot be read.
    """
    with VideoReader(path) as video:
        duration = video.declared
        if not duration:  # the container does not say: it is read to its end
            for _ in video.frames():
                pass
            duration = video.end
        return Recording(id_, video.fps, duration, video.rate.doubt)
