"""Which subsets of an annotation file are trained and evaluated, where nobody says it."""

from __future__ import annotations

from actionformer.core.annotations import Annotations
from actionformer.data.split import HELD_OUT
from actionformer.settings.config import Changes

NAMES = {
    "train_subset": ("training", "train"),
    "test_subset": (HELD_OUT, "validation", "test", "testing", "val", "valid"),
}
"""Setting of the data -> what such subsets are called."""


def usual_subsets(annotations: Annotations, given: Changes) -> dict[str, list[str]]:
    """Setting of the data -> the subset that there is, but for settings that are given and subsets that are missing."""
    chosen: dict[str, list[str]] = {}
    for setting, names in NAMES.items():
        there = [name for name in names if annotations.has_subset(name)]
        if setting not in given.get("data", {}) and there:
            chosen[setting] = there[:1]
    return chosen
