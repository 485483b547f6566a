"""The recordings that labels are of, such as videos: how long they are, and how many frames a second they have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from actionformer.backbones import medium_at
from actionformer.core.errors import InputError, listed
from actionformer.extraction.inputs import files_below, videos_there
from actionformer.medium import Medium
from actionformer.sensors.medium import SENSORS
from actionformer.sound.medium import SOUND
from actionformer.video.pictures import PICTURES, Shown
from actionformer.video.reader import VideoReader


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
    path: Path | None = None
    """The file of a video, for `uneven_by`."""
    stated: float | None = None
    """Seconds at which the file says that it ends, where it is cut short."""

    @cached_property
    def uneven_by(self) -> float:
        """Seconds by which its pictures lie off frame / rate, where that is more than one lasts; else 0. It is read."""
        if self.path is None:
            return 0.0
        with VideoReader(self.path) as video:
            off = video.uneven_by()
        return off if off > 1 / self.fps else 0.0


def said_of_uneven(recordings: Iterable[Recording], remedy: str) -> str | None:
    """What is to be said where frame numbers are made of times, or times of them; None if nothing is.

    Args:
        recordings: those that they are of.
        remedy: what to do, which ends with a copy.
    """
    uneven = [f"{one.id} (up to {one.uneven_by:.2f} s)" for one in recordings if one.uneven_by]
    if not uneven:
        return None
    return (
        f"frame numbers are taken as time * rate, and pictures lie elsewhere in {listed(uneven, 5)}, as the rate "
        f"varies or the first one is late: {remedy} that has a steady rate "
        "('ffmpeg -i VIDEO -vf fps=30:start_time=0 COPY' makes one)"
    )


class Recordings(Mapping[str, Recording]):
    """Files by id, each of which is opened, and not decoded, when it is first asked for.

    Looking one up raises an InputError if it cannot be read.

    Args:
        files: by id.
        medium: what they hold; by default what each ends in says.
        fps: frames per second that they are read at; by default their own.
    """

    def __init__(self, files: Mapping[str, Path], medium: Medium | None = None, fps: float | None = None) -> None:
        self._files = dict(files)
        self._medium, self._fps = medium, fps
        self._read: dict[str, Recording] = {}

    def __getitem__(self, id_: str) -> Recording:
        if id_ not in self._read:
            path = self._files[id_]
            self._read[id_] = read_recording(path, id_, self._medium or medium_at(path), self._fps)
        return self._read[id_]

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)


def read_recordings(videos: Sequence[str | Path]) -> Recordings:
    """The videos that files, folders and patterns stand for, or sound files where there are none, by id.

    Raises:
        InputError: no such files, or two of one id.
    """
    try:
        files = videos_there(videos, PICTURES, SOUND)
    except InputError as error:
        if any(_are_readings(Path(one)) for one in videos):
            advice = "tables of readings: give --fps, how many labels or rows come a second, in place of --videos"
            raise InputError(f"{error}; there are {advice}") from error
        raise
    return Recordings({id_: path for path, id_ in files.items()})


def _are_readings(folder: Path) -> bool:
    return folder.is_dir() and any(name.suffix.lower() in SENSORS.endings for name in files_below(folder))


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
        duration, cut = recording.declared, None
        if not duration:  # the file does not say: it is read to its end
            duration = recording.summary(sum(1 for _ in recording.rows())).duration
        elif isinstance(recording, Shown):
            cut = recording.video.cut_at()
        return Recording(
            id_,
            recording.fps,
            cut or duration,
            recording.doubt,
            path if medium is PICTURES else None,
            duration if cut else None,
        )
