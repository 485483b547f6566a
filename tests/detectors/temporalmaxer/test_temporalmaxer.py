"""TemporalMaxer from outside: trained, stopped and resumed, evaluated, described, run on any length."""

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import Command

from actionformer.cli import main
from actionformer.training.loop import Trainer

THIN = ("--model.width", 16, "--model.branch-blocks", 2, "--model.regression-ranges", 0, 4, 4, 8, 8, 1000,
        "--model.max-length", 64, "--training.epochs", 2, "--training.warmup-epochs", 1)  # fmt: skip
GROUPNORM = ("--model.level-norm", "groupnorm", "--model.offset-target", "cheapest")


def command(annotations: Path, features: Path, out: Path, *options: Any) -> list[str]:
    data = ("--annotations", annotations, "--features", features, "--out", out)
    return [str(one) for one in ("train", "temporalmaxer_small", *data, *THIN, *options)]


@pytest.fixture(scope="module", params=[(), GROUPNORM], ids=["layernorm", "groupnorm, cheapest offsets"])
def options(request: pytest.FixtureRequest) -> tuple[str, ...]:
    found: tuple[str, ...] = request.param
    return found


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, annotations: Path, features: Path, options: Any) -> Path:
    """A run that was never stopped; a video of it has no action."""
    out = tmp_path_factory.mktemp("temporalmaxer") / "run"
    arguments = command(annotations, features, out, *options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # two epochs teach little
        with pytest.raises(SystemExit) as end:
            main(arguments)
    assert not end.value.code
    return out


def test_it_is_evaluated_and_described(call: Command, model: Path) -> None:
    assert 'detector = "temporalmaxer"' in (model / "config.toml").read_text("utf-8")
    assert call("evaluate", model).code == 0
    found = call("info", model)
    assert found.code == 0
    assert "pyramid" in found.out


def test_a_run_that_was_stopped_ends_as_one_that_was_not(
    tmp_path: Path, model: Path, annotations: Path, features: Path, options: Any, monkeypatch: pytest.MonkeyPatch,
    call: Command,
) -> None:  # fmt: skip
    train, plain = command(annotations, features, tmp_path / "run", *options), Trainer.step

    def stopping(self: Trainer, batches: Any) -> Any:
        if self.steps == 4:  # of six, in the last epoch of three
            raise KeyboardInterrupt
        return plain(self, batches)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "step", stopping)
        assert call(*train).code == 130
    assert call(*train, "--resume").code == 0
    assert (tmp_path / "run" / "model.safetensors").read_bytes() == (model / "model.safetensors").read_bytes()


@pytest.mark.parametrize("length", [1, 63, 5000])
def test_it_detects_in_features_of_any_length(call: Command, model: Path, tmp_path: Path, length: int) -> None:
    """5,000 are run in chunks: nothing is said of a pass in one piece."""
    np.save(tmp_path / "video.npy", np.random.default_rng(0).standard_normal((length, 6)).astype(np.float32))
    found = call("detect", model, tmp_path / "video.npy", "--out", tmp_path / "found.json", "--min-score", 0)
    assert found.code == 0, found.err
    assert "one pass" not in found.err
    assert json.loads((tmp_path / "found.json").read_text("utf-8"))["results"]["video"]
