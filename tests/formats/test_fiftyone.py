"""FiftyOne's temporal detections."""

import json
from typing import Any

import pytest
from labelled import in_seconds, read_as

from actionformer.formats.document import Document
from actionformer.formats.fiftyone import holds_labels


def test_frames_count_from_1_and_the_last_one_is_inside() -> None:
    labels = {"a": [{"label": 1, "support": [1, 10]}, {"label": "jump", "support": [11, 11]}], "b": None}
    found = read_as("fiftyone", "labels.json", json.dumps({"classes": ["jump", "run"], "labels": labels}))
    first, second = found.videos
    assert (first.unit, in_seconds(first, 10)) == ("frames", [(0, 1, "run"), (1, 1.1, "jump")])
    assert (second.name, second.segments) == ("b", [])
    assert found.class_names == ["jump", "run"]


def test_timestamps_are_seconds() -> None:
    labels = {"a": [{"label": "jump", "timestamps": [0.5, 1.25]}, {"label": 7, "timestamps": [0, 1]}]}
    found = read_as("fiftyone", "labels.json", json.dumps({"classes": None, "labels": labels}))
    assert (found.videos[0].unit, in_seconds(found.videos[0])) == ("seconds", [(0.5, 1.25, "jump")])
    assert [one.where for one in found.remarks] == ["labels.json: video 'a', label 1"]


@pytest.mark.parametrize("content", [{"labels": {}}, {"labels": {"a": [{"label": "x"}]}}, {"labels": {"a": 1}}, []])
def test_other_json_is_none(content: Any) -> None:
    assert not holds_labels(Document("a.json", json.dumps(content).encode()))
