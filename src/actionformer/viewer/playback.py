"""The videos of a project as a browser plays them."""

from __future__ import annotations

from pathlib import Path

from actionformer.core.errors import InputError
from actionformer.viewer.media.conversions import Conversions
from actionformer.viewer.media.playability import Playability
from actionformer.viewer.project import Project


class Playback:
    """What a browser gets of each video.

    Args:
        project: what the viewer shows.

    Raises:
        UnknownVideoError: (all methods that give files) there is no such video.
        UnavailableError: (the same) no videos were given.
        InputError: (the same) the folder has no file of that video, or one that cannot be read.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self.conversions = Conversions()

    def close(self) -> None:
        """Removes all that was made for browsers."""
        self.conversions.close()

    def whole(self, video: str) -> tuple[Path, str]:
        """A file that a browser plays, and its media type."""
        return self.conversions.playable(self._file(video))

    def segment(self, video: str, number: int) -> tuple[bytes, str]:
        """One media segment of a video that is played in segments, and its media type."""
        return self.conversions.segment(self._file(video), number)

    def playability(self, video: str) -> tuple[Playability | None, str | None]:
        """How a browser can play a video, or None and why it cannot."""
        try:
            return self.conversions.playability(self._file(video)), None
        except InputError as error:
            return None, str(error)

    def _file(self, video: str) -> Path:
        known = self.project.check(video)
        self.project.require("videos")
        assert self.project.videos is not None
        return self.project.videos.find(known)
