"""A detector that looks at many files, of features or of videos: one bad file does not stop the rest."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from actionformer.backbones import medium_at, medium_of
from actionformer.core.detections import Detections
from actionformer.core.errors import InputError
from actionformer.core.names import without_prefix
from actionformer.core.progress import counted
from actionformer.core.terminal import plain_console
from actionformer.extraction.encode import encode_videos
from actionformer.extraction.events import Failed, Finished
from actionformer.extraction.inputs import FEATURES, check_names, files_of, named_files
from actionformer.extraction.matching import layout_of
from actionformer.extraction.store import is_done, write_features
from actionformer.features import READERS, FeatureSpec, feature_file, sidecar_path
from actionformer.inference.detector import Detector
from actionformer.inference.video_scores import VideoScores
from actionformer.medium import Medium
from actionformer.recipes.extract import say_weights, with_progress
from actionformer.recipes.proposals import ProposalSource, check_taken
from actionformer.sound.medium import SOUND
from actionformer.video.pictures import PICTURES


@dataclass
class Found:
    """What was found in the inputs, and in which nothing could be looked for."""

    detections: dict[str, Detections] = field(default_factory=dict)
    """Video (the file's id without the prefix of the model's features) -> its actions."""
    sources: dict[str, Path] = field(default_factory=dict)
    """Video -> the file that was given."""
    failed: dict[str, str] = field(default_factory=dict)
    """File -> what was wrong with it."""
    warnings: dict[str, str] = field(default_factory=dict)
    """File -> what its user should know."""


@dataclass(frozen=True)
class VideoSettings:
    """How videos are turned into features before anything is detected in them."""

    backbone: str | None = None
    """By default the one that made the features the model was trained on."""
    weights: str | Path | Sequence[str | Path] = ()
    """Its files, see `load_backbone`."""
    features_out: Path | None = None
    """A folder that keeps the features; those it already has are taken from there."""
    batch_size: int | None = None
    workers: int | None = None


@dataclass(frozen=True)
class Searched:
    """One of the inputs: what was found in it, or why nothing could be looked for."""

    video: str
    source: Path
    found: Detections | None = None
    failed: str | None = None
    warning: str | None = None
    """What its user should know."""


class Search:
    """A detector, and the feature files and videos that it looks at, one at a time.

    Attributes:
        sources: video (the file's id without the prefix of the model's features) -> the file that was given.

    Args:
        detector: what looks.
        inputs: feature files or videos, folders whose feature files (without any, videos) are all read, or patterns;
            or file -> id, see `input_files`.
        timing: fps, stride, num_frames and duration, None where sidecar or model tell.
        videos: what videos need.
        video_scores: of whole videos, which give the proposals of a class-agnostic model their classes.
        proposals: where what a second stage judges comes from; by default it has a proposer.
        console: where progress is shown; by default nowhere.

    Raises:
        InputError: nothing to read, two files of one name, or nothing to judge for a second stage.
    """

    def __init__(
        self,
        detector: Detector,
        inputs: Sequence[str | Path] | Mapping[Path, str],
        *,
        timing: FeatureSpec | None = None,
        videos: VideoSettings | None = None,
        video_scores: VideoScores | None = None,
        proposals: ProposalSource | None = None,
        console: Console | None = None,
    ) -> None:
        self.timing, self.videos = timing or FeatureSpec(), videos or VideoSettings()
        self.medium = looked_at(detector, self.videos.backbone)
        self.detector, self.ids = detector, input_files(inputs, self.medium)
        self.video_scores, self.proposals = video_scores, proposals
        if proposals is not None or detector.proposer is None:
            check_taken(detector.config, proposals)
        if proposals is not None:
            proposals.serve(detector)
        self.console = console or plain_console(quiet=True)
        prefix = detector.config.data.prefix
        check_names(self.ids, prefix)
        self.sources = {without_prefix(id_, prefix): file for file, id_ in self.ids.items()}

    @property
    def class_names(self) -> tuple[str, ...]:
        """Of what is found."""
        return self.detector.class_names if self.video_scores is None else self.video_scores.class_names

    def found(self) -> Found:
        """What is found in all of them.

        Raises:
            InputError: a single file that cannot be used, or a backbone that is not the one of the model's features.
        """
        found = Found(sources=dict(self.sources))
        for one in self.results(found.sources):
            if one.warning:
                found.warnings[str(one.source)] = one.warning
            if one.found is not None:
                found.detections[one.video] = one.found
            else:
                found.failed[str(one.source)] = one.failed or ""
        if len(found.sources) == 1 and found.failed:
            raise InputError(": ".join(*found.failed.items()))
        found.detections = {name: found.detections[name] for name in found.sources if name in found.detections}
        return found

    def results(self, names: Collection[str]) -> Iterator[Searched]:
        """What is found in these of the sources: in feature files in their order, in videos as they are read."""
        sources = {name: source for name, source in self.sources.items() if name in names}
        features = {name: source for name, source in sources.items() if holds_features(source, self.medium)}
        to_see = {source: name for name, source in sources.items() if name not in features}
        if to_see:  # what is missing for them is said before anything is searched
            self.detector.backbone(self.videos.backbone, self.videos.weights)
        looked_at = (self._in_features(name, source, source, self.timing) for name, source in features.items())
        yield from counted(looked_at, len(features), self.console)
        if to_see:
            yield from self._in_videos(to_see)

    def _in_features(
        self, video: str, source: Path, features: Path, timing: FeatureSpec, warning: str | None = None
    ) -> Searched:
        try:
            scores, proposals, prefix = self.video_scores, self.proposals, self.detector.config.data.prefix
            found = self.detector.detect(
                features,
                class_scores=None if scores is None else scores.of(video),
                class_names=None if scores is None else scores.class_names,
                fps=timing.fps,
                stride=timing.stride,
                num_frames=timing.num_frames,
                duration=timing.duration,
                proposals=None if proposals is None else proposals.of(video, prefix),
                name=str(source),
            )
        except InputError as error:
            return Searched(video, source, failed=str(error).removeprefix(f"{features}: "), warning=warning)
        return Searched(video, source, found, warning=warning)

    def _in_videos(self, files: Mapping[Path, str]) -> Iterator[Searched]:
        """Extraction and detection in one stream: a video is searched as soon as its features are whole."""
        settings = self.videos
        backbone = self.detector.backbone(settings.backbone, settings.weights)
        say_weights(backbone, self.console)
        made_for, other_timing = self.detector.card.features, self.detector.other_timing
        layout = layout_of(made_for, backbone, self.timing, other_timing=other_timing)
        backbone = backbone.fitted(list(files), layout.num_frames)
        known = FeatureSpec(duration=self.timing.duration)
        with _folder(settings.features_out) as folder:
            targets = {file: feature_file(folder, self.ids[file]) for file in files}
            todo = []
            for file, path in targets.items():
                try:
                    if not is_done(path, file, backbone, layout):
                        todo.append(file)
                        continue
                except InputError as error:
                    yield Searched(files[file], file, failed=f"{error}: choose another folder for --features-out")
                    continue
                yield self._in_features(files[file], file, path, known)
            events = encode_videos(todo, backbone, layout, batch_size=settings.batch_size, workers=settings.workers)
            for event in with_progress(write_features(events, targets, backbone, layout), len(todo), self.console):
                if isinstance(event, Failed):
                    yield Searched(files[event.video], event.video, failed=event.reason)
                elif isinstance(event, Finished):
                    path = targets[event.video]
                    yield self._in_features(files[event.video], event.video, path, known, event.summary.warning)
                    if settings.features_out is None:
                        path.unlink()


def looked_at(detector: Detector, backbone: str | None = None) -> Medium:
    """What the files hold that a detector looks at: the medium of the backbone that makes its features."""
    return medium_of(backbone or detector.card.features.backbone)


def input_files(inputs: Sequence[str | Path] | Mapping[Path, str], medium: Medium = PICTURES) -> dict[Path, str]:
    """The videos and feature files that files, folders and patterns stand for -> their ids, in the given order.

    Args:
        inputs: what was given; file -> id is taken as it is.
        medium: of what is no feature file.

    Raises:
        InputError: there are none, or two have one id.
    """
    if isinstance(inputs, Mapping):
        return dict(inputs)
    files = named_files(inputs, {**FEATURES, **files_of(medium)})
    if not files:
        raise InputError("nothing to detect in: give videos, feature files or folders of them")
    return files


def holds_features(file: Path, medium: Medium = PICTURES) -> bool:
    """Whether a file is one of features, by its ending; any other is taken for a recording.

    Of an ending that the medium has too, those are features that have a sidecar.
    """
    ending = file.suffix.lower()
    return ending in READERS and (ending not in medium.endings or sidecar_path(file).is_file())


def shows_pictures(file: Path) -> bool:
    """Whether a file is a video, by its ending: neither features nor of another medium."""
    return not holds_features(file) and medium_at(file) is PICTURES


def is_played(file: Path) -> bool:
    """Whether a file is a video or a sound file, by its ending: what players open."""
    return not holds_features(file) and medium_at(file) in (PICTURES, SOUND)


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        yield kept
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)
