"""MUSES in a run: trained on proposals of another detector, resumed, evaluated, asked and shown."""

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

from actionformer import load
from actionformer.inference.detector import Detector
from actionformer.recipes.train import train
from actionformer.settings.config import Config
from actionformer.settings.loading import load_config
from actionformer.viewer.opening import open_project
from actionformer.viewer.options import ViewerOptions
from actionformer.viewer.project import UnavailableError
from actionformer.viewer.start import services_for

THIN = {"width": 8, "foregrounds": 2, "incompletes": 6, "backgrounds": 2}


@pytest.fixture(scope="module")
def config() -> Config:
    """For proposals that hardly fit."""
    model = {**THIN, "foreground_tiou": 0.3, "stream_weights": [1.0, 1.2]}
    return load_config(
        "muses_small", {"model": model, "training": {"epochs": 2, "warmup_epochs": 1, "evaluate_every": 2}}
    )


@pytest.fixture(scope="module")
def model(
    tmp_path_factory: pytest.TempPathFactory, config: Config, annotations: Path, features: Path, trained: Path
) -> Path:
    return quietly(config, annotations, features, tmp_path_factory.mktemp("muses") / "run", trained)


def quietly(
    config: Config, annotations: Path, features: Path, out: Path, proposals: Path, *, resume: bool = False
) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # few epochs teach little
        train(config, annotations, features, out, proposals=proposals, resume=resume)
    return out


def test_the_metrics_tell_the_parts_of_its_loss(model: Path) -> None:
    for line in (model / "metrics.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        parts = [row[f"{name}_loss"] for name in ("activity", "completeness", "refinement")]
        assert min(parts) > 0
        assert sum(parts) == pytest.approx(row["loss"])


def test_what_was_measured_is_kept_with_the_weights(model: Path) -> None:
    weights = load_file(model / "model.safetensors")
    for stream in range(2):
        assert (weights[f"streams.{stream}.deviation"] > 0.01).all()
        assert not (weights[f"streams.{stream}.deviation"] == 1).any()


def test_a_resumed_run_ends_as_one_that_was_never_stopped(
    tmp_path: Path, model: Path, config: Config, annotations: Path, features: Path, trained: Path
) -> None:
    with stopped_in_epoch(2):
        quietly(config, annotations, features, tmp_path / "run", trained)
    quietly(config, annotations, features, tmp_path / "run", trained, resume=True)
    resumed, whole = (load_file(folder / "model.safetensors") for folder in (tmp_path / "run", model))
    assert resumed.keys() == whole.keys()
    assert all((resumed[name] == whole[name]).all() for name in whole)


def test_another_models_rows_are_found_by_class_name(
    tmp_path: Path, model: Path, config: Config, annotations: Path, features: Path, trained: Path
) -> None:
    """With `jump` called `walk`, `run` is the first class."""
    renamed = tmp_path / "annotations.json"
    renamed.write_text(annotations.read_text("utf-8").replace("jump", "walk"), "utf-8")
    slow = config.replace(training={"epochs": 1, "warmup_epochs": 0, "learning_rate": 1e-9})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        train(slow, renamed, features, tmp_path / "run", proposals=trained, init=model)
    found, before = (load_file(folder / "model.safetensors") for folder in (tmp_path / "run", model))
    for head in ("activity.classes", "completeness", "centre", "length"):
        name = f"streams.1.{head}.weight"
        np.testing.assert_allclose(found[name][0], before[name][1], atol=1e-6)
        assert (found[name][1] - before[name][0]).abs().max() > 1e-4
    np.testing.assert_array_equal(found["streams.0.deviation"], before["streams.0.deviation"])


def test_verbs_take_it(
    call: Callable[..., Any], refused: Callable[..., Any], model: Path, features: Path, tmp_path: Path
) -> None:
    assert call("evaluate", model).code == 0
    assert "muses" in call("info", model).out
    assert call("detect", model, features / "video4.npy", "--out", tmp_path / "found.json").code == 0
    assert json.loads((tmp_path / "found.json").read_text("utf-8"))["results"]["video4"]
    assert "which are found in whole videos, and a stream has no end" in refused(
        "watch", model, features / "video4.npy"
    )


@pytest.mark.parametrize("window", [None, 24])
def test_sequences_of_any_length_alone_and_beside_others(model: Path, window: int | None) -> None:
    """In windows a proposal is judged by what its window shows."""
    whole = load(model)
    config = whole.config.replace(data={"window": window}, decoding={"min_probability": 0.0})
    detector = Detector(whole.model, config, whole.card)
    rng = np.random.default_rng(0)
    items: dict[str, dict[str, Any]] = {}
    for length in (1, 2, 25, 61):
        features = rng.standard_normal((length, 6), dtype=np.float32)
        starts = rng.uniform(0, length / 2, 3 * length)
        items[f"{length}"] = {"features": features, "proposals": np.stack((starts, starts + 0.5), 1)}
    items["none"] = {"features": items["25"]["features"], "proposals": np.empty((0, 2))}
    together = detector.detect_many(items, batch_size=3)
    for name, item in items.items():
        alone = detector.detect(item["features"], proposals=item["proposals"])
        assert len(alone) == len(together[name])
        np.testing.assert_allclose(alone.scores, together[name].scores, atol=1e-5)
    assert len(together["61"])
    assert len(together["none"]) == 0


def test_it_finds_better_ends_than_it_is_given(tmp_path: Path, annotations: Path, features: Path) -> None:
    """Proposals that begin a little before their action and end a little before it does, by a part of its length."""
    database = json.loads(annotations.read_text("utf-8"))["database"]
    found = {
        name: [
            {"label": "any", "score": 1.0, "segment": [max(start - 0.2 * (end - start), 0), end - 0.1 * (end - start)]}
            for start, end in (action["segment"] for action in video["annotations"])
        ]
        for name, video in database.items()
    }
    (tmp_path / "given.json").write_text(json.dumps({"results": found}), "utf-8")
    config = load_config("muses_small", {"model": THIN, "training": {"epochs": 30, "warmup_epochs": 2, "learning_rate": 1e-2, "evaluate_every": 0}})  # fmt: skip # noqa: E501
    run = quietly(config, annotations, features, tmp_path / "run", tmp_path / "given.json")
    detector = load(run)
    off = []
    for name in ("video4", "video5"):
        actions = np.array([action["segment"] for action in database[name]["annotations"]])
        given = np.array([one["segment"] for one in found[name]])
        detections = detector.detect(features / f"{name}.npy", proposals=given)
        assert detections.scores.max() > 1  # complete ones of a class that is certain
        nearest = np.abs(detections.segments[:, None] - actions).sum(2).argmin(0)
        off.append((np.abs(detections.segments[nearest] - actions).mean(), np.abs(given - actions).mean()))
        labels = [detector.class_names[label] for label in detections.labels[nearest]]
        assert labels == [action["label"] for action in database[name]["annotations"]]
    ours, theirs = np.mean(off, axis=0)
    assert ours < 0.5 * theirs


def test_the_page_says_what_there_is_not(model: Path) -> None:
    project = open_project(ViewerOptions(model, (), None, None, None, None))
    with closing(services_for(project)) as services:
        network = services.network()
        assert network.candidates("video4", 0.0, 10.0, 3)["candidates"]
        assert network.suppression("video4", 0.0, 10.0, 3, {})["steps"]
        with pytest.raises(UnavailableError, match=r"levels of a pyramid .* which \w+ does not have"):
            network.scores("video4", 5, None, None)
