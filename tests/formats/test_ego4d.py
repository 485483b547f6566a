"""Moments of Ego4D."""

import json
from typing import Any

import pytest
from labelled import in_seconds, read_as

from actionformer.formats.document import Document
from actionformer.formats.ego4d import holds_labels


def moment(label: str, start: float, primary: bool = True) -> dict[str, Any]:
    return {"label": label, "primary": primary, "start_time": start, "end_time": start + 2}


def test_primary_moments_of_all_annotators_in_the_time_of_the_clip() -> None:
    annotators = [
        {"annotator_uid": "x", "labels": [moment("wash", 1), moment("think", 5, primary=False)]},
        {"annotator_uid": "y", "labels": [moment("wash", 1.5)]},
    ]
    clip = {"clip_uid": "c", "video_start_sec": -0.02, "video_end_sec": 480, "annotations": annotators}
    videos = [{"video_uid": "v", "split": "train", "clips": [clip]}]
    found = read_as("ego4d", "moments_train.json", json.dumps({"version": "1", "videos": videos}))
    (video,) = found.videos
    assert (video.name, video.subset, video.duration) == ("c", "train", 480)
    assert in_seconds(video) == [(1, 3, "wash"), (1.5, 3.5, "wash")]
    assert [one.layer for one in video.segments] == ["x", "y"]
    assert [one.what for one in found.remarks] == ["a moment that is not primary is left out"]


def test_annotations_by_clip_may_have_times_of_the_video_alone() -> None:
    one = {"label": "wash", "primary": True, "video_start_time": 101, "video_end_time": 103}
    clip = {"video_id": "v", "clip_id": "c", "parent_start_sec": 100, "parent_end_sec": 150, "annotations": [one]}
    (video,) = read_as("ego4d", "clip_annotations.json", json.dumps({"c": clip | {"subset": "val"}})).videos
    assert (video.name, video.subset, video.duration, in_seconds(video)) == ("c", "val", 50, [(1, 3, "wash")])


@pytest.mark.parametrize(
    "content", [{}, {"videos": [{"video_uid": "v"}]}, {"c": {"annotations": []}}, [], {"videos": []}]
)
def test_other_json_is_none(content: Any) -> None:
    assert not holds_labels(Document("a.json", json.dumps(content).encode()))
