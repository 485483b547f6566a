"""Cross-validation from outside."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from commands import Command, Refused

from actionformer.core.errors import InputError
from actionformer.model_directory import load_settings
from actionformer.recipes.diagnose import diagnose
from actionformer.recipes.evaluate import evaluate
from actionformer.recipes.folds import cross_validate
from actionformer.settings.config import Config


@pytest.fixture(scope="module")
def short(tiny: Config) -> Config:
    return tiny.replace(training={"epochs": 1, "warmup_epochs": 0})


def test_every_video_is_held_out_once(
    tmp_path: Path, short: Config, all_training: Path, features: Path, call: Command, refused: Refused
) -> None:
    found = cross_validate(short, all_training, features, tmp_path / "out", folds=2)
    cards = [load_settings(tmp_path / "out" / name)[1] for name in ("fold_1", "fold_2")]
    assert sorted(id_ for card in cards for id_ in card.held_out) == [f"video{i}" for i in range(6)]
    assert found.averages == pytest.approx([card.metrics["map"] for card in cards])
    assert found.mean == pytest.approx(np.mean(found.averages))
    assert found.deviation == pytest.approx(abs(found.averages[0] - found.averages[1]) / 2**0.5)
    assert found.pooled.counts.videos == 6
    content = json.loads((tmp_path / "out" / "folds.json").read_text("utf-8"))
    assert content["mean"] == found.mean
    assert content["pooled"]["average"] == found.pooled.average

    (tmp_path / "tiny.toml").write_text(short.to_toml(), "utf-8")
    data = ("train", tmp_path / "tiny.toml", "--annotations", all_training, "--features", features)
    again = (*data, "--out", tmp_path / "out", "--folds", 2)
    assert "already exists; --resume continues that run" in refused(*again)
    made = {name: (tmp_path / "out" / name).read_bytes() for name in ("folds.json", "detections.json")}
    evaluate(tmp_path / "out" / "fold_1", settings={"suppression": {"max_detections": 1}})  # is no fold's figure
    weights = (tmp_path / "out" / "fold_1" / "model.safetensors").stat().st_mtime_ns
    other_folds = refused(*again[:-1], 3, "--resume")
    assert "fold_1: was trained with 3 other videos held out: leave --validation out, or give seed" in other_folds
    assert not (tmp_path / "out" / "fold_3").exists()
    result = call(*again, "--resume")
    assert result.code == 0, result
    assert (tmp_path / "out" / "fold_1" / "model.safetensors").stat().st_mtime_ns == weights
    assert {name: (tmp_path / "out" / name).read_bytes() for name in made} == made
    assert f"deviation {' '.join(f'{100 * np.std(one, ddof=1):.1f}' for one in zip(*found.maps, strict=True))}" in (
        " ".join(result.err.split())
    )
    assert "give one of them" in refused(*again, "--validation", 0.5)

    diagnosed = diagnose(tmp_path / "out", draws=2)
    assert diagnosed.videos == 6
    assert diagnosed.map.value == pytest.approx(found.pooled.average)

    (three := tmp_path / "out" / "fold_3").mkdir()
    (three / "metrics.jsonl").write_text("", "utf-8")
    assert "fold_3: is of another cross-validation; --overwrite starts again" in refused(*again, "--resume")
    assert call(*again, "--overwrite").code == 0
    assert not three.exists()
    assert {name: (tmp_path / "out" / name).read_bytes() for name in made} == made
    assert "fold_1: is a run" in refused(*data, "--out", tmp_path / "out" / "fold_1", "--folds", 2, "--overwrite")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--folds", 1), "folds: expected 2 or more, found 1"),
        (("--folds", 7), "6 videos cannot be split into 7 parts"),
        (("--folds", 2, "--init", "nowhere"), "nowhere: no model directory"),
        (("--init", "nowhere"), "nowhere: no model directory"),
        (("--validation", 1.5), "validation: expected a share between 0 and 1, such as 0.25, found 1.5"),
        (("--validation", -1), "validation: expected a share between 0 and 1, such as 0.25, found -1"),
        (("--training.seed", "x"), 'unable to convert "x" into int'),
        (("--device", "nonsense"), "device 'nonsense' cannot be used"),
        (("--out", "/dev/null/run"), "/dev/null/run: cannot be made (Not a directory)"),
        (("--out", "/dev/null/run", "--folds", 2), "/dev/null/run: cannot be made (Not a directory)"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_what_is_refused_before_anything_is_read_or_shown(
    tmp_path: Path, all_training: Path, features: Path, refused: Refused, options: tuple[object, ...], said: str
) -> None:
    data = ("--annotations", all_training, "--features", features)
    assert said in refused(
        "train", "auto", *data, *(() if "--out" in options else ("--out", tmp_path / "run")), *options
    )
    assert not list(tmp_path.iterdir())


def test_all_folds_begin_with_the_same_weights(
    tmp_path: Path, short: Config, all_training: Path, features: Path, trained: Path, refused: Refused
) -> None:
    """Those of a model that a stopped call was given are asked for again, or the folds that are left had fresh ones."""
    cross_validate(short, all_training, features, tmp_path / "out", folds=2, init=trained)
    shutil.rmtree(tmp_path / "out" / "fold_2")
    with pytest.raises(InputError, match=r"fold_1: began with weights of a model \(--init, .*, now fresh weights"):
        cross_validate(short, all_training, features, tmp_path / "out", folds=2, resume=True)
    assert not (tmp_path / "out" / "fold_2").exists()
    cross_validate(short, all_training, features, tmp_path / "out", folds=2, resume=True, init=trained)
    hashes = [load_settings(tmp_path / "out" / f"fold_{fold}")[1].training["init_hash"] for fold in (1, 2)]
    assert hashes[0] == hashes[1]


def test_a_fold_without_any_action(tmp_path: Path, short: Config, all_training: Path, features: Path) -> None:
    with pytest.raises(InputError, match=r"the videos of fold [1-6] have no action: take fewer folds"):
        cross_validate(short, all_training, features, tmp_path, folds=6)
