import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actionformer.core.detections import Detections
from actionformer.core.errors import InputError
from actionformer.formats.detections import read_results

NAMES = ("run", "jump", "throw")


def some() -> Detections:
    return Detections(
        segments=np.array([[0, 1], [2, 4], [1, 3]], dtype=np.float32),
        scores=np.array([0.25, 0.75, 0.5], dtype=np.float32),
        labels=np.array([0, 2, 0]),
        class_names=NAMES,
        levels=np.array([1, 2, 3]),
    )


def test_the_results_layout(tmp_path: Path) -> None:
    some()[:1].to_json(tmp_path / "r.json", video_id="v1")
    assert json.loads((tmp_path / "r.json").read_text()) == {
        "version": "1.0",
        "results": {"v1": [{"label": "throw", "score": 0.75, "segment": [2.0, 4.0]}]},
        "external_data": {},
    }


GOOD = {"label": "run", "score": 0.5, "segment": [0, 1]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "no 'results' object"),
        ({"results": []}, "no 'results' object"),
        ({"results": {"v": {}}}, "video 'v': expected a list"),
        ({"results": {"v": [GOOD, {"label": "run"}]}}, "video 'v', detection 1: expected"),
        ({"results": {"v": [{**GOOD, "segment": [0]}]}}, "detection 0: expected"),
        ({"results": {"v": [{**GOOD, "segment": [0, True]}]}}, "end must be a finite number, found True"),
        ({"results": {"v": [{**GOOD, "segment": ["0", 1]}]}}, "start must be a finite number, found '0'"),
        ({"results": {"v": [{**GOOD, "score": float("nan")}]}}, "score must be a finite number, found nan"),
        ({"results": {"v": [{**GOOD, "segment": [2, 1]}]}}, r"segment \[2, 1\] ends before it starts"),
        ({"results": {"v": [{**GOOD, "label": 3}]}}, "label must be a class name, found 3"),
        ({"results": {"v": [{**GOOD, "label": "rum"}]}}, "video 'v': no class 'rum', did you mean 'run'"),
    ],
)
def test_broken_results(tmp_path: Path, content: Any, message: str) -> None:
    (tmp_path / "r.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=rf"r\.json: .*{message}"):
        read_results(tmp_path / "r.json", NAMES)


def test_a_video_that_occurs_twice(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text('{"results": {"v": [], "v": []}}')
    with pytest.raises(InputError, match="key 'v' occurs twice"):
        read_results(tmp_path / "r.json")
