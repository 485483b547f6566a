"""G-TAD: what it refuses, a map without neighbours, conventions; the rest is in `test_base_one_length`."""

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch

from actionformer import Config, load
from actionformer.core.errors import InputError
from actionformer.detectors.base import architecture_of
from actionformer.nn.assignment import GroundTruth
from actionformer.recipes.train import train
from actionformer.settings.loading import load_config

THIN = {"width": 16, "graph_groups": 4, "bins": 8, "neighbor_bins": 4, "max_length": 32}


@pytest.fixture(scope="module")
def config() -> Config:
    training = {"epochs": 3, "warmup_epochs": 1, "batch_size": 2, "evaluate_every": 2}
    return load_config("gtad_small", {"model": THIN, "training": training, "data": {"window": 32}})


def trained(config: Config, annotations: Path, features: Path, out: Path) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # few epochs teach little
        train(config, annotations, features, out)
    return out


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
