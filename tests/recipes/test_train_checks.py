"""Data that nothing can be learned from are refused before the first step; what is lost in part is said."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import Command, Refused

NETWORK = ("--model.width", 16, "--model.num-heads", 2)
SHORT = (*NETWORK, "--training.epochs", 1, "--training.warmup-epochs", 0)


@pytest.fixture
def learn(annotations: Path, features: Path, tmp_path: Path) -> Callable[..., tuple[Any, ...]]:
    """The command that trains on changed annotations: `change` is given each video's entry, by subset."""

    def arguments(change: Callable[[dict[str, Any]], None], subset: str = "training") -> tuple[Any, ...]:
        content = json.loads(annotations.read_text("utf-8"))
        for video in content["database"].values():
            if video["subset"].lower() == subset:
                change(video)
        path = tmp_path / "changed.json"
        path.write_text(json.dumps(content), "utf-8")
        return ("train", "small", "--annotations", path, "--features", features, "--out", tmp_path / "run", *SHORT)

    return arguments


def scaled(factor: float, duration: float | None = 1) -> Callable[[dict[str, Any]], None]:
    def change(video: dict[str, Any]) -> None:
        for action in video["annotations"]:
            action["segment"] = [factor * time for time in action["segment"]]
        if duration is None:
            del video["duration"]
        else:
            video["duration"] *= duration

    return change


def lasting(seconds: float) -> Callable[[dict[str, Any]], None]:
    def change(video: dict[str, Any]) -> None:
        for action in video["annotations"]:
            action["segment"] = [action["segment"][0], action["segment"][0] + seconds]

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (scaled(1e3), "12 of 12 actions lie outside of their video, the first is"),
        (scaled(1e3, None), "are the times in ms?"),
        (scaled(1e6), "are the times in µs?"),
        (scaled(1e3, 1e3), "is the duration in ms? It is in seconds (and 3 more videos)"),
        (scaled(1, 1 / 60), "is the duration in minutes?"),
        (scaled(1, 10), "is the duration in frames?"),
        (lasting(0), "12 of 12 actions are shorter than 1 ms"),
        (lasting(0.01), "12 of 12 actions are learned by no moment of the pyramid"),
    ],
)
def test_nothing_to_learn_is_refused(
    learn: Callable[..., Any], refused: Refused, tmp_path: Path, change: Any, message: str
) -> None:
    assert message in refused(*learn(change))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lasting(0), "8 of 8 actions are shorter than 1 ms"),
        (scaled(1e3), "8 of 8 actions lie outside of their video"),
    ],
)
def test_evaluation_that_would_fail_is_left_out(
    learn: Callable[..., Any], call: Command, tmp_path: Path, change: Any, message: str
) -> None:
    arguments = learn(change, "validation")
    for resumed in ((), ("--resume",)):
        result = call(*arguments, *resumed)
        assert result.code == 0
        (warning,) = [line for line in result.err.splitlines() if line.startswith("warning: ")]
        assert message in warning
        assert warning.endswith(": training runs without evaluation")
    assert "map" not in json.loads((tmp_path / "run/metrics.jsonl").read_text("utf-8"))


def test_evaluation_in_another_unit_is_refused(learn: Callable[..., Any], refused: Refused, trained: Path) -> None:
    arguments = learn(scaled(1e3), "validation")
    assert "are the times in ms?" in refused("evaluate", trained, "--annotations", arguments[3])


def test_class_that_only_the_evaluation_has(learn: Callable[..., Any], call: Command) -> None:
    def hop(video: dict[str, Any]) -> None:
        video["annotations"][0]["label"] = "hop"

    result = call(*learn(hop, "validation"))
    assert result.code == 0
    assert "subset validation: 1 of 3 classes has no action to learn from" in result.err
    assert "hop (2)" in result.err


def test_healthy_data_are_trained_on_without_a_word(learn: Callable[..., Any], call: Command) -> None:
    """Nothing but how many epochs there are, how each went, and the report at the end."""
    lines = call(*learn(lambda _: None)).err.splitlines()
    assert lines[0] == "training: 1 epoch"
    assert lines[1].startswith("epoch 1 of 1: loss ")
    assert "mAP" in lines[1]
    assert "2 videos not learned from" in lines[2]
    assert not [line for line in lines if "warning" in line]


def test_warm_up_comes_on_top_of_the_epochs(learn: Callable[..., Any], call: Command) -> None:
    err = call(*learn(lambda _: None)[:-1], 2).err
    assert "training: 3 epochs: 2 of warm-up, then 1\n" in err


def test_absurd_rate_is_said_before_the_first_step(learn: Callable[..., Any], call: Command) -> None:
    err = call(*learn(lambda _: None), "--training.learning-rate", 5).err
    assert err.startswith("warning: settings: training.learning_rate is 5: a step changes a weight by about the rate")


@pytest.mark.parametrize("video", ["video1", "video5"])
@pytest.mark.parametrize("more", [(), ("--data.no-normalize",)])
def test_broken_features_of_either_subset_are_named_before_the_first_step(
    learn: Callable[..., Any], features: Path, refused: Refused, tmp_path: Path, video: str, more: tuple[str, ...]
) -> None:
    arguments = learn(lambda _: None)
    folder = shutil.copytree(features, tmp_path / "features")
    array = np.load(folder / f"{video}.npy")
    array[7, 2] = np.inf
    np.save(folder / f"{video}.npy", array)
    message = refused(*(folder if one == features else one for one in arguments), *more)
    assert f"{video}.npy: row 7" in message
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("videos", "code"), [(["video1"], 0), (["video5"], 0), ([f"video{i}" for i in range(4)], 2)])
def test_features_that_say_nothing(
    learn: Callable[..., Any], features: Path, call: Command, tmp_path: Path, videos: list[str], code: int
) -> None:
    arguments = learn(lambda _: None)
    folder = shutil.copytree(features, tmp_path / "features")
    for video in videos:
        np.save(folder / f"{video}.npy", np.zeros_like(np.load(folder / f"{video}.npy")))
    result = call(*(folder if one == features else one for one in arguments))
    assert result.code == code
    assert "features whose rows are all the same: " + ", ".join(videos) in result.err


