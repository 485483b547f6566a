"""One video: its detections, each with what it is at a tIoU, its ground truth, and how it is played."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from actionformer.core.annotations import Annotations
from actionformer.core.detections import Detections
from actionformer.evaluation.diagnosis import KINDS, VideoDiagnosis, diagnose
from actionformer.viewer.corrections import Corrections, corrected_videos
from actionformer.viewer.durations import Durations
from actionformer.viewer.media.playability import Playability
from actionformer.viewer.media.segments import SEGMENT_SECONDS
from actionformer.viewer.playback import Playback
from actionformer.viewer.project import Project
from actionformer.viewer.values import Answer, rounded, rounded_score

if TYPE_CHECKING:
    from actionformer.viewer.network import Network


class VideoAnswers:
    """Answers about one video.

    Args:
        project: what the viewer shows.
        playback: its videos.
        durations: how long they are.
        corrections: gives the corrected annotations.
        network: gives the run's network, which searches videos that have no detections yet.
    """

    def __init__(
        self,
        project: Project,
        playback: Playback,
        durations: Durations,
        corrections: Callable[[], Corrections],
        network: Callable[[], Network],
    ) -> None:
        self.project = project
        self.playback = playback
        self.durations = durations
        self.corrections = corrections
        self.network = network

    def of(self, video: str, tiou: float, corrected: bool = False) -> Answer:
        """Detections of one video, each with what it is at a tIoU, and its ground truths.

        Args:
            video: its id.
            tiou: threshold in (0, 1].
            corrected: whether the corrected annotations are the ground truth.
        """
        found = self._detections(self.project.check(video))
        truth = self.corrections().annotations(video) if corrected else self.project.annotations
        diagnosis = _diagnosed(video, found, truth, tiou) if truth and video in truth.videos else None
        return {
            "id": video,
            "duration": rounded(self.durations.of(video)),
            **self._played(video),
            "corrected": video in corrected_videos(self.corrections),
            "actions": self._actions(diagnosis, truth.class_names) if truth and diagnosis else [],
            "detections": _detections(found, diagnosis),
        }

    def _played(self, video: str) -> Answer:
        """How a browser plays it, and the times of its frames."""
        playability, why_not = self.playback.playability(video)
        return {
            "fps": playability.fps if playability else self.project.known_spec(video).fps,
            "start": rounded(playability.start) if playability else 0.0,
            "playable": playability is not None,
            "why_not_playable": why_not,
            "conversion": playability.way if playability else None,
            "media_segments": _media_segments(playability) if playability else None,
        }

    def _detections(self, video: str) -> Detections:
        """The detections of a video, computed where no file has them."""
        found = self.project.detections.get(video)
        if found is None and self.project.computes:
            return self.network().detections(video)
        nothing = Detections(np.empty((0, 2)), np.empty(0), np.empty(0, np.int64), self.project.class_names)
        return nothing if found is None else found

    def _actions(self, diagnosis: VideoDiagnosis, names: tuple[str, ...]) -> list[Answer]:
        labels = [self.project.class_names.index(names[label]) for label in diagnosis.labels]
        rows = zip(rounded(diagnosis.segments), labels, diagnosis.found.tolist(), strict=True)
        return [{"segment": segment, "label": label, "found": hit} for segment, label, hit in rows]


def _diagnosed(video: str, found: Detections, truth: Annotations, tiou: float) -> VideoDiagnosis:
    alone = Annotations({video: truth.videos[video]}, truth.class_names)
    return diagnose(alone, {video: found}, tiou).of(video)


def _media_segments(playability: Playability) -> Answer | None:
    """Of a video that is played in media segments: their media type, seconds of each, and of all if that is known."""
    if playability.way != "transcode":
        return None
    return {"type": playability.media_type, "seconds": SEGMENT_SECONDS, "duration": playability.duration}


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
