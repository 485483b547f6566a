"""Numbers of classes in JSON: MultiTHUMOS, Charades and Toyota Smarthome."""

import json
from pathlib import Path
from typing import Any

import pytest
from labelled import in_seconds, only, read_as

from actionformer.formats.class_actions import holds_labels
from actionformer.formats.document import Document


def test_numbers_without_a_list_are_kept_and_told() -> None:
    content = {"v": {"subset": "testing", "duration": 9.5, "actions": [[12, 1.0, 2], [3, 0, 0.5]]}}
    found = read_as("class_actions", "a.json", json.dumps(content))
    assert only(found) == [(1, 2, "12"), (0, 0.5, "3")]
    assert (found.videos[0].subset, found.videos[0].duration) == ("testing", 9.5)
    assert found.class_names == ["3", "12"]
    assert [one.where for one in found.remarks] == ["a.json: class 3", "a.json: class 12"]


@pytest.mark.parametrize(("file", "lines"), [("class_list.txt", "1 Jump\n2 Run fast\n"),
                                             ("Charades_v1_classes.txt", "c001 Jump\nc002 Run fast\n")])  # fmt: skip
def test_a_list_beside_it_names_them(tmp_path: Path, file: str, lines: str) -> None:
    (tmp_path / file).write_text(lines, encoding="utf-8")
    (tmp_path / "a.json").write_text(json.dumps({"v": {"duration": 3, "actions": [[2, 0, 1.5]]}}), encoding="utf-8")
    found = read_as("class_actions", tmp_path / "a.json")
    assert only(found) == [(0, 1.5, "Run fast")]
    assert found.remarks == []


def test_smarthome_counts_frames() -> None:
    content = {"P02T01C06": {"subset": "training", "duration": 900, "actions": [[9, 30, 60]]}}
    (video,) = read_as("class_actions", "smarthome_CS_51.json", json.dumps(content)).videos
    assert (video.unit, video.duration, in_seconds(video, 20)) == ("frames", None, [(1.5, 3, "9")])


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"a": {"actions": []}},
        {"a": {"duration": 1, "actions": [[1, 2]]}},
        {"a": {"duration": 1, "actions": [["x", 1, 2]]}},
    ],
)
def test_other_json_is_none(content: Any) -> None:
    assert not holds_labels(Document("a.json", json.dumps(content).encode()))


def test_samples(shared: Path) -> None:
    found = read_as("class_actions", shared / "data/formats/charades/piergiaj_charades.json")
    first = found.videos[0]
    assert (first.name, first.duration, in_seconds(first)[0]) == ("7UPGT", 23.21, (16.0, 22.2, "149"))
    found = read_as("class_actions", shared / "data/annotations/multithumos/multithumos.json")
    assert (len(found.videos), sum(len(video.segments) for video in found.videos)) == (413, 38690)
    assert found.class_names == [str(number) for number in range(1, 66)]
