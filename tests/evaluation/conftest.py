import pytest
from judged import MakeAnnotations, MakeDetections, annotations_of, detections_of


@pytest.fixture(scope="session")
def make_annotations() -> MakeAnnotations:
    return annotations_of


@pytest.fixture(scope="session")
def make_detections() -> MakeDetections:
    return detections_of
