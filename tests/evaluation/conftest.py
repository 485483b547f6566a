import numpy as np
import pytest

from actionformer.core.annotations import AnnotatedVideo, Annotations
from actionformer.core.detections import Detections


def _annotations(videos, class_names=("a", "b", "c"), subset="test"):
    """Annotations from video -> [(start, end, label id)]."""
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


def _detections(videos, class_names=("a", "b", "c")):
    """Video -> Detections from video -> [(start, end, label id, score)]."""
    return {
        name: Detections(
            segments=np.array([row[:2] for row in rows], dtype=np.float64).reshape(-1, 2),
            scores=np.array([row[3] for row in rows], dtype=np.float64),
            labels=np.array([row[2] for row in rows], dtype=np.int64),
            class_names=tuple(class_names),
        )
        for name, rows in videos.items()
    }


@pytest.fixture(scope="session")
def make_annotations():
    return _annotations


@pytest.fixture(scope="session")
def make_detections():
    return _detections
