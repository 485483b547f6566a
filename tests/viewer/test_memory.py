"""What the viewer keeps: each result computed once, and all of them bounded in bytes."""

import json
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from threading import Barrier
from time import sleep
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from actionformer.core.detections import Detections
from actionformer.evaluation import diagnosis
from actionformer.evaluation.mean_average_precision import average_precision
from actionformer.evaluation.pairs import FlatDetections
from actionformer.formats import rows
from actionformer.formats.detections import write_results
from actionformer.viewer.memory import LAST, bytes_of, kept
from actionformer.viewer.opening import open_project
from actionformer.viewer.options import ViewerOptions
from actionformer.viewer.start import services_for


@given(st.lists(st.integers(1, 40), max_size=40), st.integers(0, 100))
def test_what_is_kept_takes_no_more_than_it_may_but_for_the_last(asked: list[int], most: int) -> None:
    computed: list[int] = []

    def compute(size: int) -> np.ndarray:
        computed.append(size)
        return np.zeros(size, np.uint8)

    once = kept(compute, most)
    held: list[int] = []  # the plain twin: the oldest go until the others have room
    for size in asked:
        before = len(computed)
        assert len(once(size)) == size
        assert (len(computed) == before) == (size in held)
        held = [*(other for other in held if other != size), size]
        while sum(held) > most and len(held) > 1 and len(computed) > before:
            held.pop(0)


def test_who_asks_meanwhile_waits_and_an_error_is_not_kept() -> None:
    computed: list[str] = []
    together = Barrier(8)

    def compute(name: str) -> str:
        computed.append(name)
        sleep(0.05)
        if len(computed) == 1:
            raise ValueError("the first time")
        return name

    once = kept(compute, LAST)
    with pytest.raises(ValueError, match="the first time"):
        once("a")

    def ask(_: int) -> str:
        together.wait()
        return once("a")

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(8))) == {"a"}
    assert computed == ["a", "a"]


@pytest.fixture
def many(tmp_path: Path) -> ViewerOptions:
    """20 videos with 1,000 detections each, and their annotations."""
    rng = np.random.default_rng(0)
    starts = rng.uniform(0, 1000, (20, 1000))
    made = [
        Detections(np.stack([start, start + 5], axis=1), rng.uniform(0, 1, 1000), np.zeros(1000, int), ("left",))
        for start in starts
    ]
    write_results(tmp_path / "found.json", {f"video {i}": found for i, found in enumerate(made)})
    database = {
        f"video {i}": {"subset": "test", "duration": 1010.0, "annotations": [{"segment": [5, 9], "label": "left"}]}
        for i in range(20)
    }
    (tmp_path / "annotations.json").write_text(json.dumps({"database": database}))
    return ViewerOptions(tmp_path / "found.json", annotations=tmp_path / "annotations.json")


def test_the_list_of_videos_reads_no_row_alone_and_all_are_evaluated_together(
    many: ViewerOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluated: list[int] = []

    def counted(candidates: FlatDetections, *rest: Any) -> Any:
        evaluated.append(len(candidates))
        return average_precision(candidates, *rest)

    monkeypatch.setattr(rows, "_json_row", None)
    monkeypatch.setattr(diagnosis, "average_precision", counted)
    services = services_for(open_project(many))
    with closing(services):
        assert len(services.facts.all()["videos"]) == 20
        assert evaluated == []
        first = services.evaluation.precision()
        assert evaluated == [20 * 1000]
        assert services.evaluation.precision() == first
        assert len(evaluated) == 1
    assert len(first) == 20
    assert all(first.values())


def test_kinds_of_error_at_many_thresholds_take_no_memory(many: ViewerOptions) -> None:
    services = services_for(open_project(many))
    with closing(services):
        first = services.evaluation.run(0.5)
        tracemalloc.start()
        try:
            for tiou in (0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9):
                services.evaluation.run(tiou)
            grown, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert services.evaluation.run(0.5) == first
    assert grown < 20 * 1000 * 8  # a number a detection


@dataclass
class Scores:
    name: str
    probability: np.ndarray
    parts: list[torch.Tensor]


def test_bytes_of_arrays_wherever_they_are() -> None:
    array, tensor = np.zeros((100, 7), np.float32), torch.zeros(50, dtype=torch.float64)
    assert bytes_of(array) == 2800
    assert bytes_of(tensor) == 400
    held = bytes_of({"video": (Scores("a", array, [tensor, tensor]), None)})
    assert 3600 < held < 3600 + 1500
    assert bytes_of([0.5] * 1000) > 20_000
