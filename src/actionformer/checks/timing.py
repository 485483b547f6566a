"""Where features lie in time: against the length of their videos, and one video against the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from actionformer.checks.findings import Finding, Severity
from actionformer.core.errors import InputError, listed
from actionformer.data.collection import SEVERAL, FeaturedVideo
from actionformer.data.settings import DataSettings
from actionformer.features import GRID, TRANSPOSED, FeatureSpec, check_timing, compare_duration
from actionformer.features.arrays import DurationDifference
from actionformer.features.timing import SAME_SECONDS

ONE_CAUSE = 0.05
"""Share by which the factors of several videos may differ that have one cause."""


def check_durations(videos: Sequence[FeaturedVideo]) -> list[Finding]:
    """Features that cover another time than their video lasts, with the stride or rate that would fit all of them."""
    compared = [
        (one, difference)
        for one in videos
        if one.duration
        and (
            difference := compare_duration(
                one.video.id, len(one.features), one.duration, one.grid, one.features.shape[1]
            )
        )
    ]
    if not compared:
        return []
    different = [one for one, _ in compared]
    timed = sum(one.duration is not None for one in videos)
    first, hopeless = different[0], any(difference.hopeless for _, difference in compared)
    example = f", {first.video.id!r} {first.grid.seconds_covered(len(first.features)):.2f} of {first.duration:.2f} s"
    what = "videos have features that cover another time than the video lasts"
    return [
        Finding(
            "duration",
            "error" if hopeless else "warning",
            len(different),
            timed,
            what,
            example,
            _cause(compared, timed),
        )
    ]


def _cause(compared: Sequence[tuple[FeaturedVideo, DurationDifference]], timed: int) -> str:
    different = [one for one, _ in compared]
    if sum(difference.transposed for _, difference in compared) == len(compared):
        return f"features of shape {different[0].features.shape}: {TRANSPOSED}"
    factors = np.array([_seconds(one) / (len(one.features) * one.grid.step) for one in different])
    usual = float(np.median(factors))
    if len(different) >= min(SEVERAL, timed) and 2 * len(different) > timed and _alike(factors, usual):
        grid = different[0].grid
        unit = min(grid.units.items(), key=lambda one: abs(usual / one[1] - 1))
        if abs(usual / unit[1] - 1) < ONE_CAUSE:
            return f"are the durations in {unit[0]}? They are in seconds"
        stride, fps = _round(grid.stride * usual), _round(grid.fps / usual)
        how = (
            "correct the sidecars"
            if different[0].spec.stride
            else f"give --data.stride {stride:g} or --data.fps {fps:g}"
        )
        return f"stride {stride:g} or fps {fps:g} would fit: {how}"
    if (factors > 1).all():
        return "were they cut short? Extract them again, with the settings of the others"
    return "extract them again with the settings of the others, or correct the durations"


def _seconds(video: FeaturedVideo) -> float:
    assert video.duration is not None
    return video.duration - video.grid.start


def _alike(factors: NDArray[np.float64], usual: float) -> bool:
    return bool(np.abs(factors / usual - 1).max() <= ONE_CAUSE)


def _round(number: float) -> float:
    """A whole number where one is near."""
    whole = round(number)
    return whole if whole and abs(number / whole - 1) <= ONE_CAUSE else round(number, 2)


def check_one_timing(videos: Sequence[FeaturedVideo]) -> list[Finding]:
    """Features of several strides, windows or rates: a model counts features, and to it they are other lengths."""
    if not videos:
        return []
    usual = Counter((v.grid.fps, v.grid.stride, v.grid.num_frames) for v in videos).most_common(1)[0][0]
    expected = FeatureSpec(fps=usual[0], stride=usual[1], num_frames=usual[2])
    refused = [video for video in videos if _is_refused(video, expected)]
    step = usual[1] / usual[0]
    slower = [v for v in videos if v not in refused and abs(v.grid.step - step) > SAME_SECONDS * step]
    findings = []
    if refused:
        what = f"videos have features of another timing than {_in_words(expected)}: "
        example = listed([f"{one.video.id} ({_in_words(FeatureSpec.on(one.grid))})" for one in refused], 5)
        advice = "extract them like the others, correct their sidecars, or go on with --other-timing"
        findings.append(Finding("timing", "error", len(refused), len(videos), what, example, advice))
    if slower:
        what = f"videos have features that lie further apart or nearer than {step:.3g} s: "
        example = listed([f"{v.video.id} ({v.grid.step:.3g} s, {v.grid.fps:g} fps)" for v in slower], 5)
        advice = f"extract all with --fps {usual[0]:g}: a model counts features, not seconds"
        findings.append(Finding("mixed_fps", "warning", len(slower), len(videos), what, example, advice))
    return findings


def _is_refused(video: FeaturedVideo, expected: FeatureSpec) -> bool:
    try:
        check_timing(FeatureSpec.on(video.grid), expected, "", rates=False)
    except InputError:
        return True
    return False


def _in_words(spec: FeatureSpec) -> str:
    return f"fps {spec.fps:g}, stride {spec.stride:g}, num_frames {spec.num_frames:g}"


def check_sidecars(videos: Sequence[FeaturedVideo], data: DataSettings) -> list[Finding]:
    """Sidecars that contradict one another, the annotations or the settings."""
    findings = [one for name in ("backbone", "weights_hash", "preprocessing") for one in _mixed(videos, name)]
    contradictions: list[tuple[str, str, Callable[[FeaturedVideo], bool]]] = [
        ("duration", "annotations", _other_duration),
        ("timing", "settings, and are believed", lambda v: _other_settings(v, data)),
    ]
    for what, other, differs in contradictions:
        if wrong := [video.video.id for video in videos if differs(video)]:
            text = f"sidecars have another {what} than the {other}: "
            findings.append(
                Finding("sidecar", "warning", len(wrong), len(videos), text, listed(wrong), "correct the wrong one")
            )
    return findings


def _mixed(videos: Sequence[FeaturedVideo], name: str) -> list[Finding]:
    """Features made in several ways."""
    values = Counter(value for video in videos if (value := getattr(video.spec, name)) is not None)
    if len(values) < 2:
        return []
    usual = values.most_common(1)[0][0]
    others = [v for v in videos if getattr(v.spec, name) not in (None, usual)]
    what = f"sidecars say another {name} than {usual}: "
    example = listed([f"{video.video.id} ({getattr(video.spec, name)})" for video in others], 5)
    severity: Severity = "warning" if name == "preprocessing" else "error"
    return [Finding("sidecar", severity, len(others), len(videos), what, example, "extract all in one way")]


def _other_duration(video: FeaturedVideo) -> bool:
    said, annotated = video.spec.duration, video.video.duration
    return None not in (said, annotated) and abs((said or 0) - (annotated or 0)) > video.grid.tolerance


def _other_settings(video: FeaturedVideo, data: DataSettings) -> bool:
    pairs = [(getattr(data, name), getattr(video.spec, name)) for name in GRID]
    return any(None not in pair and pair[0] != pair[1] for pair in pairs)
