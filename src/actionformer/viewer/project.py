"""What the viewer was started with: detections, annotations, a run, folders of features and of videos."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from actionformer.core.errors import InputError
from actionformer.core.files import DETECTIONS
from actionformer.core.names import matched
from actionformer.data.annotations import Annotations, read_annotations
from actionformer.data.collection import as_list, with_classes
from actionformer.detections import Detections, read_results
from actionformer.features import FeatureFolders
from actionformer.features.spec import FeatureSpec
from actionformer.settings.config import Config
from actionformer.video.files import ENDINGS
from actionformer.viewer.folders import VideoFolder, inside

if TYPE_CHECKING:
    from actionformer.model_directory import ModelCard


class UnknownVideoError(InputError):
    """A video that the project does not have."""


class UnavailableError(InputError):
    """Something that cannot be shown with what the viewer was started with; says why."""


@dataclass(frozen=True)
class Given:
    """A run or a file of detections, and what belongs to it."""

    source: Path
    features: tuple[Path, ...] = ()
    videos: Path | None = None
    annotations: Path | None = None
    compare: Path | None = None
    corrections: Path | None = None


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
    why_not: dict[str, str] = field(default_factory=dict)
    """videos, features, annotations, run, compare, corrections -> why that is not there."""
    _specs: dict[str, FeatureSpec] = field(default_factory=dict)

    @cached_property
    def ids(self) -> list[str]:
        """All videos, sorted."""
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


def open_project(given: Given) -> Project:
    """Reads what the viewer was started with.

    Of a run, detections are those of its last evaluation, annotations and features by default those of its training.

    Raises:
        InputError: a broken file, a folder that is not there, or neither a run nor a file of detections.
    """
    if not given.source.exists():
        raise InputError(f"{given.source}: not there; give a run directory or a file of detections")
    is_run = given.source.is_dir()
    config, card = _settings(given.source) if is_run else (None, None)
    detections = _detections(given.source, card)
    why_not = {} if is_run else {"run": "scores need a run: give a run directory in place of detections"}
    features = _features(given, config, card, why_not)
    annotations, file = _annotations(given, config, card, detections, why_not)
    other = _other(given, why_not)
    names = _names(detections, card, annotations)
    if annotations is not None:
        detections = _called(detections, annotations)
        other = (other[0], _called(other[1], annotations)) if other is not None else None
    if given.videos is None:
        why_not["videos"] = "no videos were given: start with --videos FOLDER"
    if card is not None and len(card.class_names) == 1:
        why_not["corrections"] = (
            "the model knows one class for all actions: corrected annotations would lose their names"
        )
    corrections = given.corrections or given.source.resolve().parent / f"{(file or given.source).stem}.corrected.json"
    if file is not None and corrections.resolve() == file.resolve():
        raise InputError(f"{corrections}: are the annotations themselves; give --corrections another file")
    return Project(
        title="/".join(given.source.resolve().parts[-2:]),
        class_names=names,
        detections=_renamed(detections, names),
        annotations=annotations,
        annotations_file=file,
        thresholds=(config or Config()).evaluation.tiou,
        run=given.source if is_run else None,
        config=config,
        card=card,
        features=features,
        videos=VideoFolder(given.videos, ENDINGS) if given.videos else None,
        corrections_file=corrections,
        other=other,
        why_not=why_not,
    )


def _settings(run: Path) -> tuple[Config, ModelCard]:
    from actionformer.model_directory import load_settings

    return load_settings(run)


def _detections(source: Path, card: ModelCard | None) -> dict[str, Detections]:
    if card is None:
        return read_results(source)
    file = source / DETECTIONS
    return read_results(file, card.class_names) if file.is_file() else {}


def _features(
    given: Given, config: Config | None, card: ModelCard | None, why_not: dict[str, str]
) -> FeatureFolders | None:
    if config is None or card is None:
        why_not["features"] = why_not["run"]
        return None
    trained = card.training.get("features") or []
    folders = given.features or tuple(map(Path, as_list(trained)))
    if not given.features and not (folders and all(folder.is_dir() for folder in folders)):
        why_not["features"] = "the features are not where they were in training: start with --features FOLDER"
        return None
    return FeatureFolders.at(folders, config.data.prefix)


def _annotations(
    given: Given,
    config: Config | None,
    card: ModelCard | None,
    detections: Mapping[str, Detections],
    why_not: dict[str, str],
) -> tuple[Annotations | None, Path | None]:
    trained = card.training.get("annotations") if card else None
    file = given.annotations or (Path(trained) if trained else None)
    if file is None or not (given.annotations or file.is_file()):
        why_not["annotations"] = "no annotations were given: start with --annotations FILE"
        return None, None
    every = read_annotations(file)
    if card is not None and len(card.class_names) == 1:
        every = with_classes(every, 1)
    subsets = sorted({every.videos[name].subset for name in matched(detections, every.videos).values()})
    if not detections and config is not None:
        subsets = [name for name in config.data.test_subset if every.has_subset(name)]
    return (every.subset(subsets) if subsets else every), file


def _other(given: Given, why_not: dict[str, str]) -> tuple[str, dict[str, Detections]] | None:
    if given.compare is None:
        why_not["compare"] = "no second run was given: start with --compare RUN"
        return None
    file = given.compare / DETECTIONS if given.compare.is_dir() else given.compare
    if not file.is_file():
        raise InputError(f"{given.compare}: holds no {DETECTIONS}: evaluate the run first")
    return given.compare.resolve().name, read_results(file)


def _names(
    detections: Mapping[str, Detections],
    card: ModelCard | None,
    annotations: Annotations | None,
) -> tuple[str, ...]:
    """Of all classes, the model's first; spelled as the annotations spell them."""
    annotated = annotations.class_names if annotations else ()
    names = list(card.class_names) if card else []
    for more in (*(one.class_names for one in list(detections.values())[:1]), annotated):
        own = matched(more, names)
        names += [name for name in more if name not in own]
    own = matched(names, annotated)
    return tuple(own.get(name, name) for name in names)


def _called(detections: Mapping[str, Detections], annotations: Annotations) -> dict[str, Detections]:
    """The same detections, of videos called as the annotations call them."""
    own = matched(detections, annotations.videos)
    return {own.get(video, video): found for video, found in detections.items()}


def _renamed(detections: Mapping[str, Detections], names: tuple[str, ...]) -> dict[str, Detections]:
    """The same detections with labels that are indices into `names`."""
    renamed = {}
    for video, found in detections.items():
        if found.class_names == names:  # of many detections no second copy
            renamed[video] = found
            continue
        own = matched(found.class_names, names)
        table = np.array([names.index(own[name]) for name in found.class_names], dtype=np.int64)
        renamed[video] = Detections(found.segments, found.scores, table[found.labels], names, found.levels)
    return renamed
