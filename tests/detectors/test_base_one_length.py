"""What every detector that takes one length keeps to: in windows it is trained, resumed, evaluated, shown and asked."""

import json
import warnings
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.torch import load_file
from stopping import stopped_in_epoch

from actionformer import Config, load
from actionformer.core.errors import InputError
from actionformer.detectors.base import architecture_of
from actionformer.detectors.index import ARCHITECTURES, imported
from actionformer.recipes.train import train
from actionformer.settings.loading import load_config
from actionformer.viewer.opening import open_project
from actionformer.viewer.options import ViewerOptions
from actionformer.viewer.project import UnavailableError
from actionformer.viewer.start import services_for

THIN: dict[str, dict[str, Any]] = {
    "afsd": {"width": 32, "levels": 4, "frames_per_feature": 2},
    "bmn": {"width": 16, "bins": 8, "max_length": 32},
    "gtad": {"width": 16, "graph_groups": 4, "bins": 8, "neighbor_bins": 4, "max_length": 32},
    "tadtr": {
        "width": 32, "mlp_width": 48, "num_heads": 2, "num_queries": 8, "encoder_layers": 1, "decoder_layers": 2,
        "roi_bins": 4,
    },
}  # fmt: skip
"""Detector -> settings with which it is trained in seconds."""
WINDOW = 24


@pytest.fixture(scope="module", params=THIN)
def config(request: pytest.FixtureRequest) -> Config:
    training = {"epochs": 2, "warmup_epochs": 1, "evaluate_every": 2, "batch_size": 4, "drop_epochs": []}
    settings = {"model": THIN[request.param], "data": {"window": WINDOW}, "training": training}
    return load_config(f"{request.param}_small", settings)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, config: Config, annotations: Path, features: Path) -> Path:
    return trained(config, annotations, features, tmp_path_factory.mktemp("one_length") / "run")


def trained(config: Config, annotations: Path, features: Path, out: Path, *, resume: bool = False) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # few epochs teach little
        train(config, annotations, features, out, resume=resume)
    return out


def test_none_is_left_out() -> None:
    assert {name for name, path in ARCHITECTURES.items() if imported(path).one_length} == THIN.keys()


def test_the_metrics_tell_the_parts_of_its_loss(model: Path) -> None:
    for line in (model / "metrics.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        parts = [value for name, value in row.items() if name.endswith("_loss")]
        assert len(parts) > 1
        assert sum(parts) == pytest.approx(row["loss"])


def test_verbs_take_it(
    call: Callable[..., Any],
    refused: Callable[..., Any],
    config: Config,
    model: Path,
    features: Path,
    tmp_path: Path,
) -> None:
    assert call("evaluate", model).code == 0
    assert config.model.detector in call("info", model).out
    assert call("detect", model, features / "video4.npy", "--out", tmp_path / "found.json").code == 0
    assert json.loads((tmp_path / "found.json").read_text("utf-8"))["results"].keys() == {"video4"}
    assert "cannot follow a stream" in refused("watch", model, features / "video4.npy")


def test_sequences_of_any_length_alone_and_beside_others(model: Path) -> None:
    every = {"max_detections": 10_000}
    detector = load(model).with_settings(decoding={"min_probability": 0.0}, suppression=every)
    rng = np.random.default_rng(0)
    width = detector.config.model.input_width
    lengths = (1, 2, WINDOW - 1, WINDOW, WINDOW + 1, 61, 150)
    videos = {f"{length}": rng.standard_normal((length, width), dtype=np.float32) for length in lengths}
    together = detector.detect_many(videos, batch_size=5)
    for name, array in videos.items():
        alone = detector.detect(array)
        assert len(alone) == len(together[name])
        np.testing.assert_allclose(alone.scores, together[name].scores, atol=1e-5)
        assert alone.segments.max(initial=0.0) <= 0.5 * int(name) + 0.5  # two features a second, of a second each
    assert len(together["150"])


def test_a_resumed_run_ends_as_one_that_was_never_stopped(
    tmp_path: Path, model: Path, config: Config, annotations: Path, features: Path
) -> None:
    with stopped_in_epoch(2):
        trained(config, annotations, features, tmp_path / "run")
    trained(config, annotations, features, tmp_path / "run", resume=True)
    resumed, whole = (load_file(folder / "model.safetensors") for folder in (tmp_path / "run", model))
    assert resumed.keys() == whole.keys()
    assert all((resumed[name] == whole[name]).all() for name in whole)


def test_resized_sequences(tmp_path: Path, config: Config, annotations: Path, features: Path) -> None:
    resized = config.replace(
        data={"window": None, "resize": 16, "crop_ratio": [1.0, 1.0]},
        suppression={"window_tiou": None, "per_window": False},
        training={"epochs": 1},
    )
    run = trained(resized, annotations, features, tmp_path / "run")
    assert len(load(run).with_settings(decoding={"min_probability": 0.0}).detect(features / "video4.npy"))


def test_it_asks_for_one_length(config: Config) -> None:
    name = config.model.detector
    with pytest.raises(InputError, match=rf"{name} takes sequences of one length: set data.window or data.resize"):
        architecture_of(Config().replace(model={"detector": name, "input_dim": 6, "num_classes": 2}))


def test_the_page_says_what_there_is_not(model: Path) -> None:
    project = open_project(ViewerOptions(model, (), None, None, None, None))
    detector = load(model)
    looks = architecture_of(detector.config).sampling(detector.model) is not None
    with closing(services_for(project)) as services:
        network = services.network()
        assert network.candidates("video4", 0.0, 10.0, 3)["candidates"]
        with pytest.raises(UnavailableError, match=r"levels of a pyramid .* which \w+ does not have"):
            network.scores("video4", 5, None, None)
        if not looks:
            with pytest.raises(UnavailableError, match=r"levels of a pyramid .* which \w+ does not have"):
                network.moment("video4", 1.0, 0)
