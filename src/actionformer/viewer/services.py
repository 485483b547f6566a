"""What the server and a saved report ask: one service per subject."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from actionformer.viewer.corrections import Corrections
from actionformer.viewer.evaluation import Evaluation
from actionformer.viewer.facts import ProjectFacts
from actionformer.viewer.labels import Labels
from actionformer.viewer.playback import Playback
from actionformer.viewer.project import Project
from actionformer.viewer.videos import VideoAnswers

if TYPE_CHECKING:
    from actionformer.viewer.network import Network


@dataclass(frozen=True, eq=False)
class Services:
    """Everything that can be asked about one project; `start.services_for` builds it."""

    project: Project
    facts: ProjectFacts
    videos: VideoAnswers
    evaluation: Evaluation
    playback: Playback
    corrections: Callable[[], Corrections]
    """Gives the corrected annotations, or raises an UnavailableError where nothing can be corrected."""
    labels: Callable[[], Labels]
    """Gives the labels that people give, or raises an UnavailableError where nothing is labelled."""
    network: Callable[[], Network]
    """Gives the run's network, or raises an UnavailableError where there is no run or there are no features."""

    def close(self) -> None:
        """Removes what was made for browsers."""
        self.playback.close()
