import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from actionformer.core.detections import Detections
from actionformer.core.errors import InputError
from actionformer.core.segments import TimeGrid
from actionformer.detectors.base import architecture_of
from actionformer.evaluation.report import score
from actionformer.formats.detections import read_results, write_results
from actionformer.inference.loading import load
from actionformer.model_directory import load_settings, replace_model
from actionformer.nn.attention_maps import Weights
from actionformer.recipes import evaluate
from actionformer.viewer.network import _drawn
from actionformer.viewer.opening import open_project
from actionformer.viewer.options import ViewerOptions


def of(client: TestClient, address: str, status: int = 200, **parameters: Any) -> Any:
    answer = client.get(address, params=parameters)
    assert answer.status_code == status, answer.text
    return answer.json()


def refusal(client: TestClient, address: str, status: int, **parameters: Any) -> str:
    answer = of(client, address, status, **parameters)
    assert list(answer) == ["error"]
    return str(answer["error"])


@pytest.fixture
def detections(tmp_path: Path) -> Path:
    """A file of detections, and no run: one is right, one a duplicate, one of another class, one beside it."""
    found = Detections(
        np.array([[1.0, 2.5], [1.0, 2.4], [1.1, 2.5], [4.4, 6.0], [0.0, 0.5]]),
        np.array([0.9, 0.8, 0.7, 0.6, 0.5]),
        np.array([0, 0, 1, 1, 0]),
        ("left", "right"),
    )
    write_results(tmp_path / "found.json", {"clip0": found})
    return tmp_path / "found.json"


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


def test_every_detection_says_what_it_is(client: Any, detections: Path, seen: Path) -> None:
    asked = client(detections, annotations=seen / "annotations.json")
    video = of(asked, "/api/videos/clip0", tiou=0.5)
    assert [one["kind"] for one in video["detections"]] == [
        "true positive",
        "duplicate",
        "wrong label",
        "localization",
        "background",
    ]
    assert [one["match"] for one in video["detections"]] == [0, 0, 0, 1, None]
    assert video["detections"][3] == {
        "segment": [4.4, 6.0], "score": 0.6, "label": 1, "level": None, "kind": "localization", "iou": 0.24, "match": 1,
    }  # fmt: skip
    assert video["actions"] == [
        {"segment": [1.0, 2.5], "label": 0, "found": True},
        {"segment": [3.5, 5.0], "label": 1, "found": False},
    ]
    lower = of(asked, "/api/videos/clip0", tiou=0.2)
    assert [one["kind"] for one in lower["detections"]][3] == "true positive"


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


def test_a_run_says_how_it_went(asked: TestClient, seen: Path, evaluated: Path) -> None:
    run = of(asked, "/api/run", tiou=0.5)
    report = score(seen / "annotations.json", evaluated / "detections.json")
    assert run["map"] == {
        f"{tiou:g}": pytest.approx(value, abs=1e-4) for tiou, value in zip(report.tiou, report.map, strict=True)
    }
    assert {row["class"]: row["actions"] for row in run["per_class"]} == {"left": 3, "right": 3}
    epochs = [json.loads(line) for line in (evaluated / "metrics.jsonl").read_text("utf-8").splitlines()]
    assert run["curves"]["loss"] == [[line["epoch"], line["loss"]] for line in epochs]
    errors = run["errors"]
    assert errors["kinds"]["found"] + errors["kinds"]["missed"] == 6
    assert errors["by_class"].keys() == {"left", "right"}
    assert [row["range"] for row in errors["by_length"]] == [[1.0, 2.0]]
    none = of(asked, "/api/run", tiou=0.5, min_score=2.0)
    assert none["errors"]["kinds"] == dict.fromkeys(errors["kinds"], 0) | {"missed": 6}
    assert none["map"] == run["map"]