@pytest.mark.parametrize("durations", [True, False])
@pytest.mark.parametrize("uneven", [True, False])
def test_features_the_other_way_round(tmp_path: Path, refused: Refused, durations: bool, uneven: bool) -> None:
    """12 channels of some 80 moments, half a second apart, stored as (12, 80)."""
    database: dict[str, Any] = {}
    for i in range(4):
        length = 80 - 3 * i * uneven
        np.save(tmp_path / f"v{i}.npy", np.ones((12, length), np.float32))
        (tmp_path / f"v{i}.json").write_text('{"fps": 10, "stride": 5, "num_frames": 5}', "utf-8")
        actions = [{"segment": [start, start + 2], "label": "jump"} for start in (1, 20, 30)]
        database[f"v{i}"] = {"subset": "training", "annotations": actions, "duration": 0.5 * length}
        if not durations:
            del database[f"v{i}"]["duration"]
    path = tmp_path / "annotations.json"
    path.write_text(json.dumps({"database": database}), "utf-8")
    message = refused("train", "small", "--annotations", path, "--features", tmp_path, "--out", tmp_path / "run")
    assert "are they stored as (D, T)? Transpose them" in message


@pytest.fixture
def subsets(annotations: Path, features: Path, tmp_path: Path) -> Callable[..., tuple[Any, ...]]:
    """The command that trains with `auto` on annotations whose videos have these subsets."""

    def arguments(*names: str) -> tuple[Any, ...]:
        content = json.loads(annotations.read_text("utf-8"))
        for video, name in zip(content["database"].values(), names, strict=True):
            video["subset"] = name
        path = tmp_path / "changed.json"
        path.write_text(json.dumps(content), "utf-8")
        return ("train", "auto", "--annotations", path, "--features", features, "--out", tmp_path / "run", *SHORT)

    return arguments


def test_a_subset_that_nobody_has_is_refused(subsets: Callable[..., Any], refused: Refused, tmp_path: Path) -> None:
    usual = subsets(*["training"] * 4, "validation", "validation")
    said = refused(*usual, "--data.test-subset", "nix")
    assert (
        "no video in subset 'nix', nothing is evaluated; there are 'training', 'validation': give --data.test" in said
    )
    assert "no video in subset 'nix'; there " in refused(*usual, "--data.test-subset", "validation", "nix")
    assert "--data.train-subset with one of them" in refused(*usual, "--data.train-subset", "nix")
    own = refused(*subsets(*["learn"] * 4, "check", "check"))
    assert "no video in subset 'training'; there are 'check', 'learn': give --data.train-subset with one of them" in own
    assert "did you mean 'Train '?; there are 'Train '" in refused(*subsets(*["Train "] * 6))
    assert not (tmp_path / "run").exists()


def test_subsets_that_look_mistyped_are_said(subsets: Callable[..., Any], call: Command) -> None:
    result = call(*subsets("training", "training", "training", "train", "validation", "validation"))
    assert result.code == 0, result.err
    slip = "1 of 6 videos is in a subset that is not used: 'train', did you mean 'training'?; correct its name"
    assert result.err.count(slip) == 1
    result = call(*subsets(*["training"] * 4, "validaton", "validaton"), "--overwrite")
    assert "'validaton', did you mean 'validation'?" in result.err


def test_a_comparison_says_so_once(
    subsets: Callable[..., Any], call: Command, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actionformer.recipes.costs._peak_mib", lambda *_: None)  # in a process that imports torch
    _, _, *data = subsets("training", "training", "training", "train", "validation", "validation")
    few = ("--seeds", 1, "--draws", 5)
    assert "no video in subset 'nix'" in refused("compare", "tridet", *data, *few, "--data.test-subset", "nix")
    result = call("ablate", "--switches", "no-head-norm", *data, *few)
    assert result.code == 0, result.err
    assert result.err.count("'train', did you mean 'training'?") == 1


@pytest.mark.parametrize(
    ("backbone", "axes", "message"),
    [
        ("statistics:a", 3, "sensors can be turned where features are windows of readings, and these are statistics"),
        ("motion", 6, "these are motion: leave out data.sensor_axes and data.sensor_rotation"),
        ("windows:a,b,c,d,e,f@t", 3, "data.sensor_axes 3: features are windows of 6 columns (windows:a,b,c,d,e,f@t)"),
    ],
)
def test_only_windows_of_as_many_axes_are_turned(
    annotations: Path, features: Path, refused: Refused, tmp_path: Path, backbone: str, axes: int, message: str
) -> None:
    made = shutil.copytree(features, tmp_path / "made")
    for sidecar in made.glob("*.json"):
        sidecar.write_text(json.dumps({**json.loads(sidecar.read_text("utf-8")), "backbone": backbone}), "utf-8")
    given = ("--annotations", annotations, "--features", made, "--out", tmp_path / "run")
    assert message in refused("train", "small", *given, *SHORT, "--data.sensor-axes", axes)
