"""HACS Segments."""

import json
from pathlib import Path

from actionformer.datasets.hacs import read


def test_durations_are_text(tmp_path: Path) -> None:
    action = {"segment": [0.5, 2.0], "label": "Archery"}
    entry = {"subset": "validation", "duration": "92.166667", "annotations": [action]}
    (tmp_path / "HACS_segments_v1.1.1.json").write_text(json.dumps({"database": {"a": entry}}))
    dataset = read(tmp_path)
    assert dataset.recordings["a"].duration == 92.166667
    assert dataset.splits["annotations.json"] == {"a": "validation"}
    assert dataset.differences() == ["200 classes (here 1)"]
