"""Weights & Biases: what its library is called with, by a stand-in of it, and that a resumed run goes on."""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from actionformer.core.errors import InputError
from actionformer.training.loggers.wandb import WeightsAndBiases


class Run:
    def __init__(self) -> None:
        self.logged: list[tuple[int, dict[str, float]]] = []
        self.exit_code: int | None = None

    def log(self, figures: dict[str, float], step: int) -> None:
        self.logged.append((step, figures))

    def finish(self, exit_code: int) -> None:
        self.exit_code = exit_code


class Library(ModuleType):
    """As much of wandb as is called."""

    def __init__(self) -> None:
        super().__init__("wandb")
        self.runs: list[Run] = []
        self.calls: list[dict[str, Any]] = []

    def init(self, **named: Any) -> Run:
        self.calls.append(named)
        self.runs.append(Run())
        return self.runs[-1]


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    found = Library()
    monkeypatch.setitem(sys.modules, "wandb", found)
    monkeypatch.delenv("WANDB_PROJECT", raising=False)
    return found


def started(run: Path, first_epoch: int = 0) -> WeightsAndBiases:
    logger = WeightsAndBiases()
    logger.start(run, {"model.width": 16}, first_epoch=first_epoch, steps_per_epoch=2)
    return logger


def test_figures_go_to_a_run_of_the_name_of_the_directory(library: Library, tmp_path: Path) -> None:
    logger = started(tmp_path / "mine")
    for step in (1, 2):
        logger.step(step, {"loss": 0.5})
    logger.epoch(0, {"loss": 0.5, "map@0.5": 0.25})
    logger.finish(failed=False)
    (call,), (run,) = library.calls, library.runs
    assert (call["project"], call["name"], call["resume"]) == ("actionformer", "mine", "allow")
    assert call["config"] == {"model.width": 16}
    assert Path(call["dir"]) == tmp_path / "mine" / "events"
    assert run.logged == [
        (1, {"step/loss": 0.5}),
        (2, {"step/loss": 0.5}),
        (2, {"epoch/loss": 0.5, "epoch/map_percent@0.5": 25.0, "epoch": 0}),
    ]
    assert run.exit_code == 0


def test_a_resumed_run_goes_on_in_the_same_one(library: Library, tmp_path: Path) -> None:
    started(tmp_path).finish(failed=True)
    again = started(tmp_path, first_epoch=3)
    again.epoch(3, {"loss": 0.5})
    started(tmp_path)  # from the beginning
    first, second, third = (call["id"] for call in library.calls)
    assert first == second != third
    assert library.runs[0].exit_code == 1
    assert library.runs[1].logged == [(6, {"epoch/loss": 0.5, "epoch": 3})]


def test_no_run_is_left_open_where_it_cannot_be_kept_which_it_is(library: Library, tmp_path: Path) -> None:
    (tmp_path / "events" / "wandb.json").mkdir(parents=True)
    with pytest.raises(InputError, match=r"wandb\.json: cannot write"):
        started(tmp_path)
    assert library.runs == []


def test_nobody_logged_in_is_said(library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: Any) -> None:
        raise RuntimeError("api_key not configured")

    monkeypatch.setattr(library, "init", refuse)
    with pytest.raises(InputError, match=r"cannot be used \(api_key not configured\): run `wandb login`, or set WANDB"):
        started(tmp_path)


def test_the_library_itself_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("wandb", reason="this needs the extra wandb; the tests above have a stand-in of it")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    for first_epoch in (0, 1):
        logger = started(tmp_path / "mine", first_epoch)
        logger.epoch(first_epoch, {"loss": 0.5})
        logger.finish(failed=False)
    runs = list((tmp_path / "mine" / "events" / "wandb").glob("offline-run-*/run-*.wandb"))
    assert len({run.name for run in runs}) == 1
