"""What the viewer was started with: detections, annotations, a run, folders of features and of videos."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from actionformer.core.annotations import Annotations
from actionformer.core.calibration import Calibration
from actionformer.core.detections import Detections
from actionformer.core.errors import InputError
from actionformer.features import FeatureFolders
from actionformer.features.spec import FeatureSpec
from actionformer.settings.config import Config
from actionformer.viewer.folders import VideoFolder, inside

if TYPE_CHECKING:
    from actionformer.model_directory import ModelCard


class UnknownVideoError(InputError):
    """A video that the project does not have."""


class UnavailableError(InputError):
    """Something that cannot be shown with what the viewer was started with; says why."""


@dataclass(frozen=True)
class Labelling:
    """Where the labels go that people give to videos."""

    file: Path
    """ActivityNet annotations; what the file holds is continued."""
    subset: str
    """Of videos that the file does not have."""
    min_score: float
    """From which on the page shows drafts at first."""


@dataclass(frozen=True, eq=False)
class Project:
    """Everything that the page can ask about. What is not there is None, and `why_not` says why."""

    title: str
    class_names: tuple[str, ...]
    """Of detections and annotations together."""
    detections: dict[str, Detections]
    """Video -> detections, all with these class names; of a run without any they are computed when asked for."""
    annotations: Annotations | None
    """The videos that are evaluated."""
    annotations_file: Path | None
    thresholds: tuple[float, ...]
    run: Path | None
    config: Config | None
    card: ModelCard | None
    features: FeatureFolders | None
    videos: VideoFolder | None
    corrections_file: Path
    """By default `<annotations>.corrected.json` beside the run or the file of detections."""
    other: tuple[str, dict[str, Detections]] | None = None
    """A second run, its name and detections."""
    labelling: Labelling | None = None
    """Where the videos of the folder are labelled; detections are then drafts."""
    why_not: dict[str, str] = field(default_factory=dict)
    """videos, features, annotations, run, compare, corrections -> why that is not there."""
    _specs: dict[str, FeatureSpec] = field(default_factory=dict)

    @cached_property
    def ids(self) -> list[str]:
        """All videos, sorted."""
        if self.labelling is not None and self.videos is not None:
            return sorted(self.videos.files)
        known = self.detections.keys() | (self.annotations.videos.keys() if self.annotations else set())
        return sorted(known or self._with_features())

    def check(self, video: str) -> str:
        """The video's id.

        Raises:
            UnknownVideoError: there is none of that name.
        """
        if video not in self._known:
            raise UnknownVideoError("there is no video of this name here")
        return video

    @property
    def calibration(self) -> Calibration | None:
        """What the scores of the run are worth, where that was measured."""
        return self.card.calibration if self.card is not None else None

    @property
    def computes(self) -> bool:
        """Whether videos without detections can be searched."""
        return "features" not in self.why_not

    def require(self, what: str) -> None:
        """Raises an UnavailableError if that is not there, see `why_not`."""
        if what in self.why_not:
            raise UnavailableError(self.why_not[what])

    @cached_property
    def _known(self) -> set[str]:
        return set(self.ids)

    def spec(self, video: str) -> FeatureSpec:
        """What is known of the features of a video.

        Raises:
            InputError: a sidecar that cannot be read.
        """
        if video not in self._specs:
            self._specs[video] = FeatureSpec() if self.features is None else self._spec(video, self.features)
        return self._specs[video]

    def known_spec(self, video: str) -> FeatureSpec:
        """`spec`, or nothing where it cannot be read: who needs the features is told why."""
        try:
            return self.spec(video)
        except InputError:
            return FeatureSpec()

    def stated_duration(self, video: str) -> float | None:
        """Seconds, as the annotations or the features say; None if neither does."""
        annotated = self.annotations.videos.get(video) if self.annotations else None
        return (annotated.duration if annotated else None) or self.known_spec(video).duration

    def duration(self, video: str) -> float:
        """Seconds: as stated, else until the last action ends."""
        if stated := self.stated_duration(video):
            return stated
        annotated = self.annotations.videos.get(video) if self.annotations else None
        found = self.detections.get(video)
        ends = [one.segments[:, 1].max(initial=0.0) for one in (annotated, found) if one is not None]
        return float(max(ends, default=0.0))

    def feature_files(self, video: str) -> list[Path]:
        """The feature files of a video.

        Raises:
            UnavailableError: there are no features, or not of this video, or one is a link out of its folder.
        """
        self.require("features")
        assert self.features is not None
        files = []
        for folder, path in zip(self.features.folders, self.features.paths(video), strict=True):
            if path is None:
                raise UnavailableError(f"there are no features of this video in the folder {folder.name}")
            if not inside(folder, path):
                raise UnavailableError(f"{path.name} is a link that leads out of the folder of features")
            files.append(path)
        return files

    def _spec(self, video: str, features: FeatureFolders) -> FeatureSpec:
        pairs = zip(features.folders, features.paths(video), strict=True)
        if not all(path is not None and inside(folder, path) for folder, path in pairs):
            return FeatureSpec()
        return features.spec(video)

    def _with_features(self) -> set[str]:
        if self.features is None:
            return set()
        return set(self.features.ids)
