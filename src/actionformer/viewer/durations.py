"""How long the videos of a project are."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from actionformer.core.errors import InputError
from actionformer.viewer.playback import Playback
from actionformer.viewer.project import Project

if TYPE_CHECKING:
    from actionformer.viewer.network import Network


class Durations:
    """The length of each video, from the first source that knows it.

    Args:
        project: what the viewer shows.
        playback: its videos.
        network: gives the run's network.
    """

    def __init__(self, project: Project, playback: Playback, network: Callable[[], Network]) -> None:
        self.project = project
        self.playback = playback
        self.network = network

    def of(self, video: str) -> float:
        """Seconds: as stated, else of the video file, else what the features cover, else until the last action ends."""
        if stated := self.project.stated_duration(video):
            return stated
        playability, _ = self.playback.playability(video)
        if playability is not None:
            return playability.duration
        try:
            return self.network().sequence(video).duration
        except InputError:
            return self.project.duration(video)
