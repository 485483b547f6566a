"""What people see of training: the plan, a line an epoch in a log, the last evaluation in a terminal."""

import io
import json
import re
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from rich.console import Console

from actionformer.core.errors import InputError
from actionformer.core.run_files import METRICS
from actionformer.training.loggers.base import named
from actionformer.training.metrics_log import MetricsLog
from actionformer.training.progress import TrainingProgress


def figures(**more: float) -> dict[str, float]:
    return {
        "loss": 0.5,
        "classification_loss": 0.3,
        "regression_loss": 0.2,
        "learning_rate": 1e-4,
        "normalizer": 10.0,
        **more,
    }


def written(path: Path, *epochs: dict[str, float], terminal: bool = False, first_epoch: int = 0, **of: Any) -> str:
    text = io.StringIO()
    console = Console(file=text, force_terminal=terminal, width=100, color_system=None)
    plan = {"epochs": 5, "warmup_epochs": 2, "steps_per_epoch": 1, **of}
    progress = TrainingProgress(console, first_epoch=first_epoch, **plan)
    with MetricsLog(path, first_epoch=first_epoch, steps_per_epoch=1, progress=progress) as log:
        for epoch, metrics in enumerate(epochs, first_epoch):
            log.step(epoch + 1, metrics)
            log.epoch(epoch, metrics)
            log.saved(epoch, metrics)
    return text.getvalue()


def test_log_begins_with_the_epochs_and_has_a_line_of_each(tmp_path: Path) -> None:
    lines = written(tmp_path, figures(), figures(map=0.456)).splitlines()
    assert lines[0] == "training: 5 epochs: 2 of warm-up, then 3"
    assert lines[1].startswith("epoch 1 of 5: loss 0.5000 (classification 0.3000, regression 0.2000), rate 0.0001, ")
    assert lines[1].endswith(" s left")
    assert "mAP 45.6%" in lines[2]
    assert len(lines) == 3


def test_no_logger_is_left_open_by_a_log_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / METRICS).mkdir()
    logger, progress = (
        Mock(),
        TrainingProgress(Console(quiet=True), first_epoch=0, epochs=1, warmup_epochs=0, steps_per_epoch=1),
    )
    with pytest.raises(InputError, match="there is a folder of that name"):
        MetricsLog(tmp_path, first_epoch=0, steps_per_epoch=1, progress=progress, loggers=[logger]).__enter__()
    logger.start.assert_not_called()


def test_parts_of_a_loss_have_the_names_that_their_detector_gives(tmp_path: Path) -> None:
    metrics = {"matching_loss": 0.25, "loss": 0.25, "learning_rate": 1e-4}
    log = written(tmp_path, metrics, metrics | {"matching_loss": 0.125, "loss": 0.125}, warmup_epochs=0)
    assert "epoch 2 of 5: loss 0.1250 (matching 0.1250), rate 0.0001, " in log


def test_plan_without_warm_up_and_of_a_resumed_run(tmp_path: Path) -> None:
    assert written(tmp_path, warmup_epochs=0) == "training: 5 epochs\n"
    assert written(tmp_path, first_epoch=3) == "training: 5 epochs: 2 of warm-up, then 3; 3 are done\n"
    assert written(tmp_path, first_epoch=1).endswith("; 1 is done\n")


def test_terminal_shows_the_last_evaluation_and_no_lines(tmp_path: Path) -> None:
    text = written(tmp_path, figures(map=0.1), figures(map=0.456), terminal=True)
    assert re.findall(r"mAP ([0-9.]+)%", text)[-1] == "45.6"
    assert "epoch 1 of" not in text


def test_metrics_are_shares_and_loggers_show_percent(tmp_path: Path) -> None:
    written(tmp_path, figures(map=0.456, **{"map@0.5": 0.5}))
    (line,) = (tmp_path / "metrics.jsonl").read_text("utf-8").splitlines()
    assert (json.loads(line)["map"], json.loads(line)["map@0.5"]) == (0.456, 0.5)
    told = named("epoch", json.loads(line))
    assert told["epoch/map_percent"] == pytest.approx(45.6)
    assert told["epoch/map_percent@0.5"] == pytest.approx(50)
    assert told["epoch/loss"] == 0.5


def test_loss_that_grows_is_said_once(tmp_path: Path) -> None:
    """As a sum: what it is divided by falls in the first steps of every run, and the loss rises with that."""
    written(tmp_path, figures(normalizer=100.0), figures(loss=2.5, normalizer=20.0))
    with pytest.warns(UserWarning, match=r"loss of epoch 2 is 3.0 times .* lower training.learning_rate") as said:
        written(tmp_path, figures(), figures(loss=1.5), figures(loss=9.0))
    assert len(said) == 1
    with pytest.warns(UserWarning, match=r"loss of epoch 2 is 4.0 times"):  # of a detector that divides by nothing
        written(tmp_path, {"loss": 0.5, "learning_rate": 1e-4}, {"loss": 2.0, "learning_rate": 1e-4})
