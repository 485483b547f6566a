"""TadTR: its dropped rate, windows run together, where it looks; the rest is in `test_base_one_length`."""

import json
import warnings
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from actionformer import load
from actionformer.core.errors import InputError
from actionformer.features import TIMING
from actionformer.inference.sequences import place
from actionformer.inference.windows import windows_of
from actionformer.recipes.train import train
from actionformer.settings.config import Config
from actionformer.settings.loading import load_config
from actionformer.viewer.opening import open_project
from actionformer.viewer.options import ViewerOptions
from actionformer.viewer.start import services_for

THIN = {
    "width": 32, "mlp_width": 48, "num_heads": 2, "num_queries": 8, "encoder_layers": 1, "decoder_layers": 2,
    "roi_bins": 4,
}  # fmt: skip


@pytest.fixture(scope="module")
def config() -> Config:
    training = {"epochs": 3, "drop_epochs": [2], "evaluate_every": 2, "batch_size": 4}
    return load_config("tadtr_small", {"model": THIN, "data": {"window": 24}, "training": training})


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, config: Config, annotations: Path, features: Path) -> Path:
    out = tmp_path_factory.mktemp("tadtr") / "run"
    quietly(config, annotations, features, out)
    return out


def quietly(config: Config, annotations: Path, features: Path, out: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # three epochs teach little
        train(config, annotations, features, out)


def test_the_metrics_tell_the_parts_of_its_loss_and_the_dropped_rate(model: Path) -> None:
    rows = [json.loads(line) for line in (model / "metrics.jsonl").read_text("utf-8").splitlines()]
    parts = ("classification", "segment", "iou", "actionness")
    for row in rows:
        assert sum(row[f"{part}_loss"] for part in parts) == pytest.approx(row["loss"])
    assert [row["learning_rate"] for row in rows] == pytest.approx([5e-4, 5e-4, 5e-5])


def test_windows_run_together(model: Path) -> None:
    """Of 24 features every 18 there are 17 in a sequence of 300; a processor computes 16 at once."""
    detector = load(model)
    features = np.zeros((300, detector.config.model.input_width), np.float32)
    sequence = place(features, dict.fromkeys(TIMING), None, detector.config, detector.card.features)
    windows = [window.sequence for window in windows_of([sequence], detector.config.data)]
    assert [len(batch) for batch in detector.runner.batches(windows)] == [16, 1]
    assert {len(batch) for batch in detector.runner.batches(windows, 1)} == {1}


def test_features_that_the_network_cannot_bear_are_named(model: Path) -> None:
    detector = load(model)
    features = np.ones((40, detector.config.model.input_width), np.float32)
    features[7] = 1e30  # the norm's variance overflows
    with pytest.raises(InputError, match="row 7"):
        detector.detect(features)


def test_the_page_shows_where_it_looks(model: Path) -> None:
    project = open_project(ViewerOptions(model, (), None, None, None, None))
    with closing(services_for(project)) as services:
        network = services.network()
        moment = network.moment("video4", 1.0, 0)
        assert (moment["levels"], moment["why_not"], moment["attention"]["cost"]) == ([], None, None)
        assert moment["attention"]["places"] == 4
        assert len(moment["attention"]["heads"]) == 2
        assert len(moment["blocks"]) == 3
        weights = moment["attention"]["heads"][0]["local"]["weight"]
        assert len(weights) == 24
        assert 0 < sum(weights) <= 1.001
        with pytest.raises(InputError, match="block 3: the network has blocks 0 to 2"):
            network.moment("video4", 1.0, 3)
