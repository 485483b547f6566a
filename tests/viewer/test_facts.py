from pathlib import Path
from typing import Any

from asking import of, refusal
from starlette.testclient import TestClient

from actionformer.evaluation.report import score
from actionformer.formats.detections import read_results
from actionformer.inference.selection import shown
from actionformer.model_directory import load_settings


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


def test_the_page_has_the_network_s_score_that_stands_for_the_threshold_of_each_class(
    client: Any, asked: TestClient, calibrated: Path
) -> None:
    assert of(asked, "/api/project")["min_scores"] is None
    asked = client(calibrated)
    least = of(asked, "/api/project")["min_scores"]
    found = read_results(calibrated / "detections.json")
    measured = load_settings(calibrated)[1].calibration
    assert measured is not None
    for video, detections in found.items():
        assert len(shown(detections, measured)) > 0
        on_page = of(asked, f"/api/videos/{video}")["detections"]
        assert sum(one["score"] >= least[one["label"]] for one in on_page) == len(shown(detections, measured))
