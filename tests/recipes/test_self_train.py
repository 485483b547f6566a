"""A model's labels of videos that nobody has labelled, and the model that learns from them."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import Command, Refused
from moving import ACTIONS

from actionformer import Detections, Detector, InputError, evaluate, load, self_train, train
from actionformer.core.run_files import CARD, CONFIG, LABELS, WEIGHTS
from actionformer.recipes import self_train as recipe
from actionformer.training import checkpoints

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


def found_in(run: Path) -> dict[str, Any]:
    database: dict[str, Any] = json.loads((run / LABELS).read_text("utf-8"))["database"]
    return database


def test_what_is_found_is_learned_from(seen: Path, more: Path, tmp_path: Path) -> None:
    out, config = tmp_path / "out", load(seen / "run").config.replace(**SHORT)
    detector = self_train(seen / "run", out, config=config, features=more)
    found = found_in(out)
    assert {name: video["subset"] for name, video in found.items()} == dict.fromkeys(("new0", "new1"), "training")
    actions = found["new0"]["annotations"]
    assert [one["label"] for one in actions] == [one["label"] for one in ACTIONS]
    times, expected = (np.array([one["segment"] for one in of]) for of in (actions, ACTIONS))
    assert np.abs(times - expected).max() < 0.5
    assert (times[1:, 0] >= times[:-1, 1]).all()  # as in the labelled videos, one action at a time
    card = json.loads((out / CARD).read_text("utf-8"))["training"]
    assert (card["videos"], card["annotations"]) == (5, str((seen / "annotations.json").resolve()))
    assert detector.config.training == config.training
    with pytest.warns(UserWarning, match="was trained on subset training"):
        assert evaluate(out).counts.videos == 3  # of people's labels alone
    with pytest.raises(InputError, match="already exists"):
        self_train(seen / "run", out, features=more)

    (more / "new1.npy").unlink()
    shutil.copy(seen / "run" / WEIGHTS, out)  # two epochs teach too little
    self_train(out, tmp_path / "again", features=more, settings=SHORT)  # a second round finds everything anew
    assert list(found_in(tmp_path / "again")) == ["new0"]
    train(config, seen / "annotations.json", more, out, overwrite=True)
    assert not (out / LABELS).exists()


def test_features_without_sidecars_lie_in_time_as_before(seen: Path, more: Path, tmp_path: Path) -> None:
    for sidecar in more.glob("*.json"):
        sidecar.unlink()
    timing = {"data": {"fps": 10, "stride": 2, "num_frames": 4}}
    shutil.copytree(seen / "run", tmp_path / "run")
    (tmp_path / "run" / CONFIG).write_text(load(seen / "run").config.replace(**timing).to_toml(), "utf-8")
    self_train(tmp_path / "run", tmp_path / "out", features=more, settings=SHORT)
    assert set(found_in(tmp_path / "out")) == {"new0", "new1"}
    assert load(tmp_path / "out").config.data.stride == 2


def test_who_is_evaluated_on_is_not_learned_from(seen: Path, more: Path, tmp_path: Path) -> None:
    """Held-out videos stay what people say of them, and other videos of their people are left alone."""
    people = {"clip0": "cat1_a", "clip1": "cat2_a", "clip2": "cat3_a", "new0": "cat1_b", "new1": "cat2_b"}
    for name, other in people.items():
        for ending in ("npy", "json"):
            (more / f"{name}.{ending}").rename(more / f"{other}.{ending}")
    database = json.loads((seen / "annotations.json").read_text("utf-8"))["database"]
    labels = tmp_path / "labels.json"
    labels.write_text(json.dumps({"database": {people[name]: video for name, video in database.items()}}), "utf-8")
    (more / "still.npy").rename(more / "cat3_b.npy")
    (more / "still.json").rename(more / "cat3_b.json")
    run = shutil.copytree(seen / "run", tmp_path / "run")
    card = json.loads((run / CARD).read_text("utf-8"))
    card["training"]["held_out"] = ["cat1_a"]
    (run / CARD).write_text(json.dumps(card), "utf-8")
    self_train(run, tmp_path / "out", annotations=labels, features=more, settings=SHORT)
    assert set(found_in(tmp_path / "out")) == {"cat2_b"}
    assert load(tmp_path / "out").card.held_out == ("cat1_a",)
    del database["clip0"]
    labels.write_text(json.dumps({"database": {people[name]: video for name, video in database.items()}}), "utf-8")
    with pytest.raises(InputError, match=r"cat1_a: held out from .*, and not labelled here"):
        self_train(run, tmp_path / "other", annotations=labels, features=more)


@pytest.mark.parametrize(
    ("labelled", "expected"),
    [
        ([(1.0, 3.0, "up"), (3.5, 5.5, "down")], [[1.0, 4.0, "up"], [4.0, 6.0, "down"]]),  # one at a time
        ([(1.0, 4.0, "up"), (2.5, 5.5, "down")], [[1.0, 4.0, "up"], [2.0, 6.0, "down"]]),  # classes overlap
    ],
)
def test_what_is_found_overlaps_where_labels_do(
    seen: Path,
    more: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    labelled: list[tuple[float, float, str]],
    expected: list[Any],
) -> None:
    """Found is `up` from 1 to 4 s, twice, and `down` from 2 to 6 s, which is less sure."""
    for file in more.glob("still.*"):
        file.unlink()
    content = json.loads((seen / "annotations.json").read_text("utf-8"))
    names = sorted({one["label"] for one in ACTIONS})
    actions = [{"segment": [a, b], "label": names[["up", "down"].index(of)]} for a, b, of in labelled]
    for video in content["database"].values():
        video["annotations"] = actions
    labels = tmp_path / "labels.json"
    labels.write_text(json.dumps(content), "utf-8")

    def detect(self: Detector, *_: Any, **__: Any) -> Detections:
        own = [self.class_names.index(name) for name in names]
        segments, classes = [[1.0, 4.0], [1.2, 4.1], [2.0, 6.0]], [own[0], own[0], own[1]]
        return Detections(segments, [0.9, 0.8, 0.7], classes, self.class_names)

    with monkeypatch.context() as patch:
        patch.setattr(Detector, "detect", detect)
        self_train(seen / "run", tmp_path / "out", annotations=labels, features=more, settings=SHORT)
    wanted = [[*segment, names[["up", "down"].index(of)]] for *segment, of in expected]
    found = found_in(tmp_path / "out")["new0"]["annotations"]
    assert [[*one["segment"], one["label"]] for one in found] == wanted


def test_what_caps_cut_is_told(seen: Path, more: Path, tmp_path: Path) -> None:
    for file in more.glob("still.*"):
        file.unlink()
    run = shutil.copytree(seen / "run", tmp_path / "run")
    config = run / "config.toml"
    config.write_text(re.sub(r"\nmax_detections = \d+", "\nmax_detections = 1", config.read_text("utf-8")), "utf-8")
    with pytest.warns(UserWarning, match="caps cut what is found in 2 videos: new0: kept 1 of "):
        self_train(run, tmp_path / "out", features=more, settings=SHORT)


def test_features_that_cannot_be_used_are_left_out(seen: Path, more: Path, tmp_path: Path) -> None:
    (more / "new1.npy").write_bytes(b"no array")
    np.save(more / "other.npy", np.zeros((5, 3), np.float32))
    with pytest.warns(UserWarning, match="2 videos left out, whose features cannot be used: .*new1.npy"):
        self_train(seen / "run", tmp_path / "out", features=more, settings=SHORT)
    assert list(found_in(tmp_path / "out")) == ["new0"]


@pytest.mark.slow
def test_a_stopped_one_goes_on_with_the_labels_that_were_found(
    seen: Path, more: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, Any] = {"features": more, "settings": SHORT}
    self_train(seen / "run", tmp_path / "whole", **given)
    written = checkpoints.write_state

    def stopped(*arguments: Any, **_: Any) -> None:
        if arguments and isinstance(arguments[-1], dict):
            written(*arguments)
        raise KeyboardInterrupt

    out = tmp_path / "stopped"
    with monkeypatch.context() as patch:
        patch.setattr("actionformer.recipes.run.write_state", stopped)
        with pytest.raises(KeyboardInterrupt):
            self_train(seen / "run", out, **given)
    with pytest.raises(InputError, match="was found by another model: a run can only resume unchanged"):
        self_train(tmp_path / "whole", out, resume=True, **given)
    with monkeypatch.context() as patch:
        patch.setattr(recipe, "_found", stopped)  # nothing is looked for again
        self_train(seen / "run", out, resume=True, **given)
    assert found_in(out) == found_in(tmp_path / "whole")
    assert (out / WEIGHTS).read_bytes() == (tmp_path / "whole" / WEIGHTS).read_bytes()


def test_what_is_refused_is_refused_before_anything_is_looked_for(
    seen: Path, more: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipe, "_found", lambda *_: pytest.fail("labels videos first"))
    out = tmp_path / "out"

    def refused(why: str, run: Path = seen / "run", **given: Any) -> None:
        with pytest.raises(InputError, match=why):
            self_train(run, given.pop("out", out), features=more, **given)
        assert not list(tmp_path.glob("out/*"))

    refused("training.learning_rate", settings={"training": {"learning_rate": -3}})
    refused("no preset", config="smal")
    refused("model.detector", settings={"model": {"detector": "muse"}})
    refused("lies in .*run, which is written anew", out=seen / "run", overwrite=True)
    agnostic = shutil.copytree(seen / "run", tmp_path / "agnostic")
    train(
        load(seen / "run").config.replace(model={"num_classes": 1}, training={"epochs": 1}),
        seen / "annotations.json",
        more,
        agnostic,
        overwrite=True,
    )
    refused("finds actions without saying which of the 2 classes of .* they are", agnostic)


def test_from_outside(seen: Path, more: Path, call: Command, refused: Refused, tmp_path: Path) -> None:
    out, options = tmp_path / "out", ("--training.epochs", 1, "--training.warmup-epochs", 0)
    done = call("self-train", seen / "run", "--features", more, "--out", out, *options)
    assert done.code == 0
    assert done.out.startswith(f"model: {out}\n")
    assert "1 video in which nothing is found left out\n" in done.err
    assert "found in 2 videos without labels\n" in done.err
    none = refused("self-train", seen / "run", "--out", tmp_path / "none")
    assert "every video with features is labelled in" in none
    assert not (tmp_path / "none" / LABELS).exists()
    for name in ("new0", "new1"):
        (more / f"{name}.npy").unlink()
    nothing = refused("self-train", seen / "run", "--features", more, "--out", tmp_path / "none")
    assert "nothing that people would be shown is found in the videos without labels" in nothing
