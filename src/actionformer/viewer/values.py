"""What answers are made of: plain values, rounded to what a page shows."""

from __future__ import annotations

from typing import Any

import numpy as np

Answer = dict[str, Any]


def rounded(values: Any, decimals: int = 4) -> Any:
    """A number, or lists of lists of them for an array; by default to a tenth of a millisecond."""
    return np.round(np.asarray(values, np.float64), decimals).tolist()


def rounded_score(value: float) -> float:
    """A score with six digits, however small it is."""
    return float(f"{value:.6g}")


def by_tiou(thresholds: Any, values: Any) -> Answer:
    """`{"0.5": value}` for every threshold."""
    return {f"{tiou:g}": value for tiou, value in zip(thresholds, rounded(values), strict=True)}
