"""Pictures as a medium: the frames of video files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from actionformer.core.endings import VIDEOS
from actionformer.medium import Medium, ReadSummary, Row
from actionformer.video.reader import VideoReader
from actionformer.video.sampling import images, sampled
from actionformer.video.summary import summary_of


class Pictures(Medium):
    """The frames of videos, (H, W, 3) uint8 RGB."""

    files = "videos"
    endings = VIDEOS
    live = True

    @contextmanager
    def open(self, path: Path, fps: float | None) -> Iterator[Shown]:
        """A video, whose frames are taken by time as in `sampled`."""
        with VideoReader(path) as video:
            yield Shown(video, fps)


PICTURES = Pictures()


class Shown:
    """The frames of a video that is open, at the rate that was asked for; see `medium.Recording`."""

    def __init__(self, video: VideoReader, fps: float | None) -> None:
        self.video, self.asked = video, fps
        self.fps = fps or video.fps
        self.doubt = video.rate.doubt

    @property
    def start(self) -> float:
        """Seconds of the first picture, on the clock of the container."""
        return self.video.start

    @property
    def declared(self) -> float | None:
        """Seconds at which the container says that the pictures end."""
        return self.video.declared

    def rows(self) -> Iterator[Row]:
        """The pictures."""
        return images(sampled(self.video.frames(), self.fps))

    def summary(self, rows: int) -> ReadSummary:
        """How the reading went."""
        return summary_of(self.video, rows, self.asked)
