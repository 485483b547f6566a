"""Runs that hold videos out by themselves, and what they remember of it."""

import io
import json
import re
import shutil
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from commands import Command
from moving import write_actions
from rich.console import Console

from actionformer.core.errors import InputError
from actionformer.core.terminal import plain_console
from actionformer.data.split import HELD_OUT
from actionformer.formats.annotations import read_annotations
from actionformer.model_directory import load_settings
from actionformer.recipes.calibrate import calibrate
from actionformer.recipes.diagnose import diagnose
from actionformer.recipes.evaluate import evaluate
from actionformer.recipes.given import TrainingData
from actionformer.recipes.held_out import hold_out, usual_share
from actionformer.recipes.train import train
from actionformer.settings.config import Config
from actionformer.viewer.opening import open_project
from actionformer.viewer.options import ViewerOptions


@pytest.fixture(scope="module")
def split_run(tmp_path_factory: pytest.TempPathFactory, tiny: Config, all_training: Path, features: Path) -> Path:
    out = tmp_path_factory.mktemp("split") / "run"
    train(tiny, all_training, features, out, validation=0.34)
    return out


def test_the_run_knows_what_it_held_out(split_run: Path, all_training: Path) -> None:
    config, card = load_settings(split_run)
    assert len(card.held_out) == 2
    assert config.data.test_subset == (HELD_OUT,)
    assert card.training["videos"] == 4
    report = evaluate(split_run)
    assert report.counts.videos == 2
    assert report.average == card.metrics["map"]
    assert json.loads((split_run / "detections.json").read_text("utf-8"))["results"].keys() == set(card.held_out)
    assert diagnose(split_run, draws=2).videos == 2
    everything = json.loads(all_training.read_text("utf-8"))["database"]
    actions = sum(len(everything[id_]["annotations"]) for id_ in card.held_out)
    assert report.counts.ground_truths == actions
    with pytest.raises(InputError, match=f"{actions} actions in 2 videos: too few to calibrate on"):
        calibrate(split_run)


def test_what_auto_holds_out_by_itself(all_training: Path, annotations: Path, tiny: Config) -> None:
    every = read_annotations(all_training)
    assert usual_share(every, tiny) == 0.25
    assert usual_share(read_annotations(annotations), tiny) is None, "there is an evaluation subset"
    videos = list(every.videos.items())
    assert usual_share(replace(every, videos=dict(videos[:2])), tiny) == 0.25
    assert usual_share(replace(every, videos=dict(videos[:1])), tiny) is None, "one cannot be spared"
    empty = replace(videos[1][1], segments=np.empty((0, 2)), labels=np.empty(0, np.int64))
    assert usual_share(replace(every, videos=dict([videos[0], ("other", empty)])), tiny) is None, (
        "nothing to find in it"
    )


@pytest.mark.parametrize(("count", "held_out", "said"), [(1, 0, "Of one video with actions"), (2, 1, "1 video left")])
def test_hardly_any_videos(
    count: int, held_out: int, said: str, all_training: Path, features: Path, tmp_path: Path
) -> None:
    content = json.loads(all_training.read_text("utf-8"))
    content["database"] = dict(list(content["database"].items())[:count])
    (tmp_path / "few.json").write_text(json.dumps(content), "utf-8")
    short = {"model": {"width": 16}, "training": {"epochs": 1, "warmup_epochs": 0}}
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        train("auto", tmp_path / "few.json", features, tmp_path / "run", settings=short)
        assert any(said in str(one.message) for one in told)
        train("auto", tmp_path / "few.json", features, tmp_path / "all", settings=short, validation=0)
    assert len(load_settings(tmp_path / "run")[1].held_out) == held_out
    assert not load_settings(tmp_path / "all")[1].held_out


def test_auto_holds_a_quarter_out_where_there_is_no_evaluation_subset(
    all_training: Path, features: Path, tmp_path: Path
) -> None:
    short = {"model": {"width": 16}, "training": {"epochs": 1, "warmup_epochs": 0}}
    page = io.StringIO()
    train("auto", all_training, features, tmp_path / "run", settings=short, console=Console(file=page, width=200))
    config, card = load_settings(tmp_path / "run")
    assert len(card.held_out) in (1, 2)
    assert f"{6 - len(card.held_out)} videos: new videos differ" in page.getvalue(), "no setting is of held-out videos"
    assert config.data.test_subset == (HELD_OUT,)
    assert card.training["videos"] == 6 - len(card.held_out)


def test_missing_videos_are_not_held_out(all_training: Path, features: Path, tmp_path: Path) -> None:
    less = shutil.copytree(features, tmp_path / "features")
    gone = {"video1", "video4"}
    for name in gone:
        (less / f"{name}.npy").unlink()
    data = TrainingData(annotations=all_training, features=less, skip_missing=True)
    console = plain_console(quiet=True)
    for seed in range(5):
        given = data.given("auto", {"training": {"seed": seed}})
        held_out = hold_out(given, 0.25, console).annotations.subset(HELD_OUT).videos.keys()
        assert held_out
        assert not held_out & gone


