"""Whether the classes of whole videos say which class an action has."""

from __future__ import annotations

from collections.abc import Sequence

from actionformer.checks.findings import Finding
from actionformer.core.annotations import AnnotatedVideo
from actionformer.core.words import plural

EVERYWHERE = 0.8
"""Share of all classes that the mean video has, from which on videos hardly differ in their classes."""
ADVICE = "train a model with classes of its own: leave model.num_classes unset"


def check_video_classes(videos: Sequence[AnnotatedVideo], classes_per_video: int) -> list[Finding]:
    """Videos of so many classes that a classifier of whole videos cannot give each action its own.

    Args:
        videos: to learn from.
        classes_per_video: that what is found in a video gets (`fusion.classes_per_video`).
    """
    found = [set(video.labels.tolist()) for video in videos if len(video.labels)]
    present = len(set().union(*found))
    if present < 2:
        return []
    share = sum(map(len, found)) / len(found) / present
    if share >= EVERYWHERE:
        full = sum(len(one) == present for one in found)
        what = f"videos have all {plural(present, 'class')}, the mean video {100 * share:.0f}% of them: "
        return [
            Finding(
                "video_classes", "warning", full, len(found), what, "their classes say nothing of an action", ADVICE
            )
        ]
    many = [one for one in found if len(one) > classes_per_video]
    if not many:
        return []
    what = f"videos have more classes than the {classes_per_video} of fusion.classes_per_video, up to "
    example = f"{max(map(len, many))}: actions of the others get a wrong class"
    return [Finding("video_classes", "warning", len(many), len(found), what, example, f"raise it, or {ADVICE}")]
