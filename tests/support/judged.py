"""Annotations and detections worked out by hand, as evaluation takes them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from actionformer.core.annotations import AnnotatedVideo, Annotations
from actionformer.core.detections import Detections

Rows = Mapping[str, Sequence[tuple[Any, ...]]]
"""Video -> [(start, end, label id)], of detections (start, end, label id, score)."""
MakeAnnotations = Callable[..., Annotations]
MakeDetections = Callable[..., dict[str, Detections]]


def annotations_of(videos: Rows, class_names: Sequence[str] = ("a", "b", "c"), subset: str = "test") -> Annotations:
    return Annotations(
        videos={
            name: AnnotatedVideo(
                id=name,
                subset=subset,
                duration=None,
                fps=None,
                segments=np.array([row[:2] for row in rows], dtype=np.float64).reshape(-1, 2),
                labels=np.array([row[2] for row in rows], dtype=np.int64),
            )
            for name, rows in videos.items()
        },
        class_names=tuple(class_names),
    )


def detections_of(videos: Rows, class_names: Sequence[str] = ("a", "b", "c")) -> dict[str, Detections]:
    return {
        name: Detections(
            segments=np.array([row[:2] for row in rows], dtype=np.float64).reshape(-1, 2),
            scores=np.array([row[3] for row in rows], dtype=np.float64),
            labels=np.array([row[2] for row in rows], dtype=np.int64),
            class_names=class_names,
        )
        for name, rows in videos.items()
    }
