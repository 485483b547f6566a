import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from asking import of, refusal
from starlette.testclient import TestClient

from actionformer.core.calibration import Calibration, Reliability, ScoreCurve, Threshold
from actionformer.evaluation.report import score
from actionformer.model_directory import load_settings, replace_card


def test_a_project_lists_what_there_is_and_every_video(asked: TestClient, seen: Path, evaluated: Path) -> None:
    project = of(asked, "/api/project")
    assert project["classes"] == ["left", "right"]
    assert project["has"] | {"compare": None} == dict.fromkeys(project["has"], True) | {"compare": None}
    assert list(project["why_not"]) == ["compare"]
    report = score(seen / "annotations.json", evaluated / "detections.json")
    assert project["tiou"] == list(report.tiou)
    assert [video["id"] for video in project["videos"]] == ["clip0", "clip1", "clip2"]
    for video in project["videos"]:
        assert (video["duration"], video["actions"], video["corrected"]) == (6.0, 2, False)
    precision = of(asked, "/api/precision")
    assert list(precision) == ["clip0", "clip1", "clip2"]
    for by_tiou in precision.values():
        assert set(by_tiou) == {"0.3", "0.4", "0.5", "0.6", "0.7"}


def test_detections_alone_show_what_they_can_and_say_why_not_more(client: Any, detections: Path) -> None:
    asked = client(detections)
    project = of(asked, "/api/project")
    assert [part for part, there in project["has"].items() if there] == ["corrections"]
    assert project["why_not"].keys() == {"videos", "features", "annotations", "run", "compare", "candidates"}
    assert project["videos"] == [{"id": "clip0", "duration": 6.0, "detections": 5, "actions": None, "corrected": False}]
    video = of(asked, "/api/videos/clip0")
    assert {one["kind"] for one in video["detections"]} == {None}
    assert video["conversion"] is None
    assert (video["actions"], video["playable"], video["why_not_playable"]) == (
        [],
        False,
        "no videos were given: start with --videos FOLDER",
    )
    assert "give a run directory" in refusal(asked, "/api/videos/clip0/scores", 404)
    assert "--videos" in refusal(asked, "/api/videos/clip0/media", 404)
    assert "--compare" in refusal(asked, "/api/compare", 404)
    run = of(asked, "/api/run")
    assert run == {"curves": {}, "map": None, "per_class": [], "errors": None}


def test_the_page_begins_at_the_network_s_score_that_stands_for_the_threshold(
    client: Any, asked: TestClient, evaluated: Path, tmp_path: Path
) -> None:
    assert of(asked, "/api/project")["min_score"] is None
    run = shutil.copytree(evaluated, tmp_path / "run")
    none, overall = Reliability((), (), ()), Threshold(0.3, 30, 20, 15)
    curve = ScoreCurve((0.0, 1.0), (0.0, 0.5))  # a probability of 0.3 is a score of 0.6
    measured = Calibration(0.5, ("test",), 3, 30, curve, overall, {}, none, none)
    replace_card(run, replace(load_settings(run)[1], calibration=measured))
    assert of(client(run), "/api/project")["min_score"] == 0.6
