"""What a project has: its title, its classes, and its videos."""

from __future__ import annotations

from collections.abc import Callable

from actionformer.viewer.corrections import Corrections, corrected_videos
from actionformer.viewer.labels import Labels
from actionformer.viewer.project import Project
from actionformer.viewer.values import Answer, rounded, rounded_score

PARTS = ("videos", "features", "annotations", "run", "candidates", "compare", "corrections")


class ProjectFacts:
    """What the page asks for first.

    Args:
        project: what the viewer shows.
        corrections: gives the corrected annotations.
        labels: gives the labels, where videos are labelled.
    """

    def __init__(self, project: Project, corrections: Callable[[], Corrections], labels: Callable[[], Labels]) -> None:
        self.project = project
        self.corrections = corrections
        self.labels = labels

    def all(self) -> Answer:
        """The title, the classes, what there is, and every video."""
        project, why_not = self.project, self._why_not()
        corrected = corrected_videos(self.corrections)
        return {
            "title": project.title,
            "classes": list(project.class_names),
            "has": {part: part not in why_not for part in PARTS},
            "why_not": why_not,
            "tiou": list(project.thresholds),
            "min_scores": self._min_scores(),
            "videos": [self._video(video, video in corrected) for video in project.ids],
            "labelling": project.labelling is not None,
        } | (self._labelled() if project.labelling else {})

    def _labelled(self) -> Answer:
        """What is otherwise where videos are labelled: classes that were added, and how far each video is."""
        assert self.project.labelling is not None
        labels, progress = self.labels(), self.labels().progress()
        return {
            "classes": labels.class_names(),
            "draft_score": self.project.labelling.min_score,
            "videos": [self._video(video, corrected=False) | progress[video] for video in self.project.ids],
        }

    def _min_scores(self) -> list[float] | None:
        """The network's score that stands for the threshold of each class, where the run is calibrated.

        Rounded as scores of detections are, so that one at the threshold reaches it on the page too.
        """
        if (calibration := self.project.calibration) is None:
            return None
        return [rounded_score(calibration.curve.score(one)) for one in calibration.thresholds(self.project.class_names)]

    def _why_not(self) -> dict[str, str]:
        """Part -> why it is not there."""
        why_not = dict(self.project.why_not)
        if "features" in why_not:
            why_not["candidates"] = why_not["features"]
        return why_not

    def _video(self, video: str, corrected: bool) -> Answer:
        project = self.project
        found = project.detections.get(video)
        annotated = project.annotations.videos.get(video) if project.annotations else None
        unmeasured = project.videos is not None and not project.stated_duration(video)  # until it is opened
        return {
            "id": video,
            "duration": None if unmeasured else rounded(project.duration(video)),
            "detections": None if found is None and project.computes else len(found or ()),
            "actions": len(annotated.labels) if annotated else None,
            "corrected": corrected,
        }
