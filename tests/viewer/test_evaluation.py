import json
from pathlib import Path
from typing import Any

import pytest
from asking import of
from starlette.testclient import TestClient

from actionformer.evaluation.report import score


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


@pytest.mark.parametrize("tiou", ["0", "1.5", "nan", "x"])
def test_a_tiou_that_cannot_be_is_refused_in_words(asked: TestClient, tiou: str) -> None:
    answer = asked.get("/api/videos/clip0", params={"tiou": tiou})
    assert answer.status_code in (400, 422)
    assert "tiou" in answer.json()["error"]