def test_two_runs_are_compared_class_by_class(client: Any, seen: Path, evaluated: Path, detections: Path) -> None:
    asked = client(evaluated, compare=detections)
    answer = of(asked, "/api/compare")
    other = score(seen / "annotations.json", detections)
    row = next(row for row in answer["per_class"] if row["class"] == "left")
    assert answer["names"][1] == "found.json"
    assert row["second"]["0.5"] == pytest.approx(other.per_class["left"][2], abs=1e-4)
    assert row["difference"]["0.5"] == pytest.approx(row["second"]["0.5"] - row["first"]["0.5"], abs=2e-4)
    assert answer["map"]["0.5"][1] == pytest.approx(other.map[2], abs=1e-4)


def test_scores_are_the_networks_and_long_ones_are_thinned(asked: TestClient, seen: Path) -> None:
    levels = of(asked, "/api/videos/clip1/scores")["levels"]
    first, thin = levels[0], of(asked, "/api/videos/clip1/scores", points=5)["levels"][0]
    assert [level["stride"] for level in levels] == [1, 2, 4]
    assert first["time"] == [0.2, pytest.approx(0.2)]  # 4 frames at 10 a second, the centre of the first window
    assert len(first["maximum"]) == 2
    assert np.max(first["maximum"]) == np.max(thin["maximum"]) > 0.5
    assert len(thin["maximum"][0]) == 5
    assert thin["time"] == [pytest.approx(0.2 + 2.5 * 0.2), pytest.approx(1.2)]  # the middle of six, and so on
    part = of(asked, "/api/videos/clip1/scores", start=2.0, stop=3.0)["levels"][0]
    begin = round((part["time"][0] - 0.2) / 0.2)
    assert part["maximum"][0] == first["maximum"][0][begin : begin + len(part["maximum"][0])]
    assert part["time"][0] == pytest.approx(2.0, abs=0.2)
    backwards = of(asked, "/api/videos/clip1/scores", start=3.0, stop=2.0, points=-1)["levels"][0]
    assert len(backwards["maximum"][0]) == 1


def test_detections_of_a_file_learn_their_level(asked: TestClient, seen: Path) -> None:
    levels = of(asked, "/api/videos/clip0/levels")["levels"]
    found = load(seen / "run").detect(seen / "features" / "clip0.npy")
    assert levels == found.levels.tolist()


def test_a_detection_that_the_network_does_not_make_has_no_level(client: Any, evaluated: Path, tmp_path: Path) -> None:
    run = shutil.copytree(evaluated, tmp_path / "run")
    content = json.loads((run / "detections.json").read_text("utf-8"))
    content["results"]["clip0"][0]["segment"] = [0.03, 5.97]  # nothing is so long
    (run / "detections.json").write_text(json.dumps(content), "utf-8")
    levels = of(client(run), "/api/videos/clip0/levels")["levels"]
    assert levels.count(None) == 1


def test_what_states_no_duration_lasts_as_long_as_its_features(
    client: Any, evaluated: Path, seen: Path, videos: Path, tmp_path: Path
) -> None:
    features = shutil.copytree(seen / "features", tmp_path / "features")
    for sidecar in features.glob("*.json"):
        stated = json.loads(sidecar.read_text("utf-8"))
        sidecar.write_text(json.dumps({key: stated[key] for key in ("fps", "stride", "num_frames")}), "utf-8")
    content = json.loads((seen / "annotations.json").read_text("utf-8"))
    for entry in content["database"].values():
        del entry["duration"]
        entry["annotations"] = entry["annotations"][:1]
    (tmp_path / "short.json").write_text(json.dumps(content), "utf-8")
    given: dict[str, Any] = {"annotations": tmp_path / "short.json", "features": (features,)}
    np.save(features / "clip0.npy", np.load(features / "clip0.npy")[:20])
    covered = 0.1 * (2 * 19 + 4)  # 4 frames every 2, 10 a second
    assert of(client(evaluated, **given), "/api/videos/clip0")["duration"] == pytest.approx(covered)
    (features / "clip1.json").write_text("{", "utf-8")
    asked = client(evaluated, **given, videos=videos)
    assert of(asked, "/api/videos/clip0")["duration"] == pytest.approx(6.0)  # the file's own
    assert "clip1.json" in refusal(asked, "/api/videos/clip1/scores", 400)
    assert of(asked, "/api/videos/clip1")["duration"] == pytest.approx(6.0)  # what is broken stops that video alone


