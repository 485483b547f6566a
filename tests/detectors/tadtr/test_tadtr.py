"""TadTR from outside: trained, resumed, evaluated, described, shown, asked for detections and for a stream."""

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
from actionformer.features import TIMING
from actionformer.inference.sequences import place
from actionformer.inference.windows import windows_of
from actionformer.recipes import train
from actionformer.settings.config import Config
from actionformer.settings.loading import load_config
from actionformer.training.loop import Trainer
from actionformer.viewer.opening import open_project
from actionformer.viewer.options import ViewerOptions
from actionformer.viewer.project import UnavailableError
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


def quietly(config: Config, annotations: Path, features: Path, out: Path, *, resume: bool = False) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # three epochs teach little
        train(config, annotations, features, out, resume=resume)


def test_the_metrics_tell_the_parts_of_its_loss_and_the_dropped_rate(model: Path) -> None:
    rows = [json.loads(line) for line in (model / "metrics.jsonl").read_text("utf-8").splitlines()]
    parts = ("classification", "segment", "iou", "actionness")
    for row in rows:
        assert sum(row[f"{part}_loss"] for part in parts) == pytest.approx(row["loss"])
    assert [row["learning_rate"] for row in rows] == pytest.approx([5e-4, 5e-4, 5e-5])


def test_it_is_evaluated_described_and_detects(
    call: Callable[..., Any], model: Path, features: Path, tmp_path: Path
) -> None:
    assert call("evaluate", model).code == 0
    found = call("info", model)
    assert found.code == 0
    assert "tadtr" in found.out
    assert call("detect", model, features / "video4.npy", "--out", tmp_path / "found.json").code == 0
    assert json.loads((tmp_path / "found.json").read_text())["results"].keys() == {"video4"}


def test_sequences_of_any_length_alone_and_beside_others(model: Path) -> None:
    detector = load(model).with_settings(decoding={"min_probability": 0.0}, suppression={"max_detections": 10_000})
    width = detector.config.model.input_width
    rng = np.random.default_rng(0)
    arrays = {f"{n}": rng.standard_normal((n, width)).astype(np.float32) for n in (1, 5, 24, 25, 61, 200)}
    together = detector.detect_many({name: {"features": array} for name, array in arrays.items()}, batch_size=5)
    for name, array in arrays.items():
        alone = detector.detect(array)
        assert len(alone) == len(together[name]) > 0
        np.testing.assert_allclose(np.sort(alone.scores), np.sort(together[name].scores), atol=1e-5)


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


def test_a_stream_is_refused_in_words(model: Path) -> None:
    with pytest.raises(InputError, match="cannot follow a stream"):
        load(model).stream(max_action_seconds=10)


def test_it_asks_for_one_length(config: Config, annotations: Path, features: Path, tmp_path: Path) -> None:
    whole = Config().replace(model={"detector": "tadtr"})
    with pytest.raises(InputError, match=r"tadtr takes sequences of one length: set data.window or data.resize"):
        train(whole, annotations, features, tmp_path / "run")


def test_resized_sequences_train_too(config: Config, annotations: Path, features: Path, tmp_path: Path) -> None:
    data = {"window": None, "resize": 20, "crop_ratio": [1.0, 1.0]}
    resized = config.replace(data=data, suppression={"window_tiou": None}, training={"epochs": 1, "drop_epochs": []})
    quietly(resized, annotations, features, tmp_path / "run")
    assert len(load(tmp_path / "run").detect(features / "video4.npy"))


def test_the_page_says_what_there_is_not(model: Path) -> None:
    project = open_project(ViewerOptions(model, (), None, None, None, None))
    with closing(services_for(project)) as services:
        network = services.network()
        assert network.candidates("video4", 0.0, 10.0, 3)["candidates"]
        with pytest.raises(UnavailableError, match="no levels to show"):
            network.scores("video4", 5, None, None)
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
