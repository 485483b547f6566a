import json
from pathlib import Path
from typing import Any

import pytest
from asking import of
from starlette.testclient import TestClient

from actionformer.evaluation.report import score
from actionformer.formats.detections import read_results
from actionformer.inference.selection import shown
from actionformer.model_directory import load_settings


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


def test_errors_are_counted_from_the_threshold_of_each_class_on(client: Any, calibrated: Path) -> None:
    asked = client(calibrated)
    errors = of(asked, "/api/run", tiou=0.5, min_score="class")["errors"]
    found = read_results(calibrated / "detections.json")
    measured = load_settings(calibrated)[1].calibration
    counted = {name: sum(len(shown(one, measured).of(name)) for one in found.values()) for name in ("left", "right")}
    kinds = ("true positive", "duplicate", "wrong label", "localization", "confusion", "background")
    by_class = errors["by_class"]
    assert {name: sum(by_class[name].get(kind, 0) for kind in kinds) for name in by_class} == counted
    assert asked.get("/api/run", params={"tiou": 0.5, "min_score": "classes"}).status_code == 422


def test_two_runs_are_compared_class_by_class(client: Any, seen: Path, evaluated: Path, detections: Path) -> None:
    asked = client(evaluated, compare=detections)
    answer = of(asked, "/api/compare")
    other = score(seen / "annotations.json", detections)
    row = next(row for row in answer["per_class"] if row["class"] == "left")
    assert answer["names"][1] == "found.json"
    assert row["second"]["0.5"] == pytest.approx(other.per_class["left"][2], abs=1e-4)
    assert row["difference"]["0.5"] == pytest.approx(row["second"]["0.5"] - row["first"]["0.5"], abs=2e-4)
    assert answer["map"]["0.5"][1] == pytest.approx(other.map[2], abs=1e-4)


@pytest.mark.parametrize("tiou", ["0", "1.5", "nan", "x"])
def test_a_tiou_that_cannot_be_is_refused_in_words(asked: TestClient, tiou: str) -> None:
    answer = asked.get("/api/videos/clip0", params={"tiou": tiou})
    assert answer.status_code in (400, 422)
    assert "tiou" in answer.json()["error"]
