"""Who is told how training goes: functions, loggers of one's own, and what becomes of those that fail."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from actionformer.core.errors import InputError
from actionformer.core.progress import Progress
from actionformer.model_directory import load_settings
from actionformer.recipes.folds import cross_validate
from actionformer.recipes.train import train
from actionformer.settings.config import Config
from actionformer.training.loggers.base import Logger


class Kept:
    """A logger that keeps what it is told."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def start(self, run: Path, settings: Mapping[str, Any], *, first_epoch: int, steps_per_epoch: int) -> None:
        self.calls.append(("start", run, settings["model.width"], first_epoch, steps_per_epoch))

    def step(self, step: int, metrics: Mapping[str, float]) -> None:
        self.calls.append(("step", step, metrics["loss"]))

    def epoch(self, epoch: int, metrics: Mapping[str, float]) -> None:
        self.calls.append(("epoch", epoch, metrics.get("map")))

    def finish(self, *, failed: bool) -> None:
        self.calls.append(("finish", failed))


class Interrupted(Exception):  # noqa: N818
    pass


def test_a_logger_is_told_all_of_a_run_and_of_its_second_half(
    tmp_path: Path, tiny: Config, annotations: Path, features: Path
) -> None:
    first, second = Kept(), Kept()
    logger: Logger = first  # it has what the contract asks for

    def stop(progress: Progress) -> None:
        if progress.unit == "step" and progress.done == 4:
            raise Interrupted

    with pytest.raises(Interrupted):
        train(tiny, annotations, features, tmp_path / "run", log=[logger], on_progress=stop)
    train(tiny, annotations, features, tmp_path / "run", log=[second], resume=True)
    assert first.calls[0] == ("start", tmp_path / "run", 16, 0, 2)
    assert first.calls[-1] == ("finish", True)
    assert [call[1] for call in first.calls if call[0] == "step"] == [1, 2, 3, 4]
    assert second.calls[0] == ("start", tmp_path / "run", 16, 1, 2)
    assert [call[1] for call in second.calls if call[0] == "step"] == [3, 4, 5, 6]
    assert [call[1] for call in second.calls if call[0] == "epoch"] == [1, 2]
    assert second.calls[-2][2] is not None
    assert second.calls[-1] == ("finish", False)
    twice = [call for call in first.calls if call[0] == "step" and call[1] in (3, 4)]
    assert twice == second.calls[1:3]  # what comes again is the same
    assert not (tmp_path / "run" / "events").exists()


def test_progress_counts_steps_and_epochs(tmp_path: Path, tiny: Config, annotations: Path, features: Path) -> None:
    told: list[Progress] = []
    train(tiny, annotations, features, tmp_path / "run", on_progress=told.append)
    steps = [one for one in told if one.unit == "step"]
    assert [(one.done, one.total) for one in steps] == [(step, 6) for step in range(1, 7)]
    assert all("loss" in one.figures for one in steps)
    epochs = [one for one in told if one.unit == "epoch"]
    assert [(one.done, one.total) for one in epochs] == [(1, 3), (2, 3), (3, 3)]
    assert 0 <= epochs[-1].figures["map"] <= 1


def test_who_ends_a_training_after_an_epoch_has_its_model(
    tmp_path: Path, tiny: Config, annotations: Path, features: Path
) -> None:
    figures: list[float] = []

    def stop(progress: Progress) -> None:
        if progress.unit == "epoch" and "map" in progress.figures:
            figures.append(progress.figures["map"])
            raise Interrupted

    with pytest.raises(Interrupted):
        train(tiny, annotations, features, tmp_path / "run", on_progress=stop)
    (told,) = figures
    for folder in (tmp_path / "run", tmp_path / "run" / "best"):
        card = load_settings(folder)[1]
        assert (card.training["epochs"], card.metrics["map"]) == (2, told)
    epochs: list[int] = []
    train(
        tiny,
        annotations,
        features,
        tmp_path / "run",
        resume=True,
        on_progress=lambda one: epochs.append(one.done) if one.unit == "epoch" else None,
    )
    assert epochs == [3]


