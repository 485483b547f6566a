"""Key points as a medium: the frames of files that pose estimators write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from actionformer.core.errors import InputError
from actionformer.keypoints.hdf5 import read_hdf5
from actionformer.keypoints.skeleton import Skeleton
from actionformer.keypoints.text import read_text
from actionformer.keypoints.tracks import Places, Tracks
from actionformer.medium import Medium, ReadSummary, Row

HDF5 = frozenset((".h5", ".hdf5"))
LONGEST_STEP = 2.0
"""Seconds between frames; where the usual step is longer, the column does not hold seconds."""
CLOCK = 1e6
"""Seconds from which on a first time is that of a calendar: the file then begins at 0."""


@dataclass(frozen=True)
class KeyPointFiles(Medium):
    """Bodies, (N, K, 3) float32: x and y in pixels, and the confidence; NaN where a point is not seen."""

    skeleton: Skeleton = field(default_factory=Skeleton)

    files = "files of key points"
    endings = frozenset((".csv", ".tsv", *HDF5))

    @contextmanager
    def open(self, path: Path, fps: float | None) -> Iterator[Bodies]:
        """A file, whose frames come at `fps`: those nearest in time where it says when its frames were taken."""
        yield Bodies(path, read_tracks(path), self.skeleton, fps)

    def id_of(self, name: str) -> str:
        """The name of the video, to which DeepLabCut adds that of its network, and SLEAP `.analysis`."""
        video, network, _ = name.partition("DLC_")
        return video.rstrip("_") if network and video else name.removesuffix(".analysis")


KEY_POINTS = KeyPointFiles()


def read_tracks(path: Path) -> Tracks:
    """The key points of a file.

    Raises:
        InputError: it cannot be read, or holds none.
    """
    return read_hdf5(path) if path.suffix.lower() in HDF5 else read_text(path)


def own_rate(seconds: NDArray[np.float64], path: Path) -> float:
    """Frames a second of frames that were taken at these times: one per usual step.

    Raises:
        InputError: times that are missing, go back, or are no seconds.
    """
    steps = np.diff(seconds)
    if len(seconds) < 2 or not np.isfinite(seconds).all() or (steps <= 0).any():
        raise InputError(
            f"{path}: its column of times has {len(seconds):,} values, expected seconds that grow row by row"
        )
    if (step := float(np.median(steps))) > LONGEST_STEP:
        raise InputError(
            f"{path}: its times grow by {step:g} a row, which are no seconds: rename the column, give --fps"
        )
    return 1 / step


def sampled(places: Places, seconds: NDArray[np.float64], fps: float, own: float) -> Places:
    """The frames nearest in time to every 1 / fps seconds; not seen where none is nearer than a step of their own."""
    times = seconds[0] + np.arange(int((seconds[-1] - seconds[0]) * fps + 1e-6) + 1) / fps
    after = np.searchsorted(seconds, times).clip(1, len(seconds) - 1)
    nearest = after - (times - seconds[after - 1] < seconds[after] - times)
    found: Places = places[nearest]
    found[np.abs(seconds[nearest] - times) > 1 / own] = (np.nan, np.nan, 0)
    return found


class Bodies:
    """A file that is open; see `medium.Recording`."""

    doubt = None

    def __init__(self, path: Path, tracks: Tracks, skeleton: Skeleton, fps: float | None) -> None:
        self._path, self._tracks, self._skeleton = path, tracks, skeleton
        self._notes: list[str] = []
        if tracks.seconds is not None:
            self._own = own_rate(tracks.seconds, path)
            self.fps = fps or self._own
            self.start = 0.0 if tracks.seconds[0] > CLOCK else float(tracks.seconds[0])
            self.declared = self.start + float(tracks.seconds[-1] - tracks.seconds[0]) + 1 / self._own
        elif fps is not None:
            self._own = self.fps = fps
            self.start, self.declared = 0.0, len(tracks.places) / fps
        else:
            raise InputError(f"{path}: does not say how many frames come a second: give --fps, that of its video")

    def rows(self) -> Iterator[Row]:
        """The bodies of every frame, (N, K, 3)."""
        skeleton = self._skeleton.fitted(self._tracks, str(self._path))
        places, self._notes = skeleton.places(self._tracks, str(self._path))
        if self._tracks.seconds is not None:
            places = sampled(places, self._tracks.seconds, self.fps, self._own)
        return iter(places)

    def summary(self, rows: int) -> ReadSummary:
        """How the reading went."""
        return ReadSummary(
            fps=self.fps,
            native_fps=self._own,
            frames=rows,
            start=self.start,
            duration=self.start + rows / self.fps,
            warning="; ".join(self._notes) or None,
        )
