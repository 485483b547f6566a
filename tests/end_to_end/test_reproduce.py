"""The commands of docs/reproduce.md, on made features of the published shapes."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from standing_in import write_thumos

PAGE = Path(__file__).resolve().parents[2] / "docs/reproduce.md"
SMALLER = ("--training.epochs", 1, "--training.warmup-epochs", 0, "--model.width", 16, "--model.max-length", 288)
"""What makes the published network small enough for a test."""


def commands() -> list[list[str]]:
    blocks = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return [shlex.split(line)[1:] for block in blocks for line in block.splitlines()]


@pytest.fixture
def download(tmp_path: Path) -> Path:
    """The folder `thumos` as it is unpacked, with two videos for each part."""
    write_thumos(tmp_path)
    return tmp_path


def test_from_two_downloads_to_the_table(call: Any, download: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(download)
    dataset, train, evaluate, convert, *_ = commands()
    assert [one[0] for one in (dataset, train, evaluate, convert)] == ["dataset", "train", "evaluate", "convert"]
    found = call(*dataset)
    assert found.code == 0
    assert "thumos14 was published with 20 classes (here 2), 200 validation videos (here 2)" in found.err
    found = call(*train, *SMALLER)
    assert found.code == 0, found
    found = call(*evaluate)
    assert found.code == 0, found
    report = json.loads((download / "runs/thumos14/evaluation.json").read_text("utf-8"))
    assert report["tiou"] == [0.3, 0.4, 0.5, 0.6, 0.7]
    assert report["counts"]["ground_truths"] == 4
    assert 'offsets = "relu"' in (download / "runs/thumos14/config.toml").read_text("utf-8")