def test_a_logger_that_fails_is_said_once_and_training_goes_on(
    tmp_path: Path, tiny: Config, annotations: Path, features: Path
) -> None:
    class Failing(Kept):
        def epoch(self, epoch: int, metrics: Mapping[str, float]) -> None:
            raise ConnectionError("the server\nis gone")

    failing, other = Failing(), Kept()
    with pytest.warns(UserWarning, match="Failing: failed .the server is gone.: training goes on without it") as told:
        train(tiny, annotations, features, tmp_path / "run", log=[failing, other])
    assert len(told) == 1
    assert [call[0] for call in failing.calls] == ["start", "step", "step", "finish"]
    assert [call[0] for call in other.calls].count("epoch") == 3


def test_every_logger_is_ended_once(tmp_path: Path, tiny: Config, annotations: Path, features: Path) -> None:
    class Failing(Kept):
        def finish(self, *, failed: bool) -> None:
            super().finish(failed=failed)
            raise ConnectionError("the server is gone")

    class Stopped(Kept):
        def finish(self, *, failed: bool) -> None:
            super().finish(failed=failed)
            raise KeyboardInterrupt

    failing, stopped, last = Failing(), Stopped(), Kept()
    with (
        pytest.warns(UserWarning, match=r"Failing: failed at the end .the server is gone.: look whether it has all"),
        pytest.raises(KeyboardInterrupt),
    ):
        train(tiny, annotations, features, tmp_path / "run", log=[failing, stopped, last])
    for logger in (failing, stopped, last):
        assert [call for call in logger.calls if call[0] == "finish"] == [("finish", False)]


@pytest.mark.parametrize(("number", "said"), [(0, False), (1, True)])
def test_who_stops_a_training_hears_how_to_go_on(
    tmp_path: Path, tiny: Config, annotations: Path, features: Path, number: int, said: bool
) -> None:
    class Stopping(Kept):
        def epoch(self, epoch: int, metrics: Mapping[str, float]) -> None:
            if epoch == number:
                raise KeyboardInterrupt

    heard = io.StringIO()
    with pytest.raises(KeyboardInterrupt):
        train(tiny, annotations, features, tmp_path / "run", log=[Stopping()], console=Console(file=heard))
    assert ("stopped: --resume goes on after the last epoch that had ended" in heard.getvalue()) == said


def test_a_logger_that_cannot_start_ends_the_call(
    tmp_path: Path, tiny: Config, annotations: Path, features: Path
) -> None:
    class Refusing(Kept):
        def start(self, run: Path, settings: Mapping[str, Any], *, first_epoch: int, steps_per_epoch: int) -> None:
            raise InputError("nobody is logged in")

    before, refusing = Kept(), Refusing()
    with pytest.raises(InputError, match="nobody is logged in"):
        train(tiny, annotations, features, tmp_path / "run", log=[before, refusing])
    assert before.calls[1:] == [("finish", True)]
    assert refusing.calls == [("finish", True)]
    with pytest.raises(InputError, match=r"log: no logger 'mlfow', did you mean 'mlflow'\?"):
        train(tiny, annotations, features, tmp_path / "other", log=["mlfow"])
    assert not (tmp_path / "other").exists()


def test_every_fold_is_logged(tmp_path: Path, tiny: Config, annotations: Path, features: Path) -> None:
    kept = Kept()
    short = tiny.replace(training={"epochs": 1, "warmup_epochs": 0})
    with pytest.warns(UserWarning, match="."):
        cross_validate(short, annotations, features, tmp_path / "run", folds=2, log=[kept])
    started = [call[1] for call in kept.calls if call[0] == "start"]
    assert started == [tmp_path / "run" / "fold_1", tmp_path / "run" / "fold_2"]


def test_a_logger_that_cannot_start_is_told_before_the_run_there_is_removed(
    tiny: Config, annotations: Path, features: Path, run: Path
) -> None:
    class Away(Kept):
        def check(self) -> None:
            raise InputError("nobody is there")

    before = {path.name: path.stat().st_mtime_ns for path in run.iterdir() if path.is_file()}
    with pytest.raises(InputError, match="nobody is there"):
        train(tiny, annotations, features, run, overwrite=True, log=[Away()])
    assert {name: (run / name).stat().st_mtime_ns for name in before} == before