def test_videos_that_cannot_be_read_are_not_held_out(videos: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(videos, tmp_path / "videos")
    (folder / "broken.mp4").write_bytes(b"no video")
    (folder / "gone.mp4").touch()
    file = write_actions(tmp_path / "annotations.json", folder)
    file.write_text(file.read_text("utf-8").replace("validation", "training"), "utf-8")
    (folder / "gone.mp4").unlink()
    data = TrainingData(annotations=file, videos=folder, skip_missing=True)
    for seed in range(5):
        given = data.given("auto", {"training": {"seed": seed}})
        with pytest.warns(UserWarning, match="2 videos left to learn from"):
            given = hold_out(given, None, plain_console(quiet=True))
        (held_out,) = given.annotations.subset(HELD_OUT).videos
        assert held_out.startswith("clip")


def test_other_subsets_can_be_asked_for(tmp_path: Path, split_run: Path) -> None:
    run = shutil.copytree(split_run, tmp_path / "run")
    with pytest.warns(UserWarning, match="was trained on subset training, where its scores and figures are too good"):
        report = evaluate(run, subset="training")
    assert report.counts.videos == 4


def test_of_other_videos_nothing_is_said(tmp_path: Path, split_run: Path, all_training: Path, features: Path) -> None:
    """Though their subset is called as that which was trained on."""
    database = json.loads(all_training.read_text("utf-8"))["database"]
    others = shutil.copytree(features, tmp_path / "others")
    for file in sorted(others.iterdir()):
        file.rename(file.with_name(f"other_{file.name}"))
    labels = tmp_path / "others.json"
    labels.write_text(json.dumps({"database": {f"other_{id_}": video for id_, video in database.items()}}), "utf-8")
    run = shutil.copytree(split_run, tmp_path / "run")
    assert evaluate(run, annotations=labels, features=others, subset="training").counts.videos == len(database)


def test_the_viewer_shows_what_was_held_out(split_run: Path) -> None:
    project = open_project(ViewerOptions(split_run))
    assert project.annotations is not None
    assert project.annotations.videos.keys() == set(load_settings(split_run)[1].held_out)


def test_resume_holds_the_same_videos_out(
    tmp_path: Path, split_run: Path, tiny: Config, all_training: Path, features: Path
) -> None:
    run = shutil.copytree(split_run, tmp_path / "run")
    weights = (run / "model.safetensors").read_bytes()
    train(tiny, all_training, features, run, resume=True)
    assert (run / "model.safetensors").read_bytes() == weights
    train(tiny, all_training, features, run, resume=True, validation=0.34)
    with pytest.raises(InputError, match="was trained with 2 other videos held out: leave --validation out"):
        train(tiny, all_training, features, run, resume=True, validation=0.5)


def test_the_command_line_says_what_it_holds_out(
    tmp_path: Path, tiny: Config, all_training: Path, features: Path, call: Command
) -> None:
    (tmp_path / "tiny.toml").write_text(tiny.to_toml(), "utf-8")
    names = {f"video{i}": f"P{i // 2}_{i}" for i in range(6)}
    content = all_training.read_text("utf-8")
    for before, now in names.items():
        content = content.replace(before, now)
        shutil.copy(features / f"{before}.npy", tmp_path / f"{now}.npy")
        shutil.copy(features / f"{before}.json", tmp_path / f"{now}.json")
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations" / "all.json").write_text(content, "utf-8")
    data = ["--annotations", tmp_path / "annotations" / "all.json", "--features", tmp_path, "--out", tmp_path / "run"]
    epochs = ["--training.epochs", 1, "--training.warmup-epochs", 0]
    result = call("train", tmp_path / "tiny.toml", *data, "--validation", 0.34, *epochs)
    assert result.code == 0, result
    held_out = load_settings(tmp_path / "run")[1].held_out
    assert len({id_[:2] for id_ in held_out}) == 1
    assert f"held out for evaluation: 2 of 6 videos: {', '.join(held_out)}\n" in result.err
    assert "warning: videos of one group stay together: 3 groups by the part of their ids that is 'P0'" in result.err
    assert call("evaluate", tmp_path / "run").code == 0


def test_a_file_without_evaluation_subset_says_what_to_do(
    tmp_path: Path, tiny: Config, all_training: Path, features: Path
) -> None:
    short = tiny.replace(training={"epochs": 1, "warmup_epochs": 0})
    with pytest.warns(UserWarning, match=re.escape("training runs without evaluation; --validation 0.25 holds")):
        train(short, all_training, features, tmp_path / "run")
