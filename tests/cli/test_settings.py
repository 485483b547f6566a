"""Caps from the command line: every setting of decoding and suppression is an option, and what is cut is said."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import Command, Refused
from variants import lively_detector as lively

from actionformer.cli.settings import given_settings
from actionformer.detectors.index import settings_of
from actionformer.model_directory import save_model
from actionformer.settings.base import descriptions
from actionformer.settings.config import Config


@pytest.fixture(scope="module")
def believing(tiny: Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that believes a lot, and beside it features of 400 and of 160 moments, two a second."""
    folder = tmp_path_factory.mktemp("believing")
    detector = lively(tiny)
    save_model(folder / "model", detector.model, detector.config, detector.card)
    np.save(folder / "short.npy", np.random.default_rng(0).standard_normal((160, 6)).astype(np.float32))
    np.save(folder / "long.npy", np.random.default_rng(0).standard_normal((400, 6)).astype(np.float32))
    return folder


def rows(result: Any) -> int:
    assert result.code == 0, result
    return len(result.out.splitlines()) - 1


def test_settings_are_options_of_detect(call: Command, refused: Refused, believing: Path) -> None:
    detect = ("detect", believing / "model", believing / "long.npy", "--format", "csv")
    result = call(*detect, "--suppression.max-detections", 3, "--suppression.cap-per", "video")
    assert rows(result) == 3
    assert result.err.startswith(f"warning: {believing / 'long.npy'}: kept 3 of ")
    assert "suppression.max_detections is 3 per video: raise it, or set suppression.cap_per to length" in result.err
    assert result.err.count("\n") == 1
    assert rows(call(*detect, "--suppression.max-detections", 3)) == 19  # 3 per 64 of 400
    every = call(*detect, "--suppression.max-detections", 10_000)
    assert (rows(every) > 400, every.err) == (True, "")
    assert 0 < rows(call(*detect, "--decoding.min-probability", 0.9)) < rows(every)
    hard = call(*detect, "--suppression.method", "hard", "--suppression.tiou-threshold", 0.0)
    assert rows(hard) == 3  # one of each class
    result = call(*detect, "--decoding.top-k", 5, "--decoding.cap-per", "video")
    assert rows(result) <= 3 * 5
    assert "decoding.top_k is 5 per level and video: raise it, or set decoding.cap_per to length" in result.err
    assert "suppression.max_detections" in refused(*detect, "--suppression.max-detections", 0)
    assert "Did you mean --suppression.sigma?" in refused(*detect, "--suppression.sgma", 1)
    assert "--decoding.cap-per" in refused(*detect, "--decoding.cap-per", "day")


def test_what_is_said_follows_the_least_score_that_is_shown(call: Command, believing: Path) -> None:
    detect = (
        "detect",
        believing / "model",
        believing / "long.npy",
        "--format",
        "csv",
        "--suppression.max-detections",
        20,
    )
    assert "that score 0.3 or more" in call(*detect).err
    assert "that score 0.1 or more" in call(*detect, "--min-score", 0.1).err
    assert "kept" not in call(*detect, "--min-score", 0.999).err


def test_one_live_setting_alone(call: Command, believing: Path) -> None:
    detect = (
        "detect",
        believing / "model",
        believing / "short.npy",
        "--format",
        "csv",
        "--suppression.max-detections",
        20,
    )
    assert rows(call(*detect, "--max-action-seconds", 10)) == 50  # 20 per 64 of 160, as without
    assert rows(call(*detect, "--max-per-hour", 180)) == 4  # in 80 s
    assert rows(call(*detect, "--max-per-hour", 180, "--max-action-seconds", 10)) == 4
    live = call("watch", believing / "model", believing / "short.npy", "--format", "csv",
                "--max-action-seconds", 10, "--suppression.max-detections", 20)  # fmt: skip
    assert rows(live) == 50
    assert f"warning: {believing / 'short.npy'}: kept " in live.err


def test_evaluate_takes_them_too(call: Command, run: Path) -> None:
    result = call("evaluate", run, "--suppression.max-detections", 2, "--suppression.cap-per", "video")
    assert result.code == 0
    found = json.loads((run / "detections.json").read_text("utf-8"))["results"]
    assert {len(actions) for actions in found.values()} == {2}


def test_former_names_of_settings_work_and_say_what_to_write(call: Command, refused: Refused, tmp_path: Path) -> None:
    train = ("train", "hapt", "--annotations", "a", "--features", "f", "--out", tmp_path / "run")
    result = call(*train, "--model.prior", 0.02, "--model.padding", "clean", "--model.window", 5)
    assert result.err.splitlines()[:-1] == [
        "warning: --model.padding is now called --model.mask-padding",
        "warning: --model.prior is now called --model.class-prior",
    ]
    assert result.err.splitlines()[-1].startswith("error: a: cannot read")
    assert "model.class_prior: " in call(*train, "--model.prior", 2).err
    assert "--model.prior " not in call("train", "--help").out


def test_settings_of_every_detector_are_options(call: Command, refused: Refused, tmp_path: Path) -> None:
    train = ("train", "tridet_small", "--annotations", "a", "--features", "f", "--out", tmp_path / "run")
    assert refused(*train, "--model.window", 5, "--model.position", "none").startswith("error: a: cannot read")
    assert "model: window must be odd, found 4" in refused(*train, "--model.window", 4)
    assert "model.position: " in refused(*train, "--model.position", "learned")
    help_ = " ".join(call("train", "--help").out.replace("│", " ").split())
    of_both = [descriptions(settings_of(one))["window"] for one in ("actionformer", "tridet")]
    assert "actionformer: {} tridet: {}".format(*of_both) in help_
    assert f"tridet: {descriptions(settings_of('tridet'))['window_factor']}" in help_


@dataclass(frozen=True)
class Given:
    """What the command line gives, before it is read."""

    model: dict[str, Any]
    evaluation: dict[str, Any]


def test_a_list_of_one_stays_a_list_where_only_lists_fit() -> None:
    given = Given(model={"window": [5], "input_dim": [3, 4]}, evaluation={"tiou": [0.5]})
    assert given_settings(given) == {"model": {"window": 5, "input_dim": [3, 4]}, "evaluation": {"tiou": [0.5]}}
