"""`actionformer ablate` from outside: made data, a tiny network."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import Command, Refused

from actionformer.core.files import read_json
from actionformer.model_directory import load_settings

OPTIONS = ("--model.width", 16, "--training.epochs", 1, "--training.warmup-epochs", 0)


@pytest.fixture(autouse=True)
def quick() -> Iterator[None]:
    """Memory is measured in a test of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("actionformer.recipes.costs._peak_mib", lambda *_: 12.3)
        yield


def test_one_thing_is_changed_at_a_time(annotations: Path, features: Path, tmp_path: Path, call: Command) -> None:
    out = tmp_path / "out"
    data = ("ablate", "--annotations", annotations, "--features", features, "--out", out, *OPTIONS)
    switches = ("convolutions,no-head-norm", "levels=2", "model.window=5+model.dropout=0.3")
    result = call(*data, "--seeds", 1, "--draws", 50, "--switches", *switches)
    assert result.code == 0, result.err
    content = read_json(out / "ablation.json")
    names = ["full", "convolutions", "no-head-norm", "levels=2", "model.window=5+model.dropout=0.3"]
    assert [one["name"] for one in content["entries"]] == names
    assert content["reference"] == "full"
    full = load_settings(out / "full" / "seed0")[0]
    switched: dict[str, dict[str, Any]] = {
        "convolutions": {"block": "convolution"},
        "no-head-norm": {"head_norm": False},
        "model.window=5+model.dropout=0.3": {"window": 5, "dropout": 0.3},
    }
    for name, changes in switched.items():
        assert load_settings(out / name / "seed0")[0] == full.replace(model=changes)
    for text in (result.out, (out / "ablation.md").read_text("utf-8")):
        assert "1-D convolutions in place of the Transformer's blocks" in text
        assert "full has mAP" in text
    assert "average mAP less that of full, in points" in result.out

    weights = out / "full" / "seed0" / "model.safetensors"
    before = weights.stat().st_mtime_ns
    again = call(*data, "--seeds", 1, "--draws", 50, "--switches", "half-length")
    assert again.code == 0, again.err
    assert weights.stat().st_mtime_ns == before
    assert load_settings(out / "half-length" / "seed0")[0].model.max_length == 40  # of 80 features


def test_a_detector_without_switches_says_so(
    annotations: Path, features: Path, tmp_path: Path, refused: Refused, call: Command
) -> None:
    data = ("ablate", "--annotations", annotations, "--features", features, "--out", tmp_path / "out")
    other = (*data, "--config", "temporalmaxer", *OPTIONS)
    said = refused(*other, "--switches", "global-attention")
    assert "global-attention: temporalmaxer does not have this switch: settings: unknown setting model.window" in said
    assert "changes nothing: the full model is so" in refused(*data, *OPTIONS, "--switches", "model.width=16")
    assert "draws must be at least 1" in refused(*data, "--draws", 0)
    result = call(*other, "--seeds", 1, "--draws", 20)
    assert result.code == 0, result.err
    assert "Left out: convolutions: temporalmaxer does not have this switch" in result.err
    assert sorted(path.name for path in (tmp_path / "out").iterdir() if path.is_dir()) == [
        "full",
        "half-length",
        "no-center-sampling",
        "no-head-norm",
    ]
