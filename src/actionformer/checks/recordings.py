"""The lengths that video files state, against what annotations say, and as features that are yet to be made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from actionformer.checks.files import Opened
from actionformer.checks.findings import Finding, Severity
from actionformer.core.annotations import AnnotatedVideo, Annotations
from actionformer.core.errors import InputError, listed
from actionformer.core.names import explained, matched
from actionformer.core.segments import TimeGrid
from actionformer.data.collection import FeaturedVideo
from actionformer.data.settings import DataSettings
from actionformer.features import Features, FeatureSpec
from actionformer.video.reader import VideoReader

FPS, STRIDE, NUM_FRAMES = 15.0, 4.0, 16.0
"""Of the features that `extract --backbone motion` makes, where the settings say nothing else."""

DIFFERENCE, SHARE = 0.5, 0.02
"""Seconds, and share of its length, by which the length of a video may differ from what annotations say."""


@dataclass(frozen=True)
class Recordings:
    """What video files state of themselves."""

    seconds: dict[str, float]
    """Video -> its length."""
    broken: dict[str, str]
    """Video -> why its length is not known."""


def look_at(files: Mapping[Path, str]) -> Recordings:
    """Opens every video; none is decoded.

    Args:
        files: file -> id of the video.
    """
    found = Recordings({}, {})
    for path, id_ in files.items():
        try:
            with VideoReader(path) as video:
                if video.declared is None:
                    found.broken[id_] = f"{path}: does not say how long it is"
                else:
                    found.seconds[id_] = video.declared
        except InputError as error:
            found.broken[id_] = str(error)
    return found


def with_lengths(annotations: Annotations, recordings: Recordings) -> Annotations:
    """Annotations with the lengths of the videos where they do not say any."""
    names = matched(annotations.videos, recordings.seconds)
    videos = {
        id_: replace(one, duration=one.duration or recordings.seconds.get(names.get(id_, "")))
        for id_, one in annotations.videos.items()
    }
    return replace(annotations, videos=videos)


def check_recordings(annotations: Annotations, recordings: Recordings) -> list[Finding]:
    """Videos of another length than their annotations say, that cannot be read, that nobody annotated."""
    known = matched(annotations.videos, recordings.seconds)
    findings = []
    if recordings.broken:
        total = len(recordings.broken) + len(recordings.seconds)
        what = "videos cannot be read: "
        example = next(iter(recordings.broken.values()))
        findings.append(Finding("video", "warning", len(recordings.broken), total, what, example))
    other = [one for id_, file in known.items() if _differs(one := annotations.videos[id_], recordings.seconds[file])]
    if other:
        what = "videos last longer or shorter than their annotations say: "
        example = listed([f"{v.id} ({recordings.seconds[known[v.id]]:.2f}, not {v.duration:.2f} s)" for v in other], 5)
        findings.append(
            Finding("video_length", "warning", len(other), len(known), what, example, "correct the durations")
        )
    strangers = sorted(recordings.seconds.keys() - set(known.values()))
    if strangers:
        example = listed(strangers) + explained(strangers, sorted(annotations.videos.keys() - known.keys()))
        what, advice = "videos have no entry in the annotations: ", "annotate them, or rename one side"
        findings.append(
            Finding("unannotated", "warning", len(strangers), len(recordings.seconds), what, example, advice)
        )
    return findings


def _differs(video: AnnotatedVideo, seconds: float) -> bool:
    return video.duration is not None and abs(video.duration - seconds) > max(DIFFERENCE, SHARE * seconds)


def as_featured(annotations: Annotations, recordings: Recordings, data: DataSettings) -> Opened:
    """The videos of a subset with the features that they would have."""
    known = matched(annotations.videos, recordings.seconds)
    grid = TimeGrid(data.fps or FPS, data.stride or STRIDE, data.num_frames or NUM_FRAMES)
    videos = [
        FeaturedVideo(annotations.videos[id_], _shape(recordings.seconds[file], grid), grid, FeatureSpec())
        for id_, file in known.items()
    ]
    absent = [video for id_, video in annotations.videos.items() if id_ not in known]
    findings = []
    if absent:
        ids = [video.id for video in absent]
        example = listed(ids) + explained(ids, sorted(recordings.seconds))
        severity: Severity = "warning" if videos else "error"
        what, advice = "videos have no file: ", "copy them there, or rename one side"
        findings.append(Finding("missing", severity, len(ids), len(annotations), what, example, advice))
    return Opened(videos, absent, findings)


def _shape(seconds: float, grid: TimeGrid) -> Features:
    length = int((seconds * grid.fps - grid.num_frames) // grid.stride) + 1
    return Features((), (max(length, 1), 1))
