"""Where nothing can be written, and a clock that jumps: said in one line, and of no influence."""

import time
from pathlib import Path
from typing import Any

import pytest
from commands import Refused
from moving import write_moving

from actionformer.core.run_files import CARD, METRICS, WEIGHTS
from actionformer.recipes.train import train
from actionformer.settings.config import Config

NOWHERE = Path("/proc/actionformer")
"""The system's own folder, in which nobody can make anything, whoever they are."""

pytestmark = pytest.mark.skipif(not Path("/proc/self").exists(), reason="this system has no /proc to write to in vain")


@pytest.fixture
def verbs(tmp_path: Path, small: Path, annotations: Path, features: Path, trained: Path) -> dict[str, list[Any]]:
    write_moving(tmp_path / "one.mp4", 0)
    data = ["--annotations", annotations, "--features", features]
    return {
        "extract": ["extract", tmp_path / "one.mp4", "--backbone", "motion", "--out", NOWHERE],
        "train": ["train", "small", *data, "--out", NOWHERE / "run"],
        "detect": ["detect", trained, features, "--out", NOWHERE / "found.json"],
        "convert": ["convert", small / "official_config.yaml", small / "epoch_007.pth.tar", NOWHERE],
        "compare": ["compare", "actionformer,tridet", *data, "--out", NOWHERE],
    }


@pytest.mark.parametrize("verb", ["extract", "train", "detect", "convert", "compare"])
def test_where_nothing_can_be_written_the_place_is_named(
    verbs: dict[str, list[Any]], verb: str, refused: Refused
) -> None:
    assert str(NOWHERE) in refused(*verbs[verb])


def test_a_system_clock_that_jumps_changes_nothing(
    tiny: Config, annotations: Path, features: Path, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, calls = time.time(), iter(range(1_000_000))
    monkeypatch.setattr(time, "time", lambda: now + (-86_400.0) ** (next(calls) % 3))
    train(tiny, annotations, features, tmp_path / "run")
    assert (tmp_path / "run" / WEIGHTS).read_bytes() == (trained / WEIGHTS).read_bytes()
    assert (tmp_path / "run" / CARD).read_bytes() == (trained / CARD).read_bytes()
    assert len((tmp_path / "run" / METRICS).read_text("utf-8").splitlines()) == 3
