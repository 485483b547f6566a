"""AFSD from outside: trained, resumed, evaluated, described, shown, asked for detections and for a stream."""

import json
import warnings
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.torch import load_file

from actionformer import load
from actionformer.core.errors import InputError
from actionformer.recipes import train
from actionformer.settings.config import Config
from actionformer.settings.loading import load_config
from actionformer.training.loop import Trainer
from actionformer.viewer.opening import open_project
from actionformer.viewer.options import ViewerOptions
from actionformer.viewer.project import UnavailableError
from actionformer.viewer.start import services_for

THIN = {"width": 32, "levels": 4, "frames_per_feature": 2}


@pytest.fixture(scope="module")
def config() -> Config:
    training = {"epochs": 2, "warmup_epochs": 1, "evaluate_every": 2, "batch_size": 4}
    return load_config("afsd_small", {"model": THIN, "data": {"window": 20}, "training": training})


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, config: Config, annotations: Path, features: Path) -> Path:
    out = tmp_path_factory.mktemp("afsd") / "run"
    quietly(config, annotations, features, out)
    return out


def quietly(config: Config, annotations: Path, features: Path, out: Path, *, resume: bool = False) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # three epochs teach little
        train(config, annotations, features, out, resume=resume)


def test_the_metrics_tell_the_parts_of_its_loss(model: Path) -> None:
    rows = [json.loads(line) for line in (model / "metrics.jsonl").read_text("utf-8").splitlines()]
    heads = ("location", "classification", "refined_location", "refined_classification")
    for row in rows:
        parts = (row[f"{part}_loss"] for part in (*heads, "center", "start", "end"))
        assert sum(parts) == pytest.approx(row["loss"])


def test_it_is_evaluated_described_and_detects(
    call: Callable[..., Any], model: Path, features: Path, tmp_path: Path
) -> None:
    assert call("evaluate", model).code == 0
    found = call("info", model)
    assert found.code == 0
    assert "afsd" in found.out
    assert call("detect", model, features / "video4.npy", "--out", tmp_path / "found.json").code == 0
    assert json.loads((tmp_path / "found.json").read_text())["results"].keys() == {"video4"}


def test_sequences_of_any_length_alone_and_beside_others(model: Path) -> None:
    detector = load(model).with_settings(decoding={"min_probability": 0.0}, suppression={"max_detections": 10_000})
    width = detector.config.model.input_width
    rng = np.random.default_rng(0)
    arrays = {f"{n}": rng.standard_normal((n, width)).astype(np.float32) for n in (1, 5, 20, 21, 61, 200)}
    together = detector.detect_many({name: {"features": array} for name, array in arrays.items()}, batch_size=5)
    for name, array in arrays.items():
        alone = detector.detect(array)
        assert len(alone) == len(together[name]) > 0
        np.testing.assert_allclose(np.sort(alone.scores), np.sort(together[name].scores), atol=1e-5)


def test_a_stream_is_refused_in_words(model: Path) -> None:
    with pytest.raises(InputError, match="cannot follow a stream"):
        load(model).stream(max_action_seconds=10)


def test_it_asks_for_one_length(config: Config, annotations: Path, features: Path, tmp_path: Path) -> None:
    whole = Config().replace(model={"detector": "afsd"})
    with pytest.raises(InputError, match=r"afsd takes sequences of one length: set data.window or data.resize"):
        train(whole, annotations, features, tmp_path / "run")


def test_resized_sequences_train_too(config: Config, annotations: Path, features: Path, tmp_path: Path) -> None:
    data = {"window": None, "resize": 20, "crop_ratio": [1.0, 1.0]}
    resized = config.replace(data=data, training={"epochs": 1})
    quietly(resized, annotations, features, tmp_path / "run")
    assert len(load(tmp_path / "run").detect(features / "video4.npy"))


def test_the_page_says_what_there_is_not(model: Path) -> None:
    project = open_project(ViewerOptions(model, (), None, None, None, None))
    with closing(services_for(project)) as services:
        network = services.network()
        assert network.candidates("video4", 0.0, 10.0, 3)["candidates"]
        with pytest.raises(UnavailableError, match="no levels to show"):
            network.scores("video4", 5, None, None)
        with pytest.raises(UnavailableError, match="no levels to show"):
            network.moment("video4", 1.0, 0)


class StoppedError(Exception):
    pass


def test_a_resumed_run_ends_as_one_that_was_never_stopped(
    tmp_path: Path, model: Path, config: Config, annotations: Path, features: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps, plain = [], Trainer.step

    def stopping(self: Trainer, batches: Any) -> Any:
        steps.append(1)
        if self.steps > self.total_steps // 2:
            raise StoppedError
        return plain(self, batches)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "step", stopping)
        with pytest.raises(StoppedError):
            quietly(config, annotations, features, tmp_path / "run")
    quietly(config, annotations, features, tmp_path / "run", resume=True)
    resumed, whole = (load_file(folder / "model.safetensors") for folder in (tmp_path / "run", model))
    assert resumed.keys() == whole.keys()
    assert all((resumed[name] == whole[name]).all() for name in whole)
