"""Annotated videos together with their features: found, checked, and placed in time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actionformer.core.annotations import AnnotatedVideo, Annotations
from actionformer.core.errors import InputError, listed, warn
from actionformer.core.segments import TimeGrid
from actionformer.core.words import part, plural
from actionformer.data.settings import DataSettings
from actionformer.features import (
    AS_LEARNED,
    GRID,
    FeatureFolders,
    Features,
    FeatureSpec,
    check_backbone,
    check_timing,
    compare_duration,
    lacking,
    timing_of,
    unknown_of,
    whereabouts,
)

Paths = str | Path | Sequence[str | Path]
"""One folder or several."""
SEVERAL = 3  # videos that say something of all


@dataclass(frozen=True)
class FeaturedVideo:
    """An annotated video, its features and where they lie in time."""

    video: AnnotatedVideo
    features: Features
    grid: TimeGrid
    spec: FeatureSpec
    proposals: NDArray[np.float64] | None = None
    """(N, 2) segments that a second stage judges, seconds; None where there is none."""

    @property
    def duration(self) -> float | None:
        """Where the video ends, seconds, as its annotations or else its sidecar say."""
        return self.video.duration or self.spec.duration

    @property
    def end(self) -> float:
        """Where the video ends, seconds; where nobody says it, where its features end."""
        return self.duration or self.grid.seconds_covered(self.features.shape[0])


@dataclass(frozen=True)
class Collection:
    """The videos of a subset that have features, and those that have not."""

    videos: list[FeaturedVideo]
    missing: list[AnnotatedVideo]

    @property
    def missing_actions(self) -> int:
        """Ground truths of the videos without features."""
        return sum(len(video.segments) for video in self.missing)


def collect(
    annotations: Annotations,
    folders: Paths,
    data: DataSettings,
    *,
    width: int | None = None,
    made_for: FeatureSpec | None = None,
    skip_missing: bool = False,
    other_timing: bool = False,
) -> Collection:
    """The features of annotated videos.

    Timing is that of the sidecars, which travel with their features; else of the settings, else (fps) of the
    annotations.

    Args:
        annotations: of one subset or several.
        folders: of feature files; several are joined by channel.
        data: timing and name prefix.
        width: channels expected; by default those of the first video.
        made_for: the features that a model was trained on, where there is one.
        skip_missing: go on without the videos that have no features.
        other_timing: take features of another stride or window than the first video's, or of another timing than those
            that the model was trained on.

    Raises:
        InputError: videos without features (they are listed), features of another width, unknown timing or timing
            that is not that of the others, features that do not fit a video's duration.
    """
    source = FeatureFolders.at(folders, data.prefix)
    missing = source.missing(annotations.videos)
    if missing and (not skip_missing or len(missing) == len(annotations)):
        raise InputError(_missing_message(missing, len(annotations), source, skip_missing))
    _check_files(sorted(annotations.videos.keys() - set(missing)), source)
    specs = {id_: source.spec(id_) for id_ in sorted(annotations.videos.keys() - set(missing))}
    _check_backbones(specs, made_for)
    videos: list[FeaturedVideo] = []
    for id_, spec in specs.items():
        video = annotations.videos[id_]
        grid = grid_of(video, spec, data)
        videos.append(
            FeaturedVideo(video, source.open(id_, timing=FeatureSpec.on(grid), made_for=made_for), grid, spec)
        )
    if not (other_timing or data.resize):
        _check_timing(videos, made_for)
    _check_durations(videos)
    _check_widths(videos, width, made_for)
    return Collection(videos, [annotations.videos[id_] for id_ in missing])


def _check_files(ids: Sequence[str], source: FeatureFolders) -> None:
    """Two videos whose ids differ by the form of Unicode alone, and one file that would be of both, are refused."""
    seen: dict[Path | None, str] = {}
    for id_ in ids:
        path = source.paths(id_)[0]
        if other := seen.get(path):
            raise InputError(f"videos {other!a} and {id_!a} share the feature file {path}: rename one")
        seen[path] = id_


def _check_timing(videos: Sequence[FeaturedVideo], made_for: FeatureSpec | None) -> None:
    """The features of a collection lie in time as the model's, or else as those of its first video.

    Raises:
        InputError: they do not; names both.
    """
    rates = made_for is not None
    expected = made_for or replace(FeatureSpec.on(videos[0].grid), sources=videos[0].spec.sources)
    for one in videos:
        where = f"video {one.video.id!r}"
        check_timing(replace(FeatureSpec.on(one.grid), sources=one.spec.sources), expected, where, rates=rates)


def _check_durations(videos: Sequence[FeaturedVideo]) -> None:
    """Compares what features cover with how long their videos last; says the first and how many there are.

    Raises:
        InputError: some cannot belong together, or all of several fit exactly if they are stored as (D, T).
    """
    compared = [
        compare_duration(
            f"video {one.video.id!r}", len(one.features), duration, one.grid, one.features.shape[1], one.spec.duration
        )
        for one in videos
        if (duration := one.duration)
    ]
    different = [one for one in compared if one]
    hopeless = [one for one in different if one.hopeless]
    if len(compared) >= SEVERAL and sum(one.transposed for one in different) == len(compared):
        hopeless = different
    if not different:
        return
    said = hopeless or different
    message = f"{said[0].message} (and {plural(len(said) - 1, 'more video')})" if len(said) > 1 else said[0].message
    if hopeless:
        raise InputError(message)
    warn(message, stacklevel=3)


def _check_widths(videos: Sequence[FeaturedVideo], width: int | None, made_for: FeatureSpec | None) -> None:
    """All features have as many channels, those of the first if it is not said how many.

    Raises:
        InputError: others; the first is named.
    """
    own = "extract them all alike" if width is None else "extract them so, or set model.input_dim"
    advice = AS_LEARNED if made_for else own
    lengths, widths = ({video.features.shape[i] for video in videos} for i in (0, 1))
    for video in videos:
        try:
            swapped = len(lengths) == 1 and len(widths) > len(videos) / 2
            video.features.check_width(width or videos[0].features.shape[1], swapped=swapped, advice=advice)
        except InputError as error:
            raise InputError(f"video {video.video.id!r}: {error}") from error


def transposed(videos: Sequence[FeaturedVideo], seconds: Sequence[float]) -> bool:
    """Whether features look stored as (D, T), where no duration tells, but up to what second each is needed.

    All would have as many rows, D, and as (T, D) each would reach as far as it is needed, and one not twice as far.
    """
    if any(video.duration for video in videos):
        return False
    reached = [video.grid.seconds_covered(video.features.shape[1]) for video in videos]
    alike = len({video.features.shape[0] for video in videos}) == 1
    enough = all(need <= end + video.grid.tolerance for video, need, end in zip(videos, seconds, reached, strict=True))
    return alike and enough and any(2 * need > end for need, end in zip(seconds, reached, strict=True))


def _check_backbones(specs: Mapping[str, FeatureSpec], made_for: FeatureSpec | None) -> None:
    """Features of a collection come from one backbone with the same weights, and from those that the model knows.

    Raises:
        InputError: they do not; names both.
    """
    known = made_for or FeatureSpec()
    for id_, spec in specs.items():
        try:
            check_backbone(spec, known)
        except InputError as error:
            if known is made_for:
                raise InputError(f"video {id_!r}: {error}") from error
            kind = "backbones" if spec.backbone != known.backbone else "weights"
            both = [str(one.backbone if kind == "backbones" else one.weights_hash) for one in (spec, known)]
            raise InputError(f"features of different {kind} cannot be mixed: {', '.join(sorted(both))}") from error
        if known.backbone is None and spec.backbone:
            known = spec


def common_spec(videos: Sequence[FeaturedVideo]) -> FeatureSpec:
    """What the features of all videos have in common; a model trained on them remembers it."""
    sources = zip(*(one.spec.sources for one in videos), strict=True)
    widths = [channels for _, channels in videos[0].features.stored]
    return replace(
        _in_common([one.spec for one in videos]),
        **{name: _same([getattr(one.grid, name) for one in videos]) for name in GRID},
        dim=videos[0].features.shape[1],
        sources=tuple(replace(_in_common(one), dim=dim) for one, dim in zip(sources, widths, strict=False)),
    )


def _in_common(specs: Sequence[FeatureSpec]) -> FeatureSpec:
    same = {
        name: _same([getattr(one, name) for one in specs])
        for name in (*GRID, "weights_hash", "preprocessing", "last_clip")
    }
    return FeatureSpec(**same, backbone=min({one.backbone for one in specs if one.backbone}, default=None))


def _same(values: Sequence[Any]) -> Any:
    """What all are; None where they differ."""
    return values[0] if len(set(values)) == 1 else None


def grid_of(video: AnnotatedVideo, sidecar: FeatureSpec, data: DataSettings) -> TimeGrid:
    """Where the features of a video lie in time; sidecars that contradict the settings are warned of, and believed.

    Raises:
        InputError: nobody knows it; names what is missing.
    """
    settings = FeatureSpec(fps=data.fps, stride=data.stride, num_frames=data.num_frames)
    for name in GRID:
        setting, said = getattr(settings, name), getattr(sidecar, name)
        if setting is not None and said is not None and setting != said:
            warn(f"sidecars say {name} {said:g}, data.{name} is {setting:g}: the sidecars are used", stacklevel=2)
    known = timing_of(sidecar=sidecar, settings=settings, annotations=FeatureSpec(fps=video.fps))
    if known.grid is None:
        unknown = unknown_of(known)
        raise InputError(
            f"video {video.id!r}: {listed(unknown)} of the features {'is' if len(unknown) == 1 else 'are'} not known: "
            f"write a sidecar or set {listed([f'data.{name}' for name in unknown])}"
        )
    return known.grid


def _missing_message(missing: list[str], total: int, source: FeatureFolders, skipped: bool) -> str:
    folders = ", ".join(map(str, source.folders))
    if len(missing) == total:
        hints = whereabouts(missing, source)
    else:
        advice = "" if skipped else "; --skip-missing leaves them out"
        hints = advice + lacking(missing, source)
    return f"{part(len(missing), total, 'videos have no features in')} {folders}: {listed(missing)}{hints}"


def with_classes(annotations: Annotations, count: int | None) -> Annotations:
    """Annotations with `count` classes: one for proposals of any class, or more than the file has names for.

    Raises:
        InputError: more classes than `count`.
    """
    names = annotations.class_names
    if count is None or count == len(names):
        return annotations
    if count == 1:
        videos = {id_: replace(v, labels=np.zeros_like(v.labels)) for id_, v in annotations.videos.items()}
        return replace(annotations, videos=videos, class_names=("action",))
    if count < len(names):
        raise InputError(f"{annotations.source}: {plural(len(names), 'class')}, model.num_classes is {count}")
    return replace(annotations, class_names=names + tuple(f"class_{i}" for i in range(len(names), count)))


def as_list(paths: Paths) -> list[str | Path]:
    """One path or several, as several."""
    return [paths] if isinstance(paths, str | Path) else list(paths)
