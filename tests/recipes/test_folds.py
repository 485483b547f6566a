"""Cross-validation from outside."""

import json
from pathlib import Path

import numpy as np
import pytest
from commands import Command, Refused

from actionformer.core.errors import InputError
from actionformer.model_directory import load_settings
from actionformer.recipes import cross_validate
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
    weights = (tmp_path / "out" / "fold_1" / "model.safetensors").stat().st_mtime_ns
    result = call(*again, "--resume")
    assert result.code == 0, result
    assert (tmp_path / "out" / "fold_1" / "model.safetensors").stat().st_mtime_ns == weights
    assert f"deviation {' '.join(f'{100 * np.std(one, ddof=1):.1f}' for one in zip(*found.maps, strict=True))}" in (
        " ".join(result.err.split())
    )
    assert "give one of them" in refused(*again, "--validation", 0.5)


def test_more_folds_than_videos(tmp_path: Path, short: Config, all_training: Path, features: Path) -> None:
    with pytest.raises(InputError, match="6 videos cannot be split into 7 parts"):
        cross_validate(short, all_training, features, tmp_path, folds=7)
