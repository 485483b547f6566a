"""Evaluation of a model that is still trained."""

from __future__ import annotations

from collections.abc import Collection as Ids

from torch import nn

from actionformer.core import ranks
from actionformer.core.annotations import Annotations
from actionformer.core.calibration import Calibration
from actionformer.core.detections import Detections
from actionformer.core.errors import InputError, warn
from actionformer.data.collection import Collection
from actionformer.data.groups import Groups
from actionformer.evaluation.calibration import calibrate, why_not
from actionformer.evaluation.report import Report, score
from actionformer.inference.annotated import detect_together
from actionformer.inference.caps import SHOWN_SCORE
from actionformer.inference.detector import Detector
from actionformer.model_directory import ModelCard
from actionformer.nn.network import Network
from actionformer.nn.video_classifier import VideoClassifier
from actionformer.settings.config import Config
from actionformer.training.loop import Metrics


class Validation:
    """Evaluates a model as it would be kept, on videos that it does not learn from.

    A model that is not trained yet scores everything low, and caps cut nothing of worth: what they cut is said where
    people would be shown it, once in a training.

    Attributes:
        calibration: what the scores of the model that was evaluated last are worth; None where that cannot be measured:
            too few actions, none that is found, or videos that are learned from.
        detections: of that model.
        report: their figures.
        fresh: whether it learns from none of the videos.

    Args:
        truth: the evaluation subset.
        groups: which of all videos are alike.
        collection: its videos with their features.
        config: all settings.
        card: of the model.
        learned: the ids of the videos that it learns from.
        device: where to compute.
        classifier: of whole videos, which gives proposals their classes, where there is one.
    """

    def __init__(
        self,
        truth: Annotations,
        groups: Groups,
        collection: Collection,
        config: Config,
        card: ModelCard,
        *,
        learned: Ids[str],
        device: str,
        classifier: VideoClassifier | None = None,
    ) -> None:
        self.truth, self.groups, self.collection = truth, groups, collection
        self.config, self.card, self.device, self.classifier = config, card, device, classifier
        self.fresh = truth.videos.keys().isdisjoint(learned)
        self.calibration: Calibration | None = None
        self.detections: dict[str, Detections] = {}
        self.report: Report | None = None
        self._told = False

    def __call__(self, model: nn.Module) -> Metrics:
        """The figures of a model: `map`, and `map@<tIoU>` of each threshold.

        Of several processes all detect, each in some of the videos, and the first one has the figures.
        """
        assert isinstance(model, Network)
        settings = self.config.evaluation
        detector = Detector(model, self.config, self.card, device=self.device, classifier=self.classifier)
        detector.shown_from, detector.tell = SHOWN_SCORE, self._tell_once
        self.detections = detect_together(detector, self.collection.videos)
        if not ranks.first():
            return {}
        self.report = report = score(self.truth, self.detections, tiou=settings.tiou, recall_at=settings.recall_at)
        self.calibration = self._calibration() if self.fresh and why_not(self.truth) is None else None
        named = {f"map@{tiou:g}": value for tiou, value in zip(report.tiou, report.map, strict=True)}
        return {"map": report.average, **named}

    def _tell_once(self, message: str, stacklevel: int) -> None:
        if not self._told:
            warn(message, stacklevel + 1)
        self._told = True

    def _calibration(self) -> Calibration | None:
        try:
            return calibrate(self.truth, self.detections, subset=self.truth.subset_names, groups=self.groups)
        except InputError:  # nothing is right yet
            return None
