"""Settings of inference: decoding, suppression, classes of proposals, detection without an end."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from actionformer.settings.base import Settings


class DecodingSettings(Settings):
    """From scores and offsets of every moment to candidates."""

    min_probability: float = Field(0.001, ge=0, lt=1)
    """Candidates need a class probability above this."""
    top_k: int = Field(2000, ge=1, le=10_000_000)
    """Number of best candidates that are kept, of a pyramid per level; `cap_per` says for how much of a video."""
    cap_per: Literal["length", "video"] = "length"
    """`length`: keep top_k for every model.max_length features; `video`: top_k for a whole video, as published."""
    min_length: float = Field(0.05, ge=0, le=1e6)
    """Candidates of this length or shorter are dropped, in features (grid steps)."""
    boundaries: Literal["likely", "all"] = "likely"
    """Detectors that score all segments: keep those between likely boundaries (peaks, or half the best), or all."""
    boundary_scores: bool = False
    """Detectors that score all segments: multiply scores by the probabilities of start and end, as for proposals."""


class SuppressionSettings(Settings):
    """From candidates to detections."""

    method: Literal["soft", "hard", "none"] = "soft"
    """soft: lower the scores of overlapping segments; hard: remove those segments; none: only keep the best."""
    per_class: bool = True
    """Let segments suppress only those of their own class."""
    sigma: float = Field(0.5, ge=1e-6, le=1e6)
    """Soft: scores are multiplied by exp(-tIoU^2 / sigma)."""
    soft_from: float = Field(0.0, ge=0, le=1)
    """Soft: segments lose score only above this tIoU."""
    soft_from_width: float = Field(0.0, ge=0, le=1)
    """Soft: soft_from rises by this times the share of the sequence that the better segment covers."""
    tiou_threshold: float = Field(0.1, ge=0, le=1)
    """Hard: segments with at least this tIoU are removed."""
    per_window: bool = False
    """Before that, suppress what each window (`data.window`) finds by itself, by the same settings."""
    window_tiou: float | None = Field(None, ge=0, le=1)
    """Before that, where two windows (`data.window`) overlap: remove segments with at least this tIoU; unset: off."""
    min_score: float = Field(0.001, ge=0, le=1)
    """Segments with a lower score are dropped."""
    max_detections: int = Field(200, ge=1, le=10_000_000)
    """Maximum number of detections per video, all classes together; `cap_per` says how it counts."""
    cap_per: Literal["length", "video"] = "length"
    """`length`: proportionally more for videos over model.max_length features; `video`: no more, as published."""
    voting_threshold: float = Field(0.0, ge=0, le=1)
    """Class-agnostic only: a kept segment becomes the weighted mean of all with at least this tIoU; 0 is off."""
    voting_weight: Literal["score_tiou", "score"] = "score_tiou"
    """Weight of a candidate in that mean: score * tIoU, or the score alone, as in published TriDet."""

    def in_steps(self, length: int) -> SuppressionSettings:
        """For segments in grid steps of a sequence of so many: what counts in shares of it counts in steps."""
        return self.model_copy(update={"soft_from_width": self.soft_from_width / length})


class FusionSettings(Settings):
    """Of a class-agnostic model: the classes that scores of whole videos give its proposals."""

    classes_per_video: int = Field(2, ge=1, le=100_000)
    """Every proposal gets this many of the best classes of its video; published: ActivityNet 2, HACS 3, BMN 1."""
    max_proposals: int = Field(200, ge=1, le=10_000_000)
    """Best proposals of a video that get classes."""
    score: Literal["root", "product"] = "root"
    """Of a proposal with a class: their scores multiplied, or the root of that; both order detections alike."""


class LiveSettings(Settings):
    """Detection in features that have no end yet; set, they mean the same in finished videos."""

    max_action_seconds: float | None = Field(None, gt=0, le=1e9)
    """Longest possible action: longer candidates are dropped, suppression runs in blocks of this length; unset: off."""
    max_per_hour: float | None = Field(None, gt=0, le=1e9)
    """Maximum detections per hour, instead of suppression.max_detections; with blocks, each has its share."""
