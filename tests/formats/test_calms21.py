"""CalMS21's JSON."""

import json
from typing import Any

import pytest
from labelled import in_seconds, read_as

from actionformer.formats.calms21 import holds_labels
from actionformer.formats.document import Document

VOCABULARY = {"attack": 0, "investigation": 1, "mount": 2, "other": 3}


def sequence(*labels: int) -> dict[str, Any]:
    return {"keypoints": [], "scores": [], "annotations": list(labels), "metadata": {"vocab": VOCABULARY}}


def test_numbers_a_frame_at_30_a_second() -> None:
    content = {
        "annotator-id_0": {"task1/train/mouse001": sequence(3, 3, 1, 1, 1, 0), "task1/train/mouse002": sequence(3)}
    }
    found = read_as("calms21", "calms21_task1_train.json", json.dumps(content))
    first, second = found.videos
    assert (first.name, first.subset, first.fps) == ("task1/train/mouse001", "training", 30)
    assert in_seconds(first) == [(2 / 30, 5 / 30, "investigation"), (5 / 30, 6 / 30, "attack")]
    assert in_seconds(second) == []
    assert found.class_names == ["attack", "investigation", "mount"]


@pytest.mark.parametrize("content", [{}, {"a": {}}, {"a": {"b": {"annotations": [1]}}}, {"a": 1}, [1]])
def test_other_json_is_none(content: Any) -> None:
    assert not holds_labels(Document("a.json", json.dumps(content).encode()))
