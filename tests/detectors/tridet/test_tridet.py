"""TriDet from outside: trained, resumed, evaluated, described, asked for detections and for a stream."""

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from actionformer import load
from actionformer.core.errors import InputError
from actionformer.recipes.train import train
from actionformer.settings.config import Config
from actionformer.settings.loading import load_config

THIN = {"width": 16, "mlp_width": 32, "branch_blocks": 2, "regression_ranges": [[0, 4], [4, 8], [8, 1000]]}


@pytest.fixture(scope="module")
def config() -> Config:
    training = {"epochs": 2, "warmup_epochs": 1, "evaluate_every": 2}
    return load_config("tridet_small", {"model": THIN | {"max_length": 64}, "training": training})


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, config: Config, annotations: Path, features: Path) -> Path:
    out = tmp_path_factory.mktemp("tridet") / "run"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # two epochs teach little
        train(config, annotations, features, out)
    return out


def test_it_is_evaluated_described_and_detects(
    call: Callable[..., Any], model: Path, annotations: Path, features: Path, tmp_path: Path
) -> None:
    assert call("evaluate", model).code == 0
    found = call("info", model)
    assert found.code == 0
    assert "tridet" in found.out
    assert call("detect", model, features / "video4.npy", "--out", tmp_path / "found.json").code == 0
    assert json.loads((tmp_path / "found.json").read_text())["results"].keys() == {"video4"}


def test_a_stream_is_refused_in_words(model: Path) -> None:
    with pytest.raises(InputError, match="cannot follow a stream: it sees a sequence as a whole"):
        load(model).stream(max_action_seconds=10)


class StoppedError(Exception):
    pass


def test_a_resumed_run_ends_as_one_that_was_never_stopped(
    tmp_path: Path, model: Path, config: Config, annotations: Path, features: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from actionformer.training.loop import Trainer

    steps, plain = [], Trainer.step

    def stopping(self: Trainer, batches: Any) -> Any:
        steps.append(1)
        if len(steps) > 5:
            raise StoppedError
        return plain(self, batches)

    with monkeypatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        patch.setattr(Trainer, "step", stopping)
        with pytest.raises(StoppedError):
            train(config, annotations, features, tmp_path / "run")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        train(config, annotations, features, tmp_path / "run", resume=True)
    resumed, whole = (load_file(folder / "model.safetensors") for folder in (tmp_path / "run", model))
    assert resumed.keys() == whole.keys()
    assert all((resumed[name] == whole[name]).all() for name in whole)
