"""How good a model is after its training, on one screen: figures per class, what limits it, what to try."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from actionformer.core.annotations import Annotations
from actionformer.core.calibration import Calibration, Threshold
from actionformer.core.detections import Detections
from actionformer.core.errors import InputError
from actionformer.core.files import read_json, write_whole
from actionformer.data.groups import LEAST_GROUPS, Groups
from actionformer.evaluation.calibration import OPERATING_TIOU, why_not
from actionformer.evaluation.diagnosis import KINDS, diagnose
from actionformer.evaluation.limits import MORE, Evidence, Limit, limits
from actionformer.evaluation.report import Report
from actionformer.evaluation.uncertainty import half_width, half_width_of_groups
from actionformer.inference.selection import shown


@dataclass(frozen=True)
class Operating:
    """What people are shown at the thresholds, in videos that did not choose these."""

    precision: float
    recall: float
    f1: float
    threshold: float
    """Least calibrated score."""
    uncertainty: float
    """Of precision and recall, the larger half width of their intervals of 95%."""

    @classmethod
    def of(cls, one: Threshold, at_least: float = 0.0) -> Operating:
        """The figures of a threshold, which are as uncertain as their counts are small."""
        wide = max(half_width(one.right, one.shown), half_width(one.right, one.actions), at_least)
        return cls(one.precision, one.recall, one.f1, one.threshold, wide)


@dataclass(frozen=True)
class ClassFigures:
    """One class."""

    name: str
    learned: int
    """Actions that training had."""
    actions: int
    """Actions that are held out."""
    ap: float
    """Average precision, mean over tIoU."""
    operating: Operating | None
    """None where there is no calibration."""


@dataclass(frozen=True)
class Overview:
    """Figures are shares from 0 to 1."""

    videos: int
    actions: int
    fresh: bool
    """Whether no video was learned from; else figures are too good."""
    map: float
    epoch: int
    """Of the model, counted from 1."""
    best_map: float
    best_epoch: int
    """Of the model in best/."""
    tiou: float
    """From which on a detection is right."""
    operating: Operating | None
    """Of all classes, each at its own threshold."""
    without: str
    """Why there are no thresholds, if there are none."""
    classes: tuple[ClassFigures, ...]
    """The worst first."""
    limits: tuple[Limit, ...]
    groups: int = 0
    """Groups, such as people, that the videos are of; 0 where none are known."""

    def to_json(self, path: str | Path) -> None:
        """Writes all of it."""
        write_whole(path, json.dumps(asdict(self), indent=1) + "\n")


def read_overview(path: str | Path) -> Overview:
    """What `Overview.to_json` wrote.

    Raises:
        InputError: it is no such file.
    """
    try:
        return TypeAdapter(Overview).validate_python(read_json(path))
    except ValidationError as error:
        raise InputError(f"{path}: not the overview of a training: {error.errors()[0]['msg']}") from error


def overview(
    truth: Annotations,
    detections: Mapping[str, Detections],
    report: Report,
    calibration: Calibration | None,
    groups: Groups,
    *,
    fresh: bool,
    learned: Mapping[str, int],
    course: Sequence[tuple[int, float]],
    epochs: int,
    stride: float | None,
    repeat_rare: float = 0.0,
    feature_dropout: float = 0.0,
    for_long: str = MORE,
) -> Overview:
    """Sums a training up.

    Args:
        truth: the held-out videos.
        detections: all that the model finds in them.
        report: the figures of these.
        calibration: measured on these.
        groups: which of all videos are alike, such as those of a person.
        fresh: whether none of the videos was learned from.
        learned: class -> actions to learn from.
        course: epochs, counted from 1, that were evaluated, with the mAP of each; the last is the model's.
        epochs: what `training.epochs` was.
        stride: frames from one feature to the next, if all have one.
        repeat_rare: the `training.repeat_rare` that is worth trying; 0 if there is none.
        feature_dropout: likewise the `data.feature_dropout`.
        for_long: what lets the detector find long actions.
    """
    ap = {name: sum(values) / len(values) for name, values in report.per_class.items()}
    tiou = OPERATING_TIOU if calibration is None else calibration.tiou
    for_people = {video: shown(one, calibration) for video, one in detections.items()}
    evidence = Evidence(
        truth, detections, for_people, ap, learned, course, epochs, stride, repeat_rare, feature_dropout, tiou, for_long
    )
    best_epoch, best_map = max(course, key=lambda one: one[1])
    missing = "" if calibration else _why_no_thresholds(truth, fresh)
    return Overview(
        videos=report.counts.videos,
        actions=report.counts.ground_truths,
        fresh=fresh,
        map=report.average,
        epoch=course[-1][0],
        best_map=best_map,
        best_epoch=best_epoch,
        tiou=tiou,
        operating=None
        if calibration is None
        else Operating.of(calibration.overall, _spread(truth, for_people, tiou, groups)),
        without=missing,
        classes=_classes(truth, ap, learned, calibration),
        limits=tuple(limits(evidence)),
        groups=groups.among(truth.videos),
    )


def _spread(truth: Annotations, shown: Mapping[str, Detections], tiou: float, groups: Groups) -> float:
    """How uncertain precision and recall are as groups differ, or videos where there are hardly any groups."""
    found, places = diagnose(truth, shown, tiou), groups.numbers(truth.videos, LEAST_GROUPS)

    def counts(videos: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.bincount(places[videos], minlength=places.max() + 1)

    right = counts(found.candidates.videos[found.kinds == KINDS.index("true positive")])
    totals = counts(found.candidates.videos), counts(found.truths.videos)
    return max(half_width_of_groups(right, total) for total in totals)


def _why_no_thresholds(truth: Annotations, fresh: bool) -> str:
    return why_not(truth) or ("no detection is right" if fresh else "the videos were learned from")


def _classes(
    truth: Annotations, ap: Mapping[str, float], learned: Mapping[str, int], calibration: Calibration | None
) -> tuple[ClassFigures, ...]:
    counts = dict.fromkeys(ap, 0)
    for video in truth.videos.values():
        for label in video.labels.tolist():
            counts[truth.class_names[label]] = counts.get(truth.class_names[label], 0) + 1
    thresholds = {} if calibration is None else calibration.classes
    return tuple(
        ClassFigures(
            name,
            learned.get(name, 0),
            counts[name],
            ap[name],
            Operating.of(thresholds[name]) if name in thresholds else None,
        )
        for name in sorted(ap, key=lambda one: (ap[one], one))
    )
