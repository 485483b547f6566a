"""Detection in files, of features or videos: many inputs, one bad file does not stop the rest."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from actionformer.detections import Detections
from actionformer.errors import InputError
from actionformer.features import READERS, FeatureSpec, feature_file
from actionformer.inference.detector import Detector, load
from actionformer.inference.stream import with_live
from actionformer.inference.videos import layout_of
from actionformer.names import without_prefix
from actionformer.recipes.extract import say_weights, shown
from actionformer.terminal import plain_console
from actionformer.video.extraction import Failed, Finished, encode_videos
from actionformer.video.files import FEATURES, VIDEOS, check_names, named_files
from actionformer.video.store import is_done, saved


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
    weights: Sequence[str | Path] = ()
    """Its files, see `load_backbone`."""
    features_out: Path | None = None
    """A folder that keeps the features; those it already has are taken from there."""
    batch_size: int | None = None
    workers: int | None = None


def detect_files(
    run: str | Path,
    inputs: Sequence[str | Path] | Mapping[Path, str],
    *,
    timing: FeatureSpec | None = None,
    videos: VideoSettings | None = None,
    max_action_seconds: float | None = None,
    max_per_hour: float | None = None,
    device: str = "cpu",
    precision: str = "float32",
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    min_score: float | None = None,
    console: Console | None = None,
) -> Found:
    """The actions in feature files and in videos.

    Args:
        run: a model directory.
        inputs: feature files or videos, folders whose feature files (without any, videos) are all read, or patterns;
            or file -> id, see `input_files`.
        timing: fps, stride, num_frames and duration, None where sidecar or model tell.
        videos: what videos need.
        max_action_seconds, max_per_hour: what is found is then what `watch` finds; by default as the run has them.
        device: "cpu", "cuda", ...
        precision: of the arithmetic, the backbone's too.
        settings: of decoding, suppression and live, where they are not to be the run's; see `load`.
        min_score: the least score that will be shown: what caps cut from there on is said.
        console: where progress is shown; by default nowhere.

    Raises:
        InputError: no model directory, nothing to read, a single input that cannot be used, two of one name, or a
            backbone that is not the one of the model's features.
    """
    detector = load(run, device=device, precision=precision, settings=settings)
    detector.shown_from = min_score
    detector.config = with_live(detector.config, max_action_seconds, max_per_hour)
    files = input_files(inputs)
    prefix = detector.config.data.prefix
    check_names(files, prefix)
    found = Found(sources={without_prefix(id_, prefix): file for file, id_ in files.items()})
    timing = timing or FeatureSpec()
    console = console or plain_console(quiet=True)
    for file in [file for file in files if holds_features(file)]:
        _detect_into(found, detector, files[file], file, file, timing)
    if to_see := {file: id_ for file, id_ in files.items() if not holds_features(file)}:
        _detect_in_videos(found, detector, to_see, timing, videos or VideoSettings(), console)
    if len(files) == 1 and found.failed:
        raise InputError(": ".join(*found.failed.items()))
    found.detections = {name: found.detections[name] for name in found.sources if name in found.detections}
    return found


def input_files(inputs: Sequence[str | Path] | Mapping[Path, str]) -> dict[Path, str]:
    """The videos and feature files that files, folders and patterns stand for -> their ids, in the given order.

    Raises:
        InputError: there are none, or two have one id.
    """
    files = dict(inputs) if isinstance(inputs, Mapping) else named_files(inputs, FEATURES | VIDEOS)
    if not files:
        raise InputError("nothing to detect in: give videos, feature files or folders of them")
    return files


def holds_features(file: Path) -> bool:
    """Whether a file is one of features, by its ending; any other is taken for a video."""
    return file.suffix.lower() in READERS


def _detect_into(found: Found, detector: Detector, id_: str, source: Path, features: Path, timing: FeatureSpec) -> None:
    """Detects in one feature file, whose source is itself or a video."""
    name = without_prefix(id_, detector.config.data.prefix)
    try:
        found.detections[name] = detector.detect(
            features,
            fps=timing.fps,
            stride=timing.stride,
            num_frames=timing.num_frames,
            duration=timing.duration,
            name=str(source),
        )
    except InputError as error:
        found.failed[str(source)] = str(error).removeprefix(f"{features}: ")


def _detect_in_videos(
    found: Found,
    detector: Detector,
    files: Mapping[Path, str],
    timing: FeatureSpec,
    settings: VideoSettings,
    console: Console,
) -> None:
    """Extraction and detection in one stream: a video is searched as soon as its features are whole."""
    backbone = detector.backbone(settings.backbone, settings.weights)
    say_weights(backbone, console)
    layout = layout_of(detector.card.features, backbone, timing)
    with _folder(settings.features_out) as folder:
        targets = {file: feature_file(folder, id_) for file, id_ in files.items()}
        known = FeatureSpec(duration=timing.duration)
        todo = []
        for file, path in targets.items():
            try:
                if is_done(path, file, backbone, layout):
                    _detect_into(found, detector, files[file], file, path, known)
                else:
                    todo.append(file)
            except InputError as error:
                found.failed[str(file)] = f"{error}: choose another folder for --features-out"
        events = encode_videos(todo, backbone, layout, batch_size=settings.batch_size, workers=settings.workers)
        for event in shown(saved(events, targets, backbone, layout), len(todo), console):
            if isinstance(event, Failed):
                found.failed[str(event.video)] = event.reason
            elif isinstance(event, Finished):
                if event.course.warning:
                    found.warnings[str(event.video)] = event.course.warning
                _detect_into(found, detector, files[event.video], event.video, targets[event.video], known)
                if settings.features_out is None:
                    targets[event.video].unlink()


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        yield kept
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)
