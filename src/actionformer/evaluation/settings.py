"""Settings of evaluation."""

from __future__ import annotations

from pydantic import Field, field_validator

from actionformer.settings.base import Settings, check_short


class EvaluationSettings(Settings):
    """What evaluation reports."""

    tiou: tuple[float, ...] = Field((0.3, 0.4, 0.5, 0.6, 0.7), min_length=1)
    """tIoU thresholds of mean average precision; they are put in order, and each counts once."""
    recall_at: tuple[int, ...] = Field((1, 5), min_length=1)
    """The k of Recall@kx."""

    @field_validator("tiou")
    @classmethod
    def _thresholds(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if not all(0 < threshold <= 1 for threshold in value):
            raise ValueError("tIoU thresholds lie above 0 and up to 1")
        check_short("tiou", value)
        return tuple(sorted(set(value)))

    @field_validator("recall_at")
    @classmethod
    def _multiples(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if not all(1 <= k <= 1000 for k in value):
            raise ValueError("recall_at must be whole numbers from 1 on, up to 1000")
        check_short("recall_at", value)
        return value
