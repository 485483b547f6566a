"""Feature files that are missing or cannot be used, found for all videos and not only the first.

Training refuses what is an error here: `collect` stops at the first such file.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from actionformer.checks.findings import Finding
from actionformer.core.annotations import AnnotatedVideo, Annotations
from actionformer.core.errors import InputError, listed
from actionformer.core.names import explained, matched
from actionformer.data.collection import FeaturedVideo, grid_of
from actionformer.data.settings import DataSettings
from actionformer.features import TRANSPOSED, FeatureFolders, FeatureSpec, lacking, unknown_of, whereabouts
from actionformer.features.timing import timing_of


@dataclass(frozen=True)
class Opened:
    """The videos of a subset whose features can be used, and what was found about the others."""

    videos: list[FeaturedVideo] = field(default_factory=list)
    missing: list[AnnotatedVideo] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def open_subset(annotations: Annotations, source: FeatureFolders, data: DataSettings, width: int | None) -> Opened:
    """Looks at the feature file and the sidecar of every video of a subset; no row is read.

    Args:
        annotations: of the subset.
        source: where the features are.
        data: timing where sidecars do not say it.
        width: channels expected; by default those of most videos.
    """
    missing = set(source.missing(annotations.videos))
    opened: list[FeaturedVideo] = []
    untimed: dict[str, list[str]] = {}
    broken: dict[str, str] = {}
    for id_, video in annotations.videos.items():
        if id_ in missing:
            continue
        try:
            spec = source.spec(id_)
            if unknown := _untold(video, spec, data):
                untimed[id_] = unknown
                continue
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what sidecars and settings say is compared by `check_sidecars`
                grid = grid_of(video, spec, data)
            opened.append(FeaturedVideo(video, source.open(id_, timing=FeatureSpec.on(grid)), grid, spec))
        except InputError as error:
            broken[id_] = str(error)
    fitting, others = _of_width(opened, width)
    total = len(annotations)
    absent = [annotations.videos[id_] for id_ in annotations.videos if id_ in missing]
    findings = [
        *_missing(absent, total, source),
        *_untimed(untimed, total),
        *_broken(broken, total),
        *_other_width(fitting, others, width),
    ]
    return Opened(fitting, absent, findings)


def _untold(video: AnnotatedVideo, sidecar: FeatureSpec, data: DataSettings) -> list[str]:
    settings = FeatureSpec(fps=data.fps, stride=data.stride, num_frames=data.num_frames)
    return unknown_of(timing_of(sidecar=sidecar, settings=settings, annotations=FeatureSpec(fps=video.fps)))


def _missing(videos: Sequence[AnnotatedVideo], total: int, source: FeatureFolders) -> list[Finding]:
    if not videos:
        return []
    ids = [video.id for video in videos]
    what = f"videos have no features in {', '.join(map(str, source.folders))}: "
    if len(videos) == total:
        return [Finding("missing", "error", len(ids), total, what, listed(ids) + whereabouts(ids, source))]
    example, advice = listed(ids) + lacking(ids, source), "extract them; --skip-missing trains without them"
    return [Finding("missing", "warning", len(ids), total, what, example, advice)]


def _untimed(videos: dict[str, list[str]], total: int) -> list[Finding]:
    if not videos:
        return []
    names = sorted({name for unknown in videos.values() for name in unknown})
    options = ", ".join(f"--data.{name.replace('_', '-')}" for name in names)
    what = f"videos have features with no stated {listed(names)}: "
    return [
        Finding(
            "untimed", "error", len(videos), total, what, listed(list(videos)), f"write sidecars, or give {options}"
        )
    ]


def _broken(videos: dict[str, str], total: int) -> list[Finding]:
    if not videos:
        return []
    what = "videos have features that cannot be read: "
    return [Finding("broken", "error", len(videos), total, what, next(iter(videos.values())))]


def _of_width(videos: Sequence[FeaturedVideo], width: int | None) -> tuple[list[FeaturedVideo], list[FeaturedVideo]]:
    """Those with as many channels as expected or as most have, and the others."""
    if not videos:
        return [], []
    lengths, widths = (Counter(video.features.shape[i] for video in videos) for i in (0, 1))
    if width is None and len(videos) > 1 and len(lengths) == 1 and len(widths) > len(videos) / 2:
        return [], list(videos)  # stored as (D, T)
    usual = width or widths.most_common(1)[0][0]
    fitting = [video for video in videos if video.features.shape[1] == usual]
    return fitting, [video for video in videos if video.features.shape[1] != usual]


def _other_width(fitting: Sequence[FeaturedVideo], others: Sequence[FeaturedVideo], width: int | None) -> list[Finding]:
    if not others:
        return []
    usual = width or (fitting[0].features.shape[1] if fitting else None)
    swapped = all(usual in (None, video.features.shape[0]) for video in others)
    what = "videos have features of another width" if usual else "videos have equally many rows, but different widths"
    what += f" than {usual}: " if usual else ": "
    example = listed([f"{video.video.id} {video.features.shape}" for video in others])
    advice = TRANSPOSED if swapped else "extract them like the others, or set model.input_dim"
    total = len(fitting) + len(others)
    return [Finding("width", "error", len(others), total, what, example, advice)]


def check_unannotated(annotations: Annotations, source: FeatureFolders) -> list[Finding]:
    """Feature files that belong to no annotated video."""
    ids = source.ids
    known = matched(ids, annotations.videos)
    strangers = [id_ for id_ in ids if id_ not in known]
    if not strangers:
        return []
    unused = sorted(annotations.videos.keys() - set(known.values()))
    example = listed(strangers) + (explained(strangers, unused) if unused else "")
    what, advice = "feature files belong to no annotated video: ", "annotate these videos, or rename one side"
    return [Finding("unannotated", "warning", len(strangers), len(ids), what, example, advice)]
