"""What `actionformer label` is started with."""

import json
from pathlib import Path
from typing import Any

import pytest

from actionformer.core.detections import Detections
from actionformer.formats.detections import write_results
from actionformer.viewer.label import project_to_label


def test_what_cannot_be_labelled_is_said(refused: Any, videos: Path, tmp_path: Path) -> None:
    out = tmp_path / "labels.json"
    (tmp_path / "none").mkdir()
    assert "no videos here" in refused("label", tmp_path / "none", "--out", out)
    assert "no such folder" in refused("label", tmp_path / "nowhere", "--out", out)
    assert "ends in .json" in refused("label", videos, "--out", tmp_path / "labels.csv")
    assert "is empty" in refused("label", videos, "--out", out, "--classes", "wave,,jump")
    out.write_text("wave,1,2", "utf-8")
    assert "actionformer import" in refused("label", videos, "--out", out)


def test_classes_are_those_of_the_file_then_those_given_then_those_of_drafts(videos: Path, tmp_path: Path) -> None:
    out = tmp_path / "labels.json"
    database = {"clip0": {"subset": "training", "annotations": [{"segment": [0, 1], "label": "sit"}]}}
    out.write_text(json.dumps({"database": database}), "utf-8")
    found = Detections([[0.0, 1.0]], [0.5], [0], ("swim", "sit"))
    write_results(tmp_path / "found.json", {"clip1": found, "stranger": found})
    with pytest.warns(UserWarning, match="1 video of the drafts not in the folder.*stranger"):
        project = project_to_label(videos, out, ["wave", "sit"], drafts=tmp_path / "found.json")
    assert project.class_names == ("sit", "wave", "swim")
    assert project.detections["clip1"].to_dict() == found.to_dict()
    assert project.ids == ["clip0", "clip1", "clip2"]
