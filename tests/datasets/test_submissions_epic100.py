"""Verbs and nouns of two models as EPIC-Kitchens' actions."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import Command, Refused
from hypothesis import given
from hypothesis import strategies as st

from actionformer import Detections
from actionformer.core.segments import tiou
from actionformer.datasets.submissions.epic100 import LEAST_TIOU, MOST, action_rows

Rows = list[tuple[str, float, float, float]]


def detections(path: Path, **videos: Rows) -> Path:
    rows = {name: [{"label": label, "score": score, "segment": [start, end]} for label, score, start, end in one]
            for name, one in videos.items()}  # fmt: skip
    path.write_text(json.dumps({"version": "1.0", "results": rows, "external_data": {}}))
    return path


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "EPIC_100_verb_classes.csv").write_text("id,key\n0,take\n1,put\n")
    (tmp_path / "EPIC_100_noun_classes_v2.csv").write_text("id,key\n0,tap\n1,spoon\n2,plate\n")
    return tmp_path


@pytest.fixture
def verbs(tmp_path: Path) -> Path:
    return detections(tmp_path / "verbs.json", P01_11=[("put", 0.9, 0.0, 4.0), ("take", 0.5, 10.0, 12.0)], P01_12=[])


@pytest.fixture
def nouns(tmp_path: Path) -> Path:
    found: Rows = [("plate", 0.4, 1.0, 4.0), ("tap", 0.8, 3.0, 8.0), ("spoon", 0.5, 10.0, 12.0)]
    return detections(tmp_path / "nouns.json", P01_11=found, P01_12=[])


def test_a_verb_and_a_noun_that_share_their_time_are_an_action(
    call: Command, source: Path, verbs: Path, nouns: Path, tmp_path: Path
) -> None:
    out = tmp_path / "actions.json"
    assert call("submission", "epic100", verbs, nouns, "--source", source, "--out", out).code == 0
    content = json.loads(out.read_text())
    assert {key: content[key] for key in ("version", "challenge", "sls_pt", "sls_tl", "sls_td")} == {
        "version": "0.2", "challenge": "action_detection", "sls_pt": 2, "sls_tl": 3, "sls_td": 3
    }  # fmt: skip
    put_plate, take_spoon = content["results"]["P01_11"]
    # put [0, 4], plate [1, 4]: tIoU 0.75, score sqrt(0.9 * 0.4), start (0.9 * 0 + 0.4 * 1) / 1.3; tap: tIoU 1/8
    assert put_plate == {"verb": 1, "noun": 2, "action": "1,2", "score": pytest.approx(0.6),
                         "segment": pytest.approx([0.4 / 1.3, 4.0])}  # fmt: skip
    assert take_spoon == {"verb": 0, "noun": 1, "action": "0,1", "score": pytest.approx(0.5), "segment": [10.0, 12.0]}
    assert content["results"]["P01_12"] == []


FOUND = st.lists(st.tuples(st.integers(0, 2), st.floats(0, 1), st.floats(0, 20), st.floats(0.01, 9)), max_size=12)


def some(rows: list[tuple[int, float, float, float]]) -> Detections:
    segments = [(start, start + length) for _, _, start, length in rows]
    return Detections(segments, [row[1] for row in rows], [row[0] for row in rows], ("a", "b", "c"))


@given(FOUND, FOUND)
def test_actions_are_the_pairs_that_overlap_enough_best_first(first: Any, second: Any) -> None:
    verbs, nouns = some(first), some(second)
    rows = action_rows(verbs, nouns)
    assert len(rows) == int((tiou(verbs.segments, nouns.segments) >= LEAST_TIOU).sum())
    assert [row["score"] for row in rows] == sorted((row["score"] for row in rows), reverse=True)
    ends = np.concatenate([verbs.segments, nouns.segments])
    for row in rows:
        assert row["action"] == f"{row['verb']},{row['noun']}"
        start, end = row["segment"]
        assert ends.min() - 1e-9 <= start < end <= ends.max() + 1e-9


def test_a_video_has_as_many_actions_as_a_model_finds_verbs() -> None:
    many = Detections(np.tile([0.0, 1.0], (50, 1)), np.linspace(0, 1, 50), np.zeros(50, int), ("a",))
    rows = action_rows(many, many)
    assert len(rows) == MOST
    assert (rows[0]["score"], rows[0]["segment"]) == (1.0, [0.0, 1.0])


def test_what_cannot_be_an_action_is_refused(
    refused: Refused, source: Path, verbs: Path, nouns: Path, tmp_path: Path
) -> None:
    out = tmp_path / "actions.json"
    given = ("--source", source, "--out", out)
    assert "expected 2 files, found 1" in refused("submission", "epic100", verbs, *given)
    assert "verbs.json: video 'P01_11': no class" in refused("submission", "epic100", nouns, verbs, *given).replace(
        "nouns.json", "verbs.json"
    )
    assert "give --source, the folder that holds EPIC_100_verb_classes.csv" in refused(
        "submission", "epic100", verbs, nouns, "--out", out
    )
    other = detections(tmp_path / "other.json", P01_11=[])
    assert "1 videos are in one of the two files alone, such as 'P01_12'" in refused(
        "submission", "epic100", verbs, other, *given
    )
    assert "no place for --external-data" in refused(
        "submission", "epic100", verbs, nouns, *given, "--external-data", "Kinetics"
    )
    other.write_text('{"results": {}}')
    assert "other.json: no video" in refused("submission", "activitynet13", other, "--out", out)
    assert "the first file is of verbs" in refused("submission", "epic100", nouns, verbs, *given)
    assert not out.exists()
    out.write_text("mine")
    assert "exists" in refused("submission", "epic100", verbs, nouns, *given)
