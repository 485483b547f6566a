import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from asking import of, refusal
from starlette.testclient import TestClient

from actionformer.core.segments import TimeGrid
from actionformer.detectors.base import architecture_of
from actionformer.inference.loading import load
from actionformer.model_directory import load_settings, replace_model
from actionformer.nn.attention_maps import Weights
from actionformer.viewer.network import _drawn


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


def test_attention_over_many_moments_is_drawn_by_its_maxima() -> None:
    weights = np.zeros((1, 2305), np.float32)
    weights[0, [0, 1, 2304]] = 0.5, 0.25, 0.125
    sequence: Any = SimpleNamespace(grid=TimeGrid(10, 1, 1))
    (head,) = _drawn(Weights(np.arange(2305), weights), 1, sequence)
    assert (len(head["time"]), len(head["weight"])) == (769, 769)
    assert head["weight"][0] == 0.5
    assert head["weight"][-1] == 0.125
    assert np.diff(head["time"])[-1] == pytest.approx(0.2)  # from the middle of three moments to the last, alone
    assert np.diff(head["time"])[0] == pytest.approx(0.3)


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
    wanted: dict[str, Any] = {"start": 0.0, "stop": 6.0, "limit": 5000}
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
def without_attention(request: pytest.FixtureRequest, run: Path) -> Path:
    """A run of a detector that has levels but no attention, its weights as they were drawn."""
    config, card = load_settings(run)
    changes = {"width": 16, "branch_blocks": 2, "regression_ranges": [[0, 4], [4, 8], [8, 1000]], "max_length": 64}
    sizes = {"input_dim": config.model.input_dim, "num_classes": config.model.num_classes}
    other = config.replace(model={"detector": getattr(request, "param", "tridet"), **changes, **sizes})
    replace_model(run, architecture_of(other).network(), other, card)
    return run


@pytest.mark.parametrize("without_attention", ["tridet", "temporalmaxer"], indirect=True)
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
    words = (
        "this view shows the levels of a pyramid like ActionFormer's, which tridet does not have; what it proposes is "
        "under Candidates"
    )
    assert refusal(asked, f"/api/videos/{video}/scores", 404) == words
    assert refusal(asked, f"/api/videos/{video}/moment", 404, time=5) == words


@pytest.mark.parametrize("detector", ["afsd", "bmn", "gtad", "tadtr"])
def test_candidates_of_a_detector_without_levels_are_given_at_once(client: Any, run: Path, detector: str) -> None:
    config, card = load_settings(run)
    sizes = {"input_dim": config.model.input_dim, "num_classes": config.model.num_classes}
    other = config.replace(model={"detector": detector, "width": 32, "max_length": 32, **sizes}, data={"window": 32})
    replace_model(run, architecture_of(other).network(), other, card)
    asked = client(run)
    video = asked.get("/api/project").json()["videos"][0]["id"]
    found = of(asked, f"/api/videos/{video}/candidates", start=0, stop=20, limit=5)
    assert found["seconds_per_step"] == []
    assert len(found["candidates"]) > 0
    assert set(of(asked, f"/api/videos/{video}/levels")["levels"]) == {None}
    assert detector in refusal(asked, f"/api/videos/{video}/scores", 404)
