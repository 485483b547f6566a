"""BMN: proposals with classes, its map, what it teaches and refuses; the rest is in `test_base_one_length`."""

import json
import warnings
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import torch

from actionformer import Config, build
from actionformer.checks.oracle import oracle_report
from actionformer.core.errors import InputError
from actionformer.data.collection import collect
from actionformer.detectors.base import architecture_of
from actionformer.detectors.bmn.network import BMNNetwork
from actionformer.formats.annotations import read_annotations
from actionformer.nn.layers import Conv
from actionformer.recipes.train import train
from actionformer.settings.loading import load_config
from actionformer.viewer.opening import open_project
from actionformer.viewer.options import ViewerOptions
from actionformer.viewer.start import services_for

THIN = {"width": 16, "bins": 8, "max_length": 32}


@pytest.fixture(scope="module")
def config() -> Config:
    training = {"epochs": 3, "warmup_epochs": 1, "batch_size": 2, "evaluate_every": 2}
    return load_config("bmn_small", {"model": THIN, "training": training, "data": {"window": 32}})


def trained(config: Config, annotations: Path, features: Path, out: Path) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # few epochs teach little
        train(config, annotations, features, out)
    return out


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, config: Config, annotations: Path, features: Path) -> Path:
    return trained(config, annotations, features, tmp_path_factory.mktemp("bmn") / "run")


def test_proposals_are_scored_by_average_recall_and_get_classes_of_their_videos(
    call: Callable[..., Any], tmp_path: Path, config: Config, annotations: Path, features: Path
) -> None:
    agnostic = config.replace(
        model={"num_classes": 1},
        suppression={"per_class": False, "soft_from": 0.5, "soft_from_width": 0.4},
        decoding={"boundaries": "all", "boundary_scores": True},
    )
    run = trained(agnostic, annotations, features, tmp_path / "run")
    evaluated = call("evaluate", run)
    assert evaluated.code == 0
    assert "AR@100" in evaluated.out
    report = json.loads((run / "evaluation.json").read_text("utf-8"))
    assert 0 < report["average_recall"]["100"] <= 1
    scores = {"results": {f"video{i}": [0.9, 0.2] for i in range(6)}, "class": ["jump", "run"]}
    (tmp_path / "scores.json").write_text(json.dumps(scores), "utf-8")
    assert call("evaluate", run, "--video-scores", tmp_path / "scores.json").code == 0
    found = json.loads((run / "detections.json").read_text("utf-8"))["results"]
    assert {one["label"] for rows in found.values() for one in rows} == {"jump", "run"}


def test_a_map_that_is_too_large() -> None:
    config = Config().replace(model={"detector": "bmn"}, data={"window": 1000})
    with pytest.raises(
        InputError, match=r"1,000,000 segments of up to 1000, at most 500,000 fit a map: lower data.window"
    ):
        architecture_of(config)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"max_duration": 200, "max_length": 128}, "max_duration 200 is longer than max_length 128"),
        ({"convention": "jjboy", "max_duration": 5}, "a map of jjboy has all lengths: leave max_duration unset"),
        ({"bins": 1}, "model.bins"),
    ],
)
def test_settings_that_do_not_fit(model: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Config().replace(model={"detector": "bmn"} | model)


def test_perfect_outputs_find_nearly_all(config: Config, annotations: Path, features: Path) -> None:
    truth = read_annotations(annotations)
    complete = config.replace(model={"input_dim": 6, "num_classes": 2}, data={"test_subset": ["Validation"]})
    videos = collect(truth.subset(["Validation"]), features, complete.data, width=6).videos
    report = oracle_report(truth.subset(["Validation"]), videos, complete)
    assert report is not None
    assert report.map[0] > 0.9


def test_every_action_that_fits_the_map_is_taught() -> None:
    config = load_config("bmn_small", {"model": {"num_classes": 2, "input_dim": 6, "max_duration": 20}})
    segments = torch.tensor([[3.2, 4.9], [10.0, 29.7], [30.0, 90.0]])
    assert (architecture_of(config).taught([segments], [128]) > 0).tolist() == [True, True, False]  # type: ignore[operator]


def test_actions_longer_than_the_map_are_told(
    tmp_path: Path, config: Config, annotations: Path, features: Path
) -> None:
    short = config.replace(model={"max_duration": 2}, training={"epochs": 1})
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        train(short, annotations, features, tmp_path / "run")
    assert any("raise model.max_duration, and data.window with it" in str(one.message) for one in told)


def test_a_video_is_searched_by_windows(
    call: Callable[..., Any], tmp_path: Path, config: Config, seen: Path, videos: Path
) -> None:
    own = config.replace(data={"test_subset": ["training"], "feature_shift": 0.0}, training={"epochs": 1})
    run = trained(own, seen / "annotations.json", seen / "features", tmp_path / "run")
    found = call("detect", run, videos / "clip0.mp4", "--out", tmp_path / "found.json")
    assert found.code == 0
    assert json.loads((tmp_path / "found.json").read_text("utf-8"))["results"]["clip0"]


def test_the_page_tries_its_suppression(model: Path) -> None:
    project = open_project(ViewerOptions(model, (), None, None, None, None))
    with closing(services_for(project)) as services:
        network = services.network()
        assert network.suppression("video4", 0.0, 10.0, 3, {"soft_from_width": 0.4})["steps"]


def test_narrow_features_and_a_prior() -> None:
    """Seven channels do not divide into groups; a class without examples gets its prior."""
    model = {"input_dim": 7, "num_classes": 3} | THIN
    network = build(load_config("bmn_small", {"model": model, "data": {"window": 32}})).model
    assert isinstance(network, BMNNetwork)
    network.set_class_prior(0.01, [1])
    assert network.map.classes.bias.sigmoid().tolist() == pytest.approx([0.5, 0.01, 0.5])
    first = network.base[0]
    assert isinstance(first, Conv)
    assert first.groups == 1
