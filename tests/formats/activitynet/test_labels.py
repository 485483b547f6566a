"""ActivityNet's layout as data sets vary it."""

import json
from pathlib import Path
from typing import Any

import pytest
from labelled import in_seconds, only, read_as

from actionformer.formats.activitynet import holds_labels
from actionformer.formats.document import Document
from actionformer.formats.labels import LabelFile


def read(database: Any) -> LabelFile:
    return read_as("json", "a.json", json.dumps(database))


def entry(*segments: tuple[float, float, str], **more: Any) -> dict[str, Any]:
    return {"annotations": [{"segment": [start, end], "label": label} for start, end, label in segments]} | more


def test_durations_of_hacs_are_text() -> None:
    (video,) = read({"database": {"a": entry((1, 2.5, "jump"), duration="92.166667", subset="training")}}).videos
    assert (video.name, video.duration, video.subset, in_seconds(video)) == (
        "a", 92.166667, "training", [(1, 2.5, "jump")],
    )  # fmt: skip


def test_null_of_wear_is_no_action() -> None:
    found = read({"database": {"sbj_0": entry((0, 9, "null"), (9, 12, "jogging"), fps=60)}, "label_dict": {}})
    assert only(found) == [(9, 12, "jogging")]
    assert found.videos[0].fps == 60
    assert [one.what for one in found.remarks] == ["segments of 'null' are background: no action"]


def test_a_subset_without_any_label_is_not_published_and_one_video_without_is_background() -> None:
    subsets = {"a": entry((1, 2, "x"), subset="training"), "b": entry(subset="training"), "c": entry(subset="testing")}
    found = read({"database": subsets})
    assert [video.name for video in found.videos] == ["a", "b"]
    assert [(one.what, one.where) for one in found.remarks] == [
        ("a video of subset testing, which has no labels at all, is left out", "a.json: c")
    ]


def test_label_ids_order_the_classes_if_all_have_one() -> None:
    rows = [{"segment": [0, 1], "label": "b", "label_id": 0}, {"segment": [1, 2], "label": "a", "label_id": 1}]
    assert read({"database": {"v": {"annotations": rows}}}).class_names == ["b", "a"]
    del rows[1]["label_id"]
    assert read({"database": {"v": {"annotations": rows}}}).class_names == []


def test_broken_annotations_are_left_out_and_told() -> None:
    rows = [{"segment": [0]}, {"segment": [0, 1], "label": ""}, {"segment": ["0", 1], "label": "x"}, "x"]
    found = read({"database": {"v": {"annotations": rows}}})
    assert only(found) == [(0, 1, "x")]
    assert [one.where for one in found.remarks] == [f"a.json: video 'v', annotation {place}" for place in (0, 1, 3)]


@pytest.mark.parametrize(
    "content", [{}, {"database": []}, {"database": {"a": 1}}, {"results": {}}, {"a": {"x": 1}}, [1]]
)
def test_other_json_is_none(content: Any) -> None:
    assert not holds_labels(Document("a.json", json.dumps(content).encode()))


def test_samples(shared: Path) -> None:
    formats = shared / "data/formats"
    assert only(read_as("json", formats / "coin/readme_entry.json")) == [
        (60, 69, "take out the laptop CD drive"),
        (71, 82, "insert the hard disk tray into the position of the CD drive"),
    ]
    bsn = read_as("json", formats / "activitynet/mmaction2_action_test_anno.json").videos[0]
    assert (bsn.name, bsn.duration, bsn.fps, in_seconds(bsn)) == ("v_test1", 1, 30, [(0.3, 0.6, "Rock climbing")])
    oat = read_as("json", formats / "thumos14/oat_thumos14_v2_small.json").videos[0]
    assert in_seconds(oat)[:2] == [(18.6, 24.8, "HighJump"), (29.1, 34.8, "HighJump")]
    tiny = read_as("json", formats / "multithumos/tiny_multithumos_anno.json").videos[0]
    assert in_seconds(tiny)[0] == (0.23, 0.93, "Jump")


def test_activitynet_as_bmn_cleans_it(shared: Path) -> None:
    found = read_as("json", shared / "data/annotations/activitynet13/anet_anno_action.json")
    assert len(found.videos) == 19228
    assert len({one.label for video in found.videos for one in video.segments}) == 200
