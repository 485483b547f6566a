"""The recordings that labels are of, such as videos: how long they are, and how many frames a second they have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from actionformer.backbones import medium_at
from actionformer.extraction.inputs import videos_there
from actionformer.medium import Medium
from actionformer.sound.medium import SOUND
from actionformer.video.pictures import PICTURES


@dataclass(frozen=True)
class Recording:
    """A file, as far as labels depend on it."""

    id: str
    fps: float
    """Frames per second."""
    duration: float
    """Seconds at which it ends."""
    doubt: str | None = None
    """Why its rate may be wrong."""


def read_recordings(videos: Sequence[str | Path]) -> dict[str, Recording]:
    """The videos that files, folders and patterns stand for, or sound files where there are none, by id.

    They are opened, and not decoded.

    Raises:
        InputError: no such files, two of one id, or one that cannot be read.
    """
    return {
        id_: read_recording(path, id_, medium_at(path)) for path, id_ in videos_there(videos, PICTURES, SOUND).items()
    }


def read_recording(path: Path, id_: str, medium: Medium = PICTURES, fps: float | None = None) -> Recording:
    """A file of a medium.

    Args:
        path: the file.
        id_: what it is called.
        medium: what it holds.
        fps: frames per second that it is read at; by default its own.

    Raises:
        InputError: it cannot be read.
    """
    with medium.open(path, fps) as recording:
        duration = recording.declared
        if not duration:  # the file does not say: it is read to its end
            duration = recording.summary(sum(1 for _ in recording.rows())).duration
        return Recording(id_, recording.fps, duration, recording.doubt)
