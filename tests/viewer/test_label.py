"""What `actionformer label` is started with."""

import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from actionformer.core.detections import Detections
from actionformer.core.run_files import CONFIG
from actionformer.core.terminal import plain_console
from actionformer.formats.detections import read_results, write_results
from actionformer.inference.caps import SHOWN_SCORE
from actionformer.settings.loading import load_config
from actionformer.viewer.label import found_by, project_to_label


def write_drafts(folder: Path) -> Path:
    write_results(folder / "found.json", {"clip1": Detections([[0.0, 1.0]], [0.5], [0], ("swim",))})
    return folder / "found.json"


def test_what_cannot_be_labelled_is_said(refused: Any, videos: Path, tmp_path: Path) -> None:
    out = tmp_path / "labels.json"
    (tmp_path / "none").mkdir()
    assert "no videos or sound files here" in refused("label", tmp_path / "none", "--out", out)
    assert "no such folder" in refused("label", tmp_path / "nowhere", "--out", out)
    assert "ends in .json" in refused("label", videos, "--out", tmp_path / "labels.csv")
    assert "is empty" in refused("label", videos, "--out", out, "--classes", "wave,,jump")
    assert "give one of them" in refused(
        "label", videos, "--out", out, "--run", tmp_path / "none", "--drafts", write_drafts(tmp_path)
    )
    out.write_text("wave,1,2", "utf-8")
    assert "actionformer import" in refused("label", videos, "--out", out)


def test_classes_are_those_of_the_file_then_those_given_then_those_of_drafts(videos: Path, tmp_path: Path) -> None:
    out = tmp_path / "labels.json"
    database = {"clip0": {"subset": "training", "annotations": [{"segment": [0, 1], "label": "sit"}]}}
    out.write_text(json.dumps({"database": database}), "utf-8")
    found = Detections([[0.0, 1.0]], [0.5], [0], ("swim", "sit"))
    write_results(tmp_path / "found.json", {"clip1": found, "stranger": found})
    with pytest.warns(UserWarning, match="1 video has drafts and is not in the folder.*stranger"):
        project = project_to_label(videos, out, ["wave", "sit"], drafts=tmp_path / "found.json")
    assert project.class_names == ("sit", "wave", "swim")
    assert project.detections["clip1"].to_dict() == found.to_dict()
    assert project.ids == ["clip0", "clip1", "clip2"]


def test_what_a_model_finds_is_kept_until_there_is_another_model(seen: Path, videos: Path, tmp_path: Path) -> None:
    run, other = (shutil.copytree(seen / "run", tmp_path / name) for name in ("run", "other"))
    config = load_config(other)
    (other / CONFIG).write_text(config.replace(suppression={"max_detections": 7}).to_toml(), "utf-8")

    def looked_at(run: Path) -> bool:
        progress = io.StringIO()
        file, least = found_by(run, videos, tmp_path / "labels.json", "cpu", plain_console(progress))
        assert file == tmp_path / "labels.drafts.jsonl"
        assert least == SHOWN_SCORE  # of a run that is not calibrated
        assert set(read_results(file)) == {"clip0", "clip1", "clip2"}
        return "clip1.mp4" in progress.getvalue()

    assert looked_at(run)
    assert not looked_at(run)
    assert looked_at(other), "though it is as old as the first"
    assert not looked_at(other)
