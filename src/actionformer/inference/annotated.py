"""Detection in annotated videos, whose features and timing are known."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

from actionformer.core import ranks
from actionformer.core.detections import Detections
from actionformer.core.errors import noted, warn
from actionformer.data.collection import FeaturedVideo
from actionformer.inference.detector import Detector
from actionformer.inference.video_scores import VideoScores


def detect_videos(
    detector: Detector, videos: Sequence[FeaturedVideo], scores: VideoScores | None = None
) -> dict[str, Detections]:
    """Detections of annotated videos, with their own timing and duration, and their proposals where they have some.

    Args:
        detector: what looks.
        videos: with their features.
        scores: of whole videos, which give the proposals of a class-agnostic detector their classes.
    """
    items = ((video.video.id, _arguments(video, scores)) for video in videos)
    return detector.detect_many(items, class_names=scores.class_names if scores is not None else None)


def detect_together(
    detector: Detector, videos: Sequence[FeaturedVideo], scores: VideoScores | None = None
) -> dict[str, Detections]:
    """The same, where processes that have `joined` look at some of the videos each; all get all that is found.

    What is to be told of any video the first process tells.
    """
    if ranks.count() == 1:
        return detect_videos(detector, videos, scores)
    longest_first = sorted(videos, key=lambda one: -one.features.shape[0])
    told: list[str] = []
    with nullcontext() if ranks.first() else noted(told):
        own = detect_videos(detector, ranks.mine(longest_first), scores)
    every: dict[str, Detections] = {}
    for found, messages in ranks.gathered((own, told)):
        every |= found
        for message in messages:
            warn(message, stacklevel=2)
    return {one.video.id: every[one.video.id] for one in videos}


def _arguments(video: FeaturedVideo, scores: VideoScores | None) -> dict[str, Any]:
    grid = video.grid
    given = {} if scores is None else {"class_scores": scores.of(video.video.id)}
    given |= {} if video.proposals is None else {"proposals": video.proposals}
    return given | {
        "features": video.features,
        "fps": grid.fps,
        "stride": grid.stride,
        "num_frames": grid.num_frames,
        "start": grid.start,
        "duration": video.duration,
    }
