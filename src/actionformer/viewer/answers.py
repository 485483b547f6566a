"""What the page asks for, as plain values: times in seconds, labels as indices into the project's classes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from actionformer.core.errors import InputError
from actionformer.core.files import METRICS, read_json_lines
from actionformer.data.annotations import Annotations
from actionformer.detections import Detections
from actionformer.evaluation import Report, parse_tiou, score
from actionformer.evaluation.diagnosis import KINDS, VideoDiagnosis, average_precision_by_video, diagnose
from actionformer.viewer.corrections import Corrections
from actionformer.viewer.media.conversions import Conversions
from actionformer.viewer.media.playability import Playability
from actionformer.viewer.media.segments import SEGMENT_SECONDS
from actionformer.viewer.memory import LAST, kept
from actionformer.viewer.project import Project

if TYPE_CHECKING:
    from actionformer.viewer.network import Network

Answer = dict[str, Any]
MOST_ERRORS = 32 << 20
"""Bytes that kinds of error may take, of all pairs of tIoU and least score that were asked for."""
PARTS = ("videos", "features", "annotations", "run", "candidates", "compare", "corrections")


class Answers:
    """Answers about one project.

    Args:
        project: what the viewer was started with.
    """

    def __init__(self, project: Project) -> None:
        self.about = project
        self.media = Conversions()
        self._network: Callable[[], Network] = kept(self._begin_network, LAST)
        self._corrections: Callable[[], Corrections] = kept(lambda: Corrections(project, self.duration), LAST)
        self._errors: Callable[[float, float | None], Answer] = kept(self._diagnosed, MOST_ERRORS)
        self._precision: Callable[[], dict[str, Answer]] = kept(self._precision_by_video, LAST)
        self._report: Callable[[], Report] = kept(self._evaluated, LAST)
        self._other_report: Callable[[], Report] = kept(self._other_evaluated, LAST)

    def project(self) -> Answer:
        """The title, the classes, what there is, and every video with how well it is done."""
        about = self.about
        precision, corrected = self._precision(), self._corrected()
        return {
            "title": about.title,
            "classes": list(about.class_names),
            "has": {part: part not in self.why_not for part in PARTS},
            "why_not": self.why_not,
            "tiou": list(about.thresholds),
            "videos": [self._listed(video, precision.get(video), video in corrected) for video in about.ids],
        }

    @property
    def network(self) -> Network:
        """The run's network.

        Raises:
            UnavailableError: there is no run, or there are no features.
        """
        self.about.require("features")
        return self._network()

    def _begin_network(self) -> Network:
        from actionformer.viewer.network import Network

        return Network(self.about)

    @property
    def corrections(self) -> Corrections:
        """The corrected annotations.

        Raises:
            UnavailableError: this project cannot be corrected.
            InputError: a file of corrections that was begun before is broken.
        """
        self.about.require("corrections")
        return self._corrections()

    @property
    def computes(self) -> bool:
        """Whether videos without detections can be searched."""
        return "features" not in self.about.why_not

    @property
    def why_not(self) -> dict[str, str]:
        """Part -> why it is not there."""
        why_not = dict(self.about.why_not)
        if "features" in why_not:
            why_not["candidates"] = why_not["features"]
        return why_not

    def _listed(self, video: str, precision: Answer | None, corrected: bool) -> Answer:
        about = self.about
        found = about.detections.get(video)
        annotated = about.annotations.videos.get(video) if about.annotations else None
        unmeasured = about.videos is not None and not about.stated_duration(video)  # until it is opened
        return {
            "id": video,
            "duration": None if unmeasured else rounded(about.duration(video)),
            "detections": None if found is None and self.computes else len(found or ()),
            "actions": len(annotated.labels) if annotated else None,
            "ap": precision,
            "corrected": corrected,
        }

    def _precision_by_video(self) -> dict[str, Answer]:
        about = self.about
        if about.annotations is None or not about.detections:
            return {}
        found = average_precision_by_video(about.annotations, about.detections, np.array(about.thresholds))
        return {video: by_tiou(about.thresholds, values) for video, values in found.items()}

    def video(self, video: str, tiou: float, corrected: bool = False) -> Answer:
        """Detections of one video, each with what it is at a tIoU, and its ground truths.

        Args:
            video: its id.
            tiou: threshold in (0, 1].
            corrected: whether the corrected annotations are the ground truth.
        """
        about = self.about
        found = self.detections_of(about.check(video))
        why_not, look = self._look(video)
        answer: Answer = {
            "id": video,
            "duration": rounded(self.duration(video)),
            "fps": look.fps if look else about.known_spec(video).fps,
            "start": rounded(look.start) if look else 0.0,
            "playable": why_not is None,
            "why_not_playable": why_not,
            "conversion": look.way if look else None,
            "media_segments": _media_segments(look) if look else None,
            "corrected": video in self._corrected(),
            "actions": [],
        }
        annotations = self.corrections.annotations(video) if corrected else about.annotations
        diagnosis = None
        if annotations is not None and video in annotations.videos:
            alone = Annotations({video: annotations.videos[video]}, annotations.class_names)
            diagnosis = diagnose(alone, {video: found}, tiou).of(video)
            labels = [about.class_names.index(annotations.class_names[label]) for label in diagnosis.labels]
            rows = zip(rounded(diagnosis.segments), labels, diagnosis.found.tolist(), strict=True)
            answer["actions"] = [{"segment": segment, "label": label, "found": hit} for segment, label, hit in rows]
        answer["detections"] = _detections(found, diagnosis)
        return answer

    def _corrected(self) -> set[str]:
        """The videos that were corrected. A file of corrections that is broken is told when one corrects."""
        try:
            return self.corrections.videos()
        except InputError:
            return set()

    def duration(self, video: str) -> float:
        """Seconds: as stated, else of the video file, else what the features cover, else until the last action ends."""
        if stated := self.about.stated_duration(video):
            return stated
        _, look = self._look(video)
        if look is not None:
            return look.duration
        try:
            return self.network.sequence(video).duration
        except InputError:
            return self.about.duration(video)

    def detections_of(self, video: str) -> Detections:
        """The detections of a video, computed where no file has them."""
        found = self.about.detections.get(video)
        if found is None and self.computes:
            return self.network.detections(video)
        nothing = Detections(np.empty((0, 2)), np.empty(0), np.empty(0, np.int64), self.about.class_names)
        return nothing if found is None else found

    def _diagnosed(self, tiou: float, min_score: float | None) -> Answer:
        """Kinds of error; what they are counted from is as large as all detections, and goes."""
        assert self.about.annotations is not None
        detections = self.about.detections
        if min_score is not None:
            detections = {video: found.above(min_score) for video, found in detections.items()}
        diagnosis = diagnose(self.about.annotations, detections, tiou)
        return {
            "kinds": diagnosis.counts,
            "gains": diagnosis.gains(),
            "by_class": diagnosis.by_class(),
            "by_length": diagnosis.by_length(),
        }

    def _look(self, video: str) -> tuple[str | None, Playability | None]:
        """Why a browser cannot play a video, None if it can, and what the file is."""
        about = self.about
        if about.videos is None:
            return about.why_not["videos"], None
        try:
            return None, self.media.playability(about.videos.find(video))
        except InputError as error:
            return str(error), None

    def run(self, tiou: float, min_score: float | None = None) -> Answer:
        """Curves of training, precision by tIoU and class, kinds of error of detections from a score on."""
        about = self.about
        answer: Answer = {"curves": self._curves(), "map": None, "per_class": [], "errors": None}
        if about.annotations is None or not about.detections:
            return answer
        report, errors = self._report(), self._errors(tiou, min_score)
        answer["map"] = by_tiou(report.tiou, report.map)
        answer["per_class"] = [
            {"class": name, "ap": by_tiou(report.tiou, values), "actions": _actions(errors["by_class"][name])}
            for name, values in report.per_class.items()
        ]
        answer["errors"] = errors
        return answer

    def _evaluated(self) -> Report:
        assert self.about.annotations is not None
        return score(self.about.annotations, self.about.detections, tiou=self.about.thresholds)

    def _other_evaluated(self) -> Report:
        assert self.about.annotations is not None
        assert self.about.other is not None
        return score(self.about.annotations, self.about.other[1], tiou=self.about.thresholds)

    def _curves(self) -> dict[str, list[list[float]]]:
        """Figure -> (epoch, value) of every epoch that has it."""
        curves: dict[str, list[list[float]]] = {}
        file = self.about.run / METRICS if self.about.run else None
        if file is None or not file.is_file():
            return curves
        for figures in read_json_lines(file):
            for name, value in figures.items():
                if name != "epoch" and _is_number(value) and _is_number(figures.get("epoch")):
                    curves.setdefault(name, []).append([figures["epoch"], value])
        return curves

    def compare(self) -> Answer:
        """Precision of this run and of the other, by class and by tIoU."""
        about = self.about
        about.require("compare")
        about.require("annotations")
        assert about.other is not None
        first, second = self._report(), self._other_report()
        return {
            "names": [about.title, about.other[0]],
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


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _media_segments(look: Playability) -> Answer | None:
    """Of a video that is played in media segments: their media type, seconds of each, and of all if that is known."""
    if look.way != "transcode":
        return None
    return {"type": look.media_type, "seconds": SEGMENT_SECONDS, "duration": look.duration}


def _detections(found: Detections, diagnosis: VideoDiagnosis | None) -> list[Answer]:
    rows = zip(
        rounded(found.segments), found.scores.tolist(), found.labels.tolist(), found.levels.tolist(), strict=True
    )
    answers: list[Answer] = [
        {
            "segment": segment,
            "score": rounded_score(score),
            "label": label,
            "level": None if level < 0 else level,
            "kind": None,
            "iou": None,
            "match": None,
        }
        for segment, score, label, level in rows
    ]
    if diagnosis is not None:
        judged = zip(diagnosis.kinds.tolist(), rounded(diagnosis.tious), diagnosis.matches.tolist(), strict=True)
        for answer, (kind, tiou, match) in zip(answers, judged, strict=True):
            answer |= {"kind": KINDS[kind], "iou": tiou, "match": None if match < 0 else match}
    return answers


def _actions(counts: Mapping[str, int]) -> int:
    return counts["found"] + counts["missed"]


def by_tiou(thresholds: Any, values: Any) -> Answer:
    """`{"0.5": value}` for every threshold."""
    return {f"{tiou:g}": value for tiou, value in zip(thresholds, rounded(values), strict=True)}


def rounded(values: Any, decimals: int = 4) -> Any:
    """A number, or lists of lists of them for an array; by default to a tenth of a millisecond."""
    return np.round(np.asarray(values, np.float64), decimals).tolist()


def rounded_score(value: float) -> float:
    """A score with six digits, however small it is."""
    return float(f"{value:.6g}")


def checked_tiou(tiou: float | None, thresholds: tuple[float, ...]) -> float:
    """A tIoU that was asked for, or 0.5 if that is one of the thresholds, else the first of them.

    Raises:
        InputError: it is outside (0, 1].
    """
    if tiou is None:
        return 0.5 if 0.5 in thresholds else thresholds[0]
    return parse_tiou([tiou])[0]
