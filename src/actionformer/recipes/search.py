"""A detector that looks at many files, of features or of videos: one bad file does not stop the rest."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from actionformer.backbones import medium_of
from actionformer.core.detections import Detections
from actionformer.core.errors import InputError
from actionformer.core.names import explained, without_prefix
from actionformer.core.progress import OnProgress, counted
from actionformer.core.terminal import plain_console
from actionformer.core.words import plural
from actionformer.data.collection import Paths, as_list
from actionformer.extraction.encode import encode_videos
from actionformer.extraction.events import Failed, Finished
from actionformer.extraction.inputs import FEATURES, check_names, files_of, holds_features, named_files
from actionformer.extraction.matching import FeatureMaker
from actionformer.extraction.store import is_done, write_features
from actionformer.features import FeatureSpec, feature_file
from actionformer.inference.detector import Detector
from actionformer.inference.video_scores import VideoScores
from actionformer.medium import Medium
from actionformer.recipes.extract import say_weights, with_progress
from actionformer.recipes.proposals import ProposalSource, check_taken
from actionformer.sound.medium import SOUND
from actionformer.video.pictures import PICTURES

FILMED = (PICTURES, SOUND)
"""What one file may hold at once."""


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
    source: Path | str
    """A file, or an address."""
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
        other_sources: of a model that joins several sources, a folder for each one but the first, with files that are
            called as the inputs; by default all are made of the inputs themselves.
        on_progress: is told of clips of videos that are turned into features.
        console: where progress is shown; by default nowhere.

    Raises:
        InputError: nothing to read, two files of one name, folders that are not those of the model's other sources, or
            nothing to judge for a second stage.
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
        other_sources: Paths | None = None,
        on_progress: OnProgress | None = None,
        console: Console | None = None,
    ) -> None:
        self.timing, self.videos = timing or FeatureSpec(), videos or VideoSettings()
        others = detector.card.features.parts[1:]
        self.media = [looked_at(detector, self.videos.backbone), *(medium_of(one.backbone) for one in others)]
        self.detector, self.ids = detector, input_files(inputs, self.media[0])
        self.video_scores, self.proposals = video_scores, proposals
        if proposals is not None or detector.proposer is None:
            check_taken(detector.config, proposals)
        if proposals is not None:
            proposals.serve(detector)
        self.console, self.on_progress = console or plain_console(quiet=True), on_progress
        prefix = detector.config.data.prefix
        check_names(self.ids, prefix)
        self.sources = {without_prefix(id_, prefix): file for file, id_ in self.ids.items()}
        self._files = [self.sources, *self._other_files(other_sources)]

    def _other_files(self, folders: Paths | None) -> list[dict[str, Path]]:
        """Of each source of the model but the first: video -> the file that has it, or that it is made of."""
        others, prefix = self.detector.card.features.parts[1:], self.detector.config.data.prefix
        if folders is None:
            self._check_all_in_one(others)
            return [self.sources] * len(others)
        given = as_list(folders)
        if len(given) != len(others):
            joins = f"joins {len(others) + 1} sources" if others else "takes features of one source"
            raise InputError(
                f"the model {joins}: --other-sources takes {plural(len(others), 'folder')}, found {len(given)}"
            )
        found = [input_files([folder], medium) for folder, medium in zip(given, self.media[1:], strict=True)]
        return [{without_prefix(id_, prefix): file for file, id_ in files.items()} for files in found]

    def _check_all_in_one(self, others: Sequence[FeatureSpec]) -> None:
        """Checks that no table is looked for in a film, or the reverse: both pictures and sound may be in one file."""
        raw = next((file for file in self.sources.values() if not holds_features(file, self.media[0])), None)
        for place, (medium, spec) in enumerate(zip(self.media[1:], others, strict=True), 2):
            if raw is not None and (medium in FILMED) != (self.media[0] in FILMED):
                raise InputError(
                    f"{raw}: source {place} of the model ({spec.backbone or 'features'}) is not in such a file: give "
                    f"the folder of its {medium.files}, or of their features, with --other-sources"
                )

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

    def results(self, names: Collection[str]) -> Generator[Searched, None, None]:
        """What is found in these of the sources: in feature files in their order, in videos as they are read."""
        files = {name: [own.get(name) for own in self._files] for name in self.sources if name in names}
        made = {name: own for name, own in files.items() if all(map(self._is_made, own, self.media))}
        for place, own in enumerate(zip(*files.values(), strict=True)):
            if not all(self._is_made(file, self.media[place]) for file in own):
                self._maker(place)  # what is missing for videos is said before anything is searched
        looked_at = (self._in_features(name, own, self.timing) for name, own in made.items())
        yield from counted(looked_at, len(made), self.console)
        if len(made) < len(files):
            yield from self._in_videos({name: own for name, own in files.items() if name not in made})

    def _is_made(self, file: Path | None, medium: Medium) -> bool:
        """Whether there is nothing to make of a file: it holds features, or there is none."""
        return file is None or holds_features(file, medium)

    def _maker(self, source: int) -> FeatureMaker:
        return self.detector.maker(self.videos.backbone, self.videos.weights, self.timing, source=source)

    def _in_features(
        self, video: str, files: Sequence[Path | None], timing: FeatureSpec, warning: str | None = None
    ) -> Searched:
        source = self.sources[video]
        there = [file for file in files if file is not None]
        if len(there) < len(files):
            return Searched(video, source, failed=self._absent(video, files.index(None)), warning=warning)
        there = there if len(set(there)) > 1 else there[:1]  # one file for all of them holds features joined already
        try:
            scores, proposals, prefix = self.video_scores, self.proposals, self.detector.config.data.prefix
            found = self.detector.detect(
                there,
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
            said = str(error).removeprefix(f"{', '.join(map(str, there))}: ")
            for file, given in zip(files, (own[video] for own in self._files), strict=True):
                said = said.replace(str(file), str(given))  # features that are made of it may be gone by now
            return Searched(video, source, failed=said, warning=warning)
        return Searched(video, source, found, warning=warning)

    def _absent(self, video: str, place: int) -> str:
        near = explained([video], list(self._files[place]))
        return f"no file of source {place + 1} is called {video!r} in its folder of --other-sources{near}"

    def _in_videos(self, videos: Mapping[str, Sequence[Path | None]]) -> Iterator[Searched]:
        """Extraction and detection in one stream: a video is searched as soon as its features are whole."""
        known, sources = FeatureSpec(duration=self.timing.duration), len(self._files)
        made: dict[str, list[Path]] = {video: [] for video in videos}
        warnings: dict[str, str] = {}
        with _folder(self.videos.features_out) as folder:
            for source in range(sources):
                own = {video: videos[video][source] for video in made}
                place = folder if sources == 1 else folder / f"source_{source + 1}"
                for one in self._made(source, own, place):
                    if one.file is None:
                        del made[one.video]
                        yield Searched(one.video, self.sources[one.video], failed=one.failed)
                        continue
                    made[one.video].append(one.file)
                    if one.warning:
                        warnings.setdefault(one.video, one.warning)
                    if source + 1 == sources:
                        yield self._in_features(one.video, made[one.video], known, warnings.get(one.video))
                        for file in made[one.video] if self.videos.features_out is None else ():
                            if file.is_relative_to(folder):
                                file.unlink()

    def _made(self, source: int, videos: Mapping[str, Path | None], folder: Path) -> Iterator[_Made]:
        """The feature files of one source as they come: those that are there, then those that are made of videos."""
        raw = {}
        for video, file in videos.items():
            if file is None:
                yield _Made(video, failed=self._absent(video, source))
            elif self._is_made(file, self.media[source]):
                yield _Made(video, file)
            else:
                raw[file] = video
        if raw:
            yield from self._made_of(raw, self._maker(source), folder)

    def _made_of(self, raw: Mapping[Path, str], maker: FeatureMaker, folder: Path) -> Iterator[_Made]:
        say_weights(maker.backbone, self.console)
        backbone = maker.backbone.fitted(list(raw), maker.layout.num_frames)
        targets = {file: feature_file(folder, self.ids[self.sources[video]]) for file, video in raw.items()}
        todo = []
        for file, path in targets.items():
            try:
                if is_done(path, file, backbone, maker.layout):
                    yield _Made(raw[file], path)
                else:
                    todo.append(file)
            except InputError as error:
                yield _Made(raw[file], failed=f"{error}: choose another folder for --features-out")
        settings = self.videos
        events = encode_videos(todo, backbone, maker.layout, batch_size=settings.batch_size, workers=settings.workers)
        with closing(write_features(events, targets, backbone, maker.layout)) as written, closing(events):
            for event in with_progress(written, len(todo), self.console, self.on_progress):
                if isinstance(event, Failed):
                    yield _Made(raw[event.video], failed=self._of_file(event.video, raw[event.video], event.reason))
                elif isinstance(event, Finished):
                    said = event.summary.warning and self._of_file(event.video, raw[event.video], event.summary.warning)
                    yield _Made(raw[event.video], targets[event.video], warning=said)

    def _of_file(self, file: Path, video: str, said: str) -> str:
        """What is said of a file, which is named where it is not the one that the video is called after."""
        return said if file == self.sources[video] else f"{file}: {said}"


@dataclass(frozen=True)
class _Made:
    """A video's features of one source, or why there are none."""

    video: str
    file: Path | None = None
    failed: str | None = None
    warning: str | None = None


def looked_at(detector: Detector, backbone: str | None = None) -> Medium:
    """What the files hold that a detector looks at: the medium of the backbone that makes its features."""
    return medium_of(backbone or detector.card.features.parts[0].backbone)


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
    files = named_files(inputs, {**FEATURES, **files_of(medium)}, (medium,))
    if not files:
        raise InputError("nothing to detect in: give videos, feature files or folders of them")
    return files


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        yield kept
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)
