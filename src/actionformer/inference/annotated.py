"""Detection in annotated videos, whose features and timing are known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from actionformer.core.detections import Detections
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
