"""What detection costs, as a comparison says it."""

import shutil
from pathlib import Path

import pytest

from actionformer.inference.loading import load
from actionformer.nn.counting import multiply_adds
from actionformer.recipes.compare import compare
from actionformer.recipes.costs import Measuring, _peak_mib, with_costs
from actionformer.recipes.evaluated import read_evaluated, report_of


@pytest.fixture
def two(run: Path, tmp_path: Path) -> list[Path]:
    """Two runs of different names."""
    return [run, shutil.copytree(run, tmp_path / "other")]


def test_costs_of_a_run(run: Path, features: Path) -> None:
    found = read_evaluated(run)
    (entry,) = with_costs(
        report_of({"a": [found]}, draws=5), {"a": [found]}, Measuring(None, False, False, "cpu")
    ).entries
    costs, detector = entry.costs, load(run)
    assert costs is not None
    assert costs.parameters == sum(weight.numel() for weight in detector.model.parameters())
    videos = {"video4": 50, "video5": 71}  # features, two a second
    products = sum(multiply_adds(lambda id_=id_: detector.detect(features / f"{id_}.npy")) for id_ in videos)  # type: ignore[misc]
    minutes = sum(0.5 * length + 0.5 for length in videos.values()) / 60
    assert costs.multiply_adds == pytest.approx(products / minutes)
    assert costs.minutes_per_second is not None
    assert costs.minutes_per_second > 0
    assert costs.training_minutes is not None
    assert 0 < costs.training_minutes < 1
    if costs.peak_mib is None:
        pytest.skip("this system does not tell a process' anonymous memory")
    assert 1 < costs.peak_mib < 500


def test_what_cannot_be_measured_is_said_and_left_empty(two: list[Path], tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="what detection costs is not measured"):
        found = compare(from_=two, features=tmp_path / "nowhere", draws=5)
    for entry in found.entries:
        assert entry.costs is not None
        assert entry.costs.parameters > 0
        assert entry.costs.training_minutes is not None
        assert entry.costs.multiply_adds is entry.costs.minutes_per_second is entry.costs.peak_mib is None


def test_a_process_that_fails_leaves_memory_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actionformer.recipes.costs.PEAK", "raise SystemExit('out of memory')")
    with pytest.warns(UserWarning, match=r"memory is not measured: its process ended with 1 \(out of memory\)"):
        assert _peak_mib(tmp_path, [], Measuring(None, False, False, "cpu")) is None
