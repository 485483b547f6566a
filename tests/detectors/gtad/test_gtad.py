"""G-TAD from outside: trained, resumed, evaluated, asked for detections; what is refused."""

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from actionformer import Config, load
from actionformer.core.errors import InputError
from actionformer.detectors.base import architecture_of
from actionformer.nn.assignment import GroundTruth
from actionformer.recipes import train
from actionformer.settings.loading import load_config
from actionformer.training.loop import Metrics
from actionformer.training.progress import TrainingProgress

THIN = {"width": 16, "graph_groups": 4, "bins": 8, "neighbor_bins": 4, "max_length": 32}


@pytest.fixture(scope="module")
def config() -> Config:
    training = {"epochs": 3, "warmup_epochs": 1, "batch_size": 2, "evaluate_every": 2}
    return load_config("gtad_small", {"model": THIN, "training": training, "data": {"window": 32}})


def trained(config: Config, annotations: Path, features: Path, out: Path, *, resume: bool = False) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # few epochs teach little
        train(config, annotations, features, out, resume=resume)
    return out


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, config: Config, annotations: Path, features: Path) -> Path:
    return trained(config, annotations, features, tmp_path_factory.mktemp("gtad") / "run")


def test_it_is_trained_evaluated_described_and_detects(
    call: Callable[..., Any], refused: Callable[..., Any], model: Path, features: Path, tmp_path: Path
) -> None:
    row = json.loads((model / "metrics.jsonl").read_text("utf-8").splitlines()[-1])
    parts = ("boundaries_loss", "overlap_loss", "classes_loss")
    assert sum(row[part] for part in parts) == pytest.approx(row["loss"])
    assert call("evaluate", model).code == 0
    assert "gtad" in call("info", model).out
    assert call("detect", model, features / "video4.npy", "--out", tmp_path / "found.json").code == 0
    assert json.loads((tmp_path / "found.json").read_text("utf-8"))["results"]["video4"]
    assert "cannot follow a stream" in refused("watch", model, features / "video4.npy")


def test_windows_of_any_length_and_batch_mates_change_nothing(model: Path) -> None:
    detector = load(model)
    rng = np.random.default_rng(0)
    videos = {f"{n}": rng.standard_normal((n, 6), dtype=np.float32) for n in (1, 2, 31, 32, 33, 80, 150)}
    together = detector.detect_many(videos, batch_size=5)
    for name, features in videos.items():
        alone = detector.detect(features)
        assert len(alone) == len(together[name])
        np.testing.assert_allclose(alone.segments, together[name].segments, atol=1e-5)
        np.testing.assert_allclose(alone.scores, together[name].scores, atol=1e-5)
        assert alone.segments.max(initial=0.0) <= 0.5 * int(name) + 0.5


def test_a_resumed_run_ends_as_one_that_was_never_stopped(
    tmp_path: Path, model: Path, config: Config, annotations: Path, features: Path
) -> None:
    class StoppedError(Exception):
        pass

    epochs, plain = [], TrainingProgress.epoch

    def stop(self: TrainingProgress, epoch: int, metrics: Metrics) -> None:
        epochs.append(epoch)
        if len(epochs) > 2:
            raise StoppedError
        plain(self, epoch, metrics)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TrainingProgress, "epoch", stop)
        with pytest.raises(StoppedError):
            trained(config, annotations, features, tmp_path / "run")
    trained(config, annotations, features, tmp_path / "run", resume=True)
    resumed, whole = (load_file(folder / "model.safetensors") for folder in (tmp_path / "run", model))
    assert resumed.keys() == whole.keys()
    assert all((resumed[name] == whole[name]).all() for name in whole)


def test_resized_sequences_whose_segments_do_not_see_those_beside_them(
    tmp_path: Path, config: Config, annotations: Path, features: Path
) -> None:
    resized = config.replace(data={"window": None, "resize": 16}, training={"epochs": 1}, model={"map_kernel": 1})
    run = trained(resized, annotations, features, tmp_path / "run")
    assert len(load(run).detect(features / "video4.npy"))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"max_duration": 200, "max_length": 128}, "max_duration 200 is longer than max_length 128"),
        ({"map_kernel": 2}, "model.map_kernel"),
        ({"num_neighbors": 0}, "model.num_neighbors"),
        ({"width": 16_384, "bins": 256}, "weights, at most"),
    ],
)
def test_settings_that_do_not_fit(model: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Config().replace(model={"detector": "gtad"} | model)


def test_it_takes_sequences_of_one_length_only() -> None:
    with pytest.raises(InputError, match=r"gtad takes sequences of one length: set data.window or data.resize"):
        architecture_of(Config().replace(model={"detector": "gtad", "input_dim": 6, "num_classes": 2}))


@pytest.mark.parametrize("convention", ["opentad", "thumos14", "activitynet"])
def test_published_conventions_train_too(config: Config, convention: str) -> None:
    """A step on nothing but noise; the loss is finite, and every weight learns."""
    complete = config.replace(model={"input_dim": 6, "num_classes": 2, "convention": convention})
    architecture = architecture_of(complete)
    network = architecture.network()
    truth = GroundTruth([torch.tensor([[3.2, 9.0], [12.0, 20.5]])], [torch.tensor([0, 1])], [32], 32)
    (loss,) = architecture.criterion().losses([truth], torch.device("cpu"))
    total = torch.stack(list(loss(network(torch.randn(1, 32, 6))).values())).sum()
    total.backward()
    assert total.isfinite()
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in network.parameters())
