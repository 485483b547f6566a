"""The contract is enough: a detector that nobody else knows is trained, resumed, evaluated, described and looked at."""

import json
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.torch import load_file
from stopping import stopped_in_epoch

from actionformer import load
from actionformer.core.errors import InputError
from actionformer.detectors import index
from actionformer.recipes.train import train
from actionformer.settings.config import Config
from actionformer.viewer.opening import open_project
from actionformer.viewer.options import ViewerOptions
from actionformer.viewer.project import UnavailableError
from actionformer.viewer.start import services_for


@pytest.fixture(scope="module", autouse=True)
def known() -> Iterator[None]:
    """The index of detectors with one more."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(index.SETTINGS, "minimal", "minimal.MinimalSettings")
        patch.setitem(index.ARCHITECTURES, "minimal", "minimal.Minimal")
        yield


@pytest.fixture(scope="module")
def config(known: None, tiny: Config) -> Config:
    return tiny.replace(model={"detector": "minimal"}, training={"epochs": 2, "warmup_epochs": 1})


@pytest.fixture(scope="module")
def minimal(tmp_path_factory: pytest.TempPathFactory, config: Config, annotations: Path, features: Path) -> Path:
    out = tmp_path_factory.mktemp("minimal") / "run"
    _train(config, annotations, features, out)
    return out


def _train(config: Config, annotations: Path, features: Path, out: Path, *, resume: bool = False) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # two epochs teach little
        train(config, annotations, features, out, resume=resume)


def test_parts_of_its_loss_are_told_under_their_names(
    tmp_path: Path, config: Config, annotations: Path, features: Path
) -> None:
    _train(config, annotations, features, tmp_path / "run")
    row = json.loads((tmp_path / "run" / "metrics.jsonl").read_text("utf-8").splitlines()[0])
    assert row["what_loss"] + row["where_loss"] == pytest.approx(row["loss"])


def test_a_run_goes_on_where_it_was_stopped(
    tmp_path: Path, minimal: Path, config: Config, annotations: Path, features: Path
) -> None:
    with stopped_in_epoch(2):
        _train(config, annotations, features, tmp_path / "run")
    _train(config, annotations, features, tmp_path / "run", resume=True)
    resumed, whole = (load_file(folder / "model.safetensors") for folder in (tmp_path / "run", minimal))
    assert all((resumed[name] == whole[name]).all() for name in resumed.keys() | whole.keys())


def test_a_model_of_another_detector_is_no_start(
    tmp_path: Path, minimal: Path, tiny: Config, annotations: Path, features: Path
) -> None:
    with pytest.raises(InputError, match="is a model of minimal, the settings are of actionformer"):
        train(tiny, annotations, features, tmp_path / "run", init=minimal)


def test_it_detects_the_same_alone_and_beside_others(minimal: Path, features: Path) -> None:
    detector = load(minimal)
    names = [f"video{i}" for i in range(3)]
    together = detector.detect_many({name: features / f"{name}.npy" for name in names})
    for name in names:
        alone = detector.detect(features / f"{name}.npy")
        assert len(alone)
        np.testing.assert_allclose(alone.segments, together[name].segments, atol=1e-4)
        np.testing.assert_array_equal(alone.labels, together[name].labels)


def test_every_verb_takes_it(
    call: Callable[..., Any], refused: Callable[..., Any], minimal: Path, features: Path, tmp_path: Path
) -> None:
    assert call("evaluate", minimal).code == 0
    described = call("info", minimal)
    assert "minimal" in described.out
    assert "pyramid" not in described.out
    assert call("detect", minimal, features / "video4.npy", "--out", tmp_path / "found.json").code == 0
    assert json.loads((tmp_path / "found.json").read_text("utf-8"))["results"]["video4"]
    assert "cannot follow a stream" in refused("watch", minimal, features / "video4.npy")


def test_the_page_shows_what_there_is_and_says_what_there_is_not(minimal: Path) -> None:
    project = open_project(ViewerOptions(minimal, (), None, None, None, None))
    with closing(services_for(project)) as services:
        network = services.network()
        assert network.candidates("video4", 0.0, 10.0, 3)["candidates"]
        assert network.suppression("video4", 0.0, 10.0, 3, {})["steps"]
        with pytest.raises(UnavailableError, match=r"levels of a pyramid .* which \w+ does not have"):
            network.scores("video4", 5, None, None)
        with pytest.raises(UnavailableError, match=r"levels of a pyramid .* which \w+ does not have"):
            network.moment("video4", 1.0, 0)