def test_attention_over_many_moments_is_drawn_by_its_maxima() -> None:
    weights = np.zeros((1, 2305), np.float32)
    weights[0, [0, 1, 2304]] = 0.5, 0.25, 0.125
    (head,) = _drawn(Weights(np.arange(2305), weights), 1, SimpleNamespace(grid=TimeGrid(10, 1, 1)))
    assert (len(head["time"]), len(head["weight"])) == (769, 769)
    assert head["weight"][0] == 0.5
    assert head["weight"][-1] == 0.125
    assert np.diff(head["time"])[-1] == pytest.approx(0.2)  # from the middle of three moments to the last, alone
    assert np.diff(head["time"])[0] == pytest.approx(0.3)


def test_a_run_without_detections_is_searched_when_a_video_is_opened(
    client: Any, seen: Path, evaluated: Path, tmp_path: Path
) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    for name in ("config.toml", "model.json", "model.safetensors"):
        (bare / name).write_bytes((seen / "run" / name).read_bytes())
    content = json.loads((seen / "annotations.json").read_text("utf-8"))
    content["database"]["clip2"]["subset"] = "another"
    (tmp_path / "subsets.json").write_text(json.dumps(content), "utf-8")
    listed = of(client(bare, annotations=tmp_path / "subsets.json"), "/api/project")["videos"]
    assert [video["id"] for video in listed] == ["clip0", "clip1"]  # the subset that the run is tested on
    asked = client(bare)
    assert {video["detections"] for video in of(asked, "/api/project")["videos"]} == {None}
    video = of(asked, "/api/videos/clip0")
    expected = read_results(evaluated / "detections.json")["clip0"]
    np.testing.assert_allclose([one["score"] for one in video["detections"]], expected.scores, atol=1e-3)
    assert {one["level"] for one in video["detections"]} <= {0, 1, 2}
    assert video["detections"][0]["kind"] is not None


def test_a_moment_tells_windows_weights_and_cost(asked: TestClient) -> None:
    answer = of(asked, "/api/videos/clip0/moment", time=3.0, block=0)
    assert [one["positions"] for one in answer["levels"]] == [5, 5, 5]
    start, end = answer["levels"][0]["window"]
    assert start < 3.0 < end
    assert end - start == pytest.approx(1.0)  # 5 moments of 0.2 s
    assert answer["ranges"][0]["window_seconds"] == pytest.approx(1.0)
    assert len(answer["attention"]["heads"]) == 2
    for head in answer["attention"]["heads"]:
        assert sum(head["local"]["weight"]) == pytest.approx(1, abs=1e-3)
        assert sum(head["global"]["weight"]) == pytest.approx(1, abs=1e-3)
        assert len(head["local"]["time"]) == 5 < len(head["global"]["time"])
    cost = answer["attention"]["cost"]
    assert cost["local"] < cost["global"] == len(head["global"]["time"]) ** 2
    assert len(answer["blocks"]) == 4
    assert "blocks 0 to 3" in refusal(asked, "/api/videos/clip0/moment", 400, time=3.0, block=9)


def test_suppression_is_told_pick_by_pick(asked: TestClient, seen: Path) -> None:
    wanted = {"start": 0.0, "stop": 6.0, "limit": 5000}
    before = of(asked, "/api/videos/clip0/candidates", **wanted)["candidates"]
    answer = asked.post("/api/videos/clip0/suppression", json=wanted).json()
    assert answer["candidates"] == before
    for one in before:  # decoded step by step
        step = answer["seconds_per_step"][one["level"]]
        (left, right), moment = one["offsets"], one["moment"]
        ends = np.clip([moment - left * step, moment + right * step], 0, 6.0)
        np.testing.assert_allclose(one["segment"], ends, atol=1e-3)
        assert min(left, right) >= 0
    kept = load(seen / "run").detect(seen / "features" / "clip0.npy")
    np.testing.assert_allclose([step["score"] for step in answer["steps"]], kept.scores, atol=1e-3)
    hard = asked.post("/api/videos/clip0/suppression", json=wanted | {"method": "hard", "tiou_threshold": 0.5}).json()
    assert hard["settings"]["method"] == "hard"
    assert {score for step in hard["steps"] for _, score in step["changed"]} == {0.0}
    answer = of(asked, "/api/videos/clip0/candidates", start=1.0, stop=2.0, limit=3)
    few, total = answer["candidates"], answer["total"]
    assert len(few) == 3 < total < len(before)
    assert all(one["segment"][0] < 2.0 and one["segment"][1] > 1.0 for one in few)
    wrong = asked.post("/api/videos/clip0/suppression", json=wanted | {"method": "gentle"})
    assert (wrong.status_code, "soft" in wrong.json()["error"]) == (400, True)
    assert asked.post("/api/videos/clip0/suppression", json=wanted | {"sigmas": 1}).status_code == 422


