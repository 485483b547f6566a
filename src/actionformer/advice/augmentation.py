"""What training does to features so that they say more of recordings that it does not have."""

from __future__ import annotations

from actionformer.advice.draft import Draft
from actionformer.core.words import plural

ROTATION = 60.0
"""Degrees; docs/accuracy.md compares others."""
FEW = 100
"""Videos up to which features of new ones differ from all that training has."""
JITTER = {"feature_shift": 0.5, "feature_noise": 0.6, "feature_dropout": 0.2}
"""For few videos."""
SOME_JITTER = {"feature_shift": 0.3, "feature_noise": 0.3}
"""For more."""


def add_augmentation(draft: Draft) -> None:
    """Sensors are turned in space; other features become less certain."""
    axes = draft.facts.sensor_axes
    if axes is not None:
        draft.set(
            "data.sensor_axes",
            axes,
            f"neighbouring features share samples, and three axes show gravity: windows of {axes} sensor axes",
        )
    if draft["data.sensor_axes"] is not None:
        draft.set("data.sensor_rotation", ROTATION, "sensors sit on everybody in another way: training turns them")
        return
    videos = len(draft.facts.lengths)
    few = videos <= FEW
    reason = "new videos differ from these" if few else "new videos differ a little from these"
    for setting, value in (JITTER if few else SOME_JITTER).items():
        draft.set(f"data.{setting}", value, f"{plural(videos, 'video')}: {reason}, and training pretends so")
