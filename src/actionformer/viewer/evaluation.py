"""How well the run does: training curves, precision, kinds of error, and a second run beside it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np

from actionformer.core.files import read_json_lines
from actionformer.core.run_files import METRICS
from actionformer.evaluation.diagnosis import average_precision_by_video, diagnose
from actionformer.evaluation.report import Report, parse_tiou, score
from actionformer.inference.selection import shown
from actionformer.viewer.memory import LAST, kept
from actionformer.viewer.project import Project
from actionformer.viewer.values import Answer, by_tiou, rounded

MOST_ERRORS = 32 << 20
"""Bytes that kinds of error may take, of all pairs of tIoU and least score that were asked for."""

LeastScore = float | Literal["class"] | None
"""From which score on detections count: one of all classes, the threshold of each class, or none."""


class Evaluation:
    """Answers about all detections together, each computed when it is first asked for.

    Args:
        project: what the viewer shows.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self.precision: Callable[[], dict[str, Answer]] = kept(self._precision_by_video, LAST)
        """Video -> its average precision by tIoU; none without annotations or detections."""
        self._errors: Callable[[float, LeastScore], Answer] = kept(self._diagnosed, MOST_ERRORS)
        self._report: Callable[[], Report] = kept(self._evaluated, LAST)
        self._other_report: Callable[[], Report] = kept(self._other_evaluated, LAST)

    def run(self, tiou: float, min_score: LeastScore = None) -> Answer:
        """Curves of training, precision by tIoU and class, kinds of error of detections from a score on.

        Args:
            tiou: from which on a detection finds an action.
            min_score: of the detections whose errors are counted: all of them, those from a score on, or those that
                reach the threshold of their class (`class`).
        """
        answer: Answer = {"curves": self._curves(), "map": None, "per_class": [], "errors": None}
        if self.project.annotations is None or not self.project.detections:
            return answer
        report, errors = self._report(), self._errors(tiou, min_score)
        answer["map"] = by_tiou(report.tiou, report.map)
        answer["per_class"] = [
            {"class": name, "ap": by_tiou(report.tiou, values), "actions": _actions(errors["by_class"][name])}
            for name, values in report.per_class.items()
        ]
        answer["errors"] = errors
        return answer

    def compare(self) -> Answer:
        """Precision of this run and of the other, by class and by tIoU.

        Raises:
            UnavailableError: there is no second run, or there are no annotations.
        """
        self.project.require("compare")
        self.project.require("annotations")
        assert self.project.other is not None
        first, second = self._report(), self._other_report()
        return {
            "names": [self.project.title, self.project.other[0]],
            "map": {f"{tiou:g}": rounded(pair) for tiou, *pair in zip(first.tiou, first.map, second.map, strict=True)},
            "per_class": [
                {
                    "class": name,
                    "first": by_tiou(first.tiou, values),
                    "second": by_tiou(second.tiou, second.per_class[name]),
                    "difference": by_tiou(first.tiou, np.subtract(second.per_class[name], values)),
                }
                for name, values in first.per_class.items()
            ],
        }

    def _precision_by_video(self) -> dict[str, Answer]:
        project = self.project
        if project.annotations is None or not project.detections:
            return {}
        found = average_precision_by_video(project.annotations, project.detections, np.array(project.thresholds))
        return {video: by_tiou(project.thresholds, values) for video, values in found.items()}

    def _evaluated(self) -> Report:
        assert self.project.annotations is not None
        return score(self.project.annotations, self.project.detections, tiou=self.project.thresholds)

    def _other_evaluated(self) -> Report:
        assert self.project.annotations is not None
        assert self.project.other is not None
        return score(self.project.annotations, self.project.other[1], tiou=self.project.thresholds)

    def _diagnosed(self, tiou: float, min_score: LeastScore) -> Answer:
        """Kinds of error; what they are counted from is as large as all detections, and goes."""
        assert self.project.annotations is not None
        detections = self.project.detections
        if min_score == "class":
            detections = {video: shown(found, self.project.calibration) for video, found in detections.items()}
        elif min_score is not None:
            detections = {video: found.above(min_score) for video, found in detections.items()}
        diagnosis = diagnose(self.project.annotations, detections, tiou)
        return {
            "kinds": diagnosis.counts,
            "gains": diagnosis.gains(),
            "by_class": diagnosis.by_class(),
            "by_length": diagnosis.by_length(),
        }

    def _curves(self) -> dict[str, list[list[float]]]:
        """Figure -> (epoch, value) of every epoch that has it."""
        curves: dict[str, list[list[float]]] = {}
        file = self.project.run / METRICS if self.project.run else None
        if file is None or not file.is_file():
            return curves
        for figures in read_json_lines(file):
            for name, value in figures.items():
                if name != "epoch" and _is_number(value) and _is_number(figures.get("epoch")):
                    curves.setdefault(name, []).append([figures["epoch"], value])
        return curves


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _actions(counts: Mapping[str, int]) -> int:
    return counts["found"] + counts["missed"]


def checked_tiou(tiou: float | None, thresholds: tuple[float, ...]) -> float:
    """A tIoU that was asked for, or 0.5 if that is one of the thresholds, else the first of them.

    Raises:
        InputError: it is outside (0, 1].
    """
    if tiou is None:
        return 0.5 if 0.5 in thresholds else thresholds[0]
    return parse_tiou([tiou])[0]