@pytest.mark.parametrize("tiou", ["0", "1.5", "nan", "x"])
def test_a_tiou_that_cannot_be_is_refused_in_words(asked: TestClient, tiou: str) -> None:
    answer = asked.get("/api/videos/clip0", params={"tiou": tiou})
    assert answer.status_code in (400, 422)
    assert "tiou" in answer.json()["error"]


def test_what_was_given_has_to_be_there(tmp_path: Path, detections: Path) -> None:
    for given, words in (
        (ViewerOptions(tmp_path / "none"), "not there"),
        (ViewerOptions(tmp_path), "no model directory"),
        (ViewerOptions(detections, videos=tmp_path / "none"), "no such folder of videos"),
        (ViewerOptions(detections, compare=tmp_path), "evaluate the run first"),
    ):
        with pytest.raises(InputError, match=words):
            open_project(given)


def test_classes_that_the_network_does_not_know_have_no_probability(
    client: Any, evaluated: Path, seen: Path, tmp_path: Path
) -> None:
    content = json.loads((seen / "annotations.json").read_text("utf-8"))
    content["database"]["clip0"]["annotations"].append({"segment": [0.0, 0.5], "label": "upward"})
    (tmp_path / "more.json").write_text(json.dumps(content), "utf-8")
    asked = client(evaluated, annotations=tmp_path / "more.json")
    assert of(asked, "/api/project")["classes"] == ["left", "right", "upward"]
    left, _, upward = of(asked, "/api/videos/clip0/scores")["levels"][1]["maximum"]
    assert max(left) > 0
    assert upward == [0.0] * len(left)
    assert of(asked, "/api/videos/clip0")["actions"][0]["label"] == 0


@pytest.fixture
def without_attention(run: Path) -> Path:
    """A run of a detector that has levels but no attention, its weights as they were drawn."""
    config, card = load_settings(run)
    changes = {"width": 16, "branch_blocks": 2, "regression_ranges": [[0, 4], [4, 8], [8, 1000]], "max_length": 64}
    sizes = {"input_dim": config.model.input_dim, "num_classes": config.model.num_classes}
    other = config.replace(model={"detector": "tridet", **changes, **sizes})
    replace_model(run, architecture_of(other).network(), other, card)
    return run


def test_a_detector_without_attention_says_so_and_shows_the_rest(client: Any, without_attention: Path) -> None:
    asked = client(without_attention)
    video = asked.get("/api/project").json()["videos"][0]["id"]
    moment = of(asked, f"/api/videos/{video}/moment", time=5)
    assert (moment["attention"], moment["why_not"]) == (None, "this network has no attention to show")
    assert [one["stride"] for one in moment["ranges"]] == [1, 2, 4]
    assert [level["stride"] for level in of(asked, f"/api/videos/{video}/scores")["levels"]] == [1, 2, 4]
    span = {"start": 0, "stop": 20, "limit": 5}
    assert of(asked, f"/api/videos/{video}/candidates", **span)["total"] > 0


def test_a_detector_without_levels_says_so(
    client: Any, without_attention: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actionformer.detectors.tridet.architecture.TriDet.levels", lambda self, network: [])
    asked = client(without_attention)
    video = asked.get("/api/project").json()["videos"][0]["id"]
    words = "this detector has no levels to show"
    assert refusal(asked, f"/api/videos/{video}/scores", 404) == words
    assert refusal(asked, f"/api/videos/{video}/moment", 404, time=5) == words
