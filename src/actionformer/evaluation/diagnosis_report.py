"""Everything that a diagnosis tells of some detections."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from actionformer.core.annotations import Annotations
from actionformer.core.calibration import Calibration
from actionformer.core.detections import Detections
from actionformer.core.errors import InputError
from actionformer.core.files import write_whole
from actionformer.core.names import matched
from actionformer.core.words import plural
from actionformer.data.groups import LEAST_GROUPS, Groups, groups_of
from actionformer.evaluation.bootstrap import Comparison, Interval, compare, confidence
from actionformer.evaluation.diagnosis import diagnose
from actionformer.evaluation.framewise import FramewiseScores, frame_labels, framewise_scores
from actionformer.evaluation.mean_average_precision import average_precision_of_hits
from actionformer.evaluation.sensitivity import Found, Sensitivity, find, sensitivities
from actionformer.inference.overlap import without_overlap
from actionformer.inference.selection import shown

RATE = 10.0
"""Frames a second of frame-wise figures."""


@dataclass(frozen=True)
class DiagnosisReport:
    """Figures are shares from 0 to 1."""

    videos: int
    actions: int
    detections: int
    tiou: float
    """At which kinds, gains and the profile are."""
    thresholds: tuple[float, ...]
    """tIoU that mAP, normalised mAP and misses are means over."""
    map: Interval
    normalized_map: float
    kinds: dict[str, int]
    """Detections of each kind, and ground truths found and missed."""
    shown_kinds: dict[str, int]
    """The same of what people are shown."""
    gains: dict[str, float]
    """Kind of error -> what mAP at this tIoU would gain if there were none of it."""
    profile: list[dict[str, float]]
    """Shares of kinds among the best G, 2 G, ... detections, see `Diagnosis.by_rank`."""
    sensitivity: list[Sensitivity]
    by_length: list[dict[str, Any]]
    """Kinds of detections by their own length."""
    per_class: dict[str, dict[str, Any]]
    """Kinds, and `ap`, average precision, mean over tIoU."""
    framewise: FramewiseScores | None
    """Of what people are shown, one action at a time; None where the annotations have several at one time."""
    comparison: Comparison | None = None
    """With another run, whose mAP is less this one's."""
    drawn: str = "videos"
    """What is drawn for intervals and the test: videos, or groups of videos that are alike."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        content = asdict(self)
        for one, sensitivity in zip(content["sensitivity"], self.sensitivity, strict=True):
            one["spread"] = sensitivity.spread
        return content

    def to_json(self, path: str | Path) -> None:
        """Writes all figures."""
        write_whole(path, json.dumps(self.to_dict(), indent=1) + "\n")


def report(
    annotations: Annotations,
    detections: Mapping[str, Detections],
    *,
    tiou: float,
    thresholds: Sequence[float],
    calibration: Calibration | None = None,
    other: Mapping[str, Detections] | None = None,
    draws: int,
    groups: Groups | None = None,
) -> DiagnosisReport:
    """Diagnoses detections.

    Args:
        annotations: the videos to evaluate on.
        detections: video -> Detections, with the network's scores.
        tiou: at which a detection is right.
        thresholds: tIoU of mAP.
        calibration: of the model, which says what people are shown.
        other: detections of another run, compared with these by a paired test.
        draws: of videos, or of groups where there are several, for intervals and the test.
        groups: which videos are alike, told by all that there are; by default what the annotations tell.

    Raises:
        InputError: no ground truth.
    """
    found = find(annotations, detections, np.array(thresholds))
    if not len(found.truths):
        raise InputError(f"{annotations.source}: no action in the {plural(len(annotations), 'video')} to evaluate on")
    own = matched(detections, annotations.videos)
    for_people = {own[video]: shown(one, calibration) for video, one in detections.items() if video in own}
    diagnosis = diagnose(annotations, detections, tiou)
    groups = groups or groups_of(annotations)
    alike = groups.numbers(annotations.videos, LEAST_GROUPS)
    return DiagnosisReport(
        videos=len(annotations),
        actions=len(found.truths),
        detections=len(found.detections),
        tiou=tiou,
        thresholds=tuple(thresholds),
        map=confidence(found, alike, draws),
        normalized_map=found.normalized_map(),
        kinds=diagnosis.counts,
        shown_kinds=diagnose(annotations, for_people, tiou).counts,
        gains=diagnosis.gains(),
        profile=diagnosis.by_rank(),
        sensitivity=sensitivities(annotations, found),
        by_length=diagnosis.by_length(),
        per_class=_with_precision(diagnosis.by_class(), annotations, found),
        framewise=_framewise(annotations, for_people),
        comparison=None
        if other is None
        else compare(found, find(annotations, other, np.array(thresholds)), alike, draws),
        drawn="groups" if groups.among(annotations.videos) >= LEAST_GROUPS else "videos",
    )


def _with_precision(
    by_class: Mapping[str, Mapping[str, int]], annotations: Annotations, found: Found
) -> dict[str, dict[str, Any]]:
    precision = average_precision_of_hits(found.taken >= 0, found.detections.labels, found.truths.labels).mean(axis=0)
    return {
        name: {"ap": float(precision[annotations.class_names.index(name)]), **row} for name, row in by_class.items()
    }


def _framewise(annotations: Annotations, detections: Mapping[str, Detections]) -> FramewiseScores | None:
    """Frame-wise figures where the annotations have one action at a time and say how long videos are."""
    if not all(video.duration for video in annotations.videos.values()) or not annotations.one_at_a_time:
        return None
    names = {name: label for label, name in enumerate(annotations.class_names)}
    videos = []
    for id_, video in annotations.videos.items():
        seconds = float(video.duration or 0)
        order = np.argsort(video.segments[:, 0], kind="stable")
        truth = frame_labels(video.segments[order], video.labels[order], seconds, RATE)
        predicted = np.full_like(truth, -1)
        if id_ in detections and len(detections[id_]):
            one = without_overlap(detections[id_], "none")
            own = matched(one.class_names, names)
            labels = np.array([names[own[name]] if name in own else -2 for name in one.class_names])[one.labels]
            predicted = frame_labels(one.segments, labels, seconds, RATE)
        videos.append((predicted, truth))
    return framewise_scores(videos, background=-1)
