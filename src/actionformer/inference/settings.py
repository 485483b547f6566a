"""Settings of inference: decoding, suppression, detection without an end."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from actionformer.settings.base import Settings


class DecodingSettings(Settings):
    """From scores and offsets of every moment to candidates."""

    min_probability: float = Field(0.001, ge=0, lt=1)
    """Class probabilities at or below are no candidates."""
    top_k: int = Field(2000, ge=1, le=10_000_000)
    """Best candidates kept at each level; of how much of a video, `cap_per` says."""
    cap_per: Literal["length", "video"] = "length"
    """`length`: top_k is kept of every model.max_length features; `video`: of a whole video, as published."""
    min_length: float = Field(0.05, ge=0, le=1e6)
    """Candidates of this length or shorter are dropped, in features (grid steps)."""


class SuppressionSettings(Settings):
    """From candidates to detections."""

    method: Literal["soft", "hard", "none"] = "soft"
    """Gaussian decay of overlapping scores, removal of overlapping segments, or only the cap."""
    per_class: bool = True
    """Segments suppress those of their own class only."""
    sigma: float = Field(0.5, ge=1e-6, le=1e6)
    """Soft: scores decay by exp(-tIoU^2 / sigma)."""
    tiou_threshold: float = Field(0.1, ge=0, le=1)
    """Hard: tIoU from which a segment is removed."""
    min_score: float = Field(0.001, ge=0, le=1)
    """Scores below are dropped."""
    max_detections: int = Field(200, ge=1, le=10_000_000)
    """Most detections of a video, all classes together."""
    cap_per: Literal["length", "video"] = "length"
    """`length`: videos of more than model.max_length features may have more in proportion; `video`: as published."""
    voting_threshold: float = Field(0.0, ge=0, le=1)
    """Class-agnostic only: a kept segment becomes the weighted mean of candidates from this tIoU on; 0 is off."""
    voting_weight: Literal["score_tiou", "score"] = "score_tiou"
    """What candidates weigh in that mean: score * tIoU, or the score alone, as in published TriDet."""


class LiveSettings(Settings):
    """Detection in features that have no end yet; set, they mean the same in finished videos."""

    max_action_seconds: float | None = Field(None, gt=0, le=1e9)
    """Longest action; longer candidates are dropped, and suppression is cut into blocks of this length. Unset: off."""
    max_per_hour: float | None = Field(None, gt=0, le=1e9)
    """Most detections an hour, in place of suppression.max_detections; where there are blocks, each has its share."""
