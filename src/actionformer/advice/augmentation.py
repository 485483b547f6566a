"""What is done to features so that they say more of recordings that training does not have."""

from __future__ import annotations

from actionformer.advice.draft import Draft
from actionformer.core.words import plural

ROTATION = 60.0
"""Degrees; docs/accuracy.md compares others."""
MOST_OF_A_VIDEO = 0.5
"""Share of a video that one class may cover, beyond which its mean says too much of that class to be subtracted."""
FEW = 100
"""Videos up to which features of new ones differ from all that training has."""
JITTER = {"feature_shift": 0.5, "feature_noise": 0.6, "feature_dropout": 0.2}
"""For few videos."""
SOME_JITTER = {"feature_shift": 0.3, "feature_noise": 0.3}
"""For more."""


def add_augmentation(draft: Draft) -> None:
    """Sensors are turned in space; other features are centred, where there are few videos, and become less certain."""
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
    if few and draft.facts.coverage <= MOST_OF_A_VIDEO:
        reason = "what is the same in all of a video, such as its light or person, would be learned by heart"
        draft.set("data.center_videos", True, f"{plural(videos, 'video')}: {reason}")
    reason = "new videos differ from these" if few else "new videos differ a little from these"
    for setting, value in (JITTER if few else SOME_JITTER).items():
        draft.set(f"data.{setting}", value, f"{plural(videos, 'video')}: {reason}, and training pretends so")
