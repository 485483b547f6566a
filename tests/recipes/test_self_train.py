"""A model's labels of videos that nobody has labelled, and the model that learns from them."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import Command, Refused
from moving import ACTIONS

from actionformer import InputError, load, self_train
from actionformer.core.run_files import CARD, LABELS, WEIGHTS
from actionformer.recipes import self_train as recipe

SHORT: dict[str, Any] = {"training": {"epochs": 2, "warmup_epochs": 1}}


@pytest.fixture
def more(tmp_path: Path, seen: Path) -> Path:
    """The features of the labelled videos, of two that nobody has labelled, and of one in which nothing happens."""
    folder = shutil.copytree(seen / "features", tmp_path / "more")
    first = min(folder.glob("*.npy"))
    rows = np.load(first)
    for name, factor, added in (("new0", 1, 1e-3), ("new1", 1, -1e-3), ("still", 0, 0)):
        np.save(folder / f"{name}.npy", factor * rows + np.float32(added))
        spec = json.loads(first.with_suffix(".json").read_text("utf-8"))
        (folder / f"{name}.json").write_text(json.dumps({key: spec[key] for key in ("fps", "stride", "num_frames")}))
    return folder


def labels_of(run: Path) -> dict[str, Any]:
    database: dict[str, Any] = json.loads((run / LABELS).read_text("utf-8"))["database"]
    return database


def test_what_is_found_is_learned_from(seen: Path, more: Path, tmp_path: Path) -> None:
    out, config = tmp_path / "out", load(seen / "run").config
    detector = self_train(seen / "run", out, config=config, features=more)
    labels = labels_of(out)
    assert {name: video["subset"] for name, video in labels.items()} == {
        **dict.fromkeys(("clip0", "clip1", "clip2"), "training"),
        **dict.fromkeys(("new0", "new1"), "found"),
    }
    found = labels["new0"]["annotations"]
    assert [one["label"] for one in found] == [one["label"] for one in ACTIONS]
    times, expected = (np.array([one["segment"] for one in of]) for of in (found, ACTIONS))
    assert np.abs(times - expected).max() < 0.5
    assert (times[1:, 0] >= times[:-1, 1]).all()  # as in the labelled videos, one action at a time
    card = json.loads((out / CARD).read_text("utf-8"))["training"]
    assert (card["videos"], card["subset"]) == (5, ["training", "found"])
    assert card["annotations"] == str((out / LABELS).resolve())
    assert detector.config.training == config.training
    with pytest.raises(InputError, match="already exists"):
        self_train(seen / "run", out, features=more)

    (more / "new1.npy").unlink()
    self_train(out, tmp_path / "again", features=more, settings=SHORT)  # what the first round found is found anew
    assert {name for name, video in labels_of(tmp_path / "again").items() if video["subset"] == "found"} == {"new0"}


def test_a_stopped_one_goes_on_with_the_labels_that_were_found(
    seen: Path, more: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, Any] = {"features": more, "settings": SHORT}
    self_train(seen / "run", tmp_path / "whole", **given)

    def stopped(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(recipe, "train_on", stopped)
        with pytest.raises(KeyboardInterrupt):
            self_train(seen / "run", tmp_path / "stopped", **given)
    with monkeypatch.context() as patch:
        patch.setattr(recipe, "_with_found", stopped)  # nothing is looked for again
        self_train(seen / "run", tmp_path / "stopped", resume=True, **given)
    assert labels_of(tmp_path / "stopped") == labels_of(tmp_path / "whole")
    assert (tmp_path / "stopped" / WEIGHTS).read_bytes() == (tmp_path / "whole" / WEIGHTS).read_bytes()


def test_from_outside(seen: Path, more: Path, call: Command, refused: Refused, tmp_path: Path) -> None:
    out, options = tmp_path / "out", ("--training.epochs", 1, "--training.warmup-epochs", 0)
    done = call("self-train", seen / "run", "--features", more, "--out", out, *options)
    assert done.code == 0
    assert done.out.startswith(f"model: {out}\n")
    assert "found in 2 videos without labels; nothing in 1 more, which is left out\n" in done.err
    assert f"labels: {out / LABELS}\n" in done.err
    none = refused("self-train", seen / "run", "--out", tmp_path / "none")
    assert "every video with features is labelled in" in none
    assert not (tmp_path / "none" / LABELS).exists()
    for name in ("new0", "new1"):
        (more / f"{name}.npy").unlink()
    nothing = refused("self-train", seen / "run", "--features", more, "--out", tmp_path / "none")
    assert "nothing that people would be shown is found in the videos without labels" in nothing
