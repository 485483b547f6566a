import json
from pathlib import Path
from typing import Any

import pytest
from asking import of

from actionformer.core.errors import InputError
from actionformer.recipes.evaluate import evaluate
from actionformer.viewer.opening import open_project
from actionformer.viewer.options import ViewerOptions


def test_classes_keep_their_names_whatever_their_ids_in_each_file(
    client: Any, detections: Path, tmp_path: Path
) -> None:
    action = {"segment": [1.0, 2.5], "label": "left", "label_id": 7}
    database = {"clip0": {"subset": "test", "annotations": [action]}}
    (tmp_path / "truth.json").write_text(json.dumps({"database": database}), "utf-8")
    asked = client(detections, annotations=tmp_path / "truth.json")
    names = of(asked, "/api/project")["classes"]
    video = of(asked, "/api/videos/clip0")
    assert names[video["actions"][0]["label"]] == "left"
    assert video["detections"][0]["kind"] == "true positive"


def test_only_subsets_with_detections_are_evaluated(client: Any, run: Path) -> None:
    evaluate(run)
    ids = [video["id"] for video in of(client(run), "/api/project")["videos"]]
    assert ids == ["video4", "video5"]


def test_what_was_given_has_to_be_there(tmp_path: Path, detections: Path) -> None:
    for given, words in (
        (ViewerOptions(tmp_path / "none"), "not there"),
        (ViewerOptions(tmp_path), "no model directory"),
        (ViewerOptions(detections, videos=tmp_path / "none"), "no such folder of videos"),
        (ViewerOptions(detections, compare=tmp_path), "evaluate the run first"),
    ):
        with pytest.raises(InputError, match=words):
            open_project(given)
