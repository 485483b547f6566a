"""Events of E2E-Spot."""

import json
from pathlib import Path
from typing import Any

import pytest
from labelled import in_seconds, read_as

from actionformer.formats.document import Document
from actionformer.formats.spot import holds_labels


def test_frames_from_0_as_moments() -> None:
    events = [{"frame": 50, "label": "serve", "comment": ""}]
    content = [
        {"video": "a", "num_frames": 100, "fps": 25.0, "events": events},
        {"video": "b", "fps": -1, "events": []},
    ]
    first, second = read_as("spot", "val.json", json.dumps(content)).videos
    assert (first.fps, first.duration, in_seconds(first)) == (25, 4, [(2, 2, "serve")])
    assert (second.fps, second.duration, second.unit) == (None, None, "frames")


@pytest.mark.parametrize("content", [[], [{"video": "a"}], [{"video": "a", "events": [{"label": "x"}]}], {"a": 1}])
def test_other_json_is_none(content: Any) -> None:
    assert not holds_labels(Document("a.json", json.dumps(content).encode()))


def test_samples(shared: Path) -> None:
    (dive, _) = read_as("spot", shared / "data/formats/spot_e2e/finediving_val.json").videos
    assert in_seconds(dive) == [(39, 39, "Twist(s)"), (67, 67, "Som(s).Pike"), (76, 76, "Entry")]
    (skate, _) = read_as("spot", shared / "data/formats/spot_e2e/fs_comp_val.json").videos
    assert skate.segments[0].label == "jump_takeoff"
    assert read_as("spot", shared / "data/formats/spot_e2e/tennis_val.json").videos[0].fps == 25
