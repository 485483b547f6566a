"""`train auto`, and training from videos."""

import io
import json
from pathlib import Path

import pytest
from commands import Command, Refused
from moving import write_actions
from rich.console import Console

from actionformer.core.errors import InputError
from actionformer.recipes.advise import advise
from actionformer.recipes.train import train
from actionformer.settings.config import Config
from actionformer.settings.loading import load_config

pytestmark = pytest.mark.filterwarnings("ignore:.*classes have fewer than 3 actions")
SHORT = {"model": {"width": 16}, "training": {"epochs": 2, "warmup_epochs": 0}}
OPTIONS = ("--model.width", "16", "--training.epochs", "2", "--training.warmup-epochs", "0")


def test_auto_trains_with_what_is_advised_and_says_it_once(annotations: Path, features: Path, tmp_path: Path) -> None:
    page = io.StringIO()
    console = Console(file=page, width=200)
    train("auto", annotations, features, tmp_path / "run", settings=SHORT, console=console)
    expected = advise(annotations, features=features, settings=SHORT).config
    assert load_config(tmp_path / "run") == expected.replace(model={"input_dim": 6, "num_classes": 2})
    assert page.getvalue().count("model.max_length") == 1
    assert "holds the longest recording, 80 features" in page.getvalue()


def test_what_is_odd_about_features_is_said_once(
    annotations: Path, features: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    content = json.loads(annotations.read_text("utf-8"))
    content["database"]["video0"]["duration"] += 1.5  # features that end early, by more than a window
    file = tmp_path / "annotations.json"
    file.write_text(json.dumps(content), "utf-8")
    with pytest.warns(UserWarning, match="video 'video0'") as caught:
        train("auto", file, features, tmp_path / "run", settings=SHORT)
    assert len(caught) == 1
    assert [record.getMessage() for record in caplog.records] == [str(one.message) for one in caught]


def test_videos_are_made_features_once(videos: Path, tmp_path: Path, call: Command) -> None:
    run, file = tmp_path / "run", write_actions(tmp_path / "annotations.json", videos)
    options = ("train", "auto", "--annotations", file, "--videos", videos, "--out", run)
    result = call(*options, *OPTIONS)
    assert result.code == 0, result.err
    assert "data.stride" in result.err
    made = {path: path.stat().st_mtime_ns for path in (run / "features").glob("*.npy")}
    assert sorted(path.stem for path in made) == ["clip0", "clip1", "clip2"]
    assert json.loads((run / "features" / "clip0.json").read_text("utf-8"))["stride"] == 3
    assert call(*options, *OPTIONS, "--resume").code == 0
    assert call(*options, *OPTIONS, "--overwrite").code == 0
    assert {path: path.stat().st_mtime_ns for path in made} == made
    started = call(*options[:-1], tmp_path / "other", *OPTIONS, "--data.stride", "2", "--init", run)
    assert started.code == 2
    assert f"{run}: " in started.err
    assert "stride 2" in started.err
    assert not (tmp_path / "other" / "features").exists(), "refused before videos are read"
    denser = (*options, *OPTIONS, "--data.stride", "2")
    assert "holds features with stride 3, not 2" in call(*denser, "--resume").err
    assert call(*denser, "--overwrite").code == 0
    assert json.loads((run / "features" / "clip0.json").read_text("utf-8"))["stride"] == 2


def test_a_run_that_was_stopped_while_features_were_made_begins_again(videos: Path, tmp_path: Path) -> None:
    run, file = tmp_path / "run", write_actions(tmp_path / "annotations.json", videos)
    (run / "features").mkdir(parents=True)
    train("auto", file, videos=videos, out=run, settings=SHORT)
    assert (run / "model.json").is_file()


def test_other_settings_take_videos_too_and_the_stride_is_derived(videos: Path, tmp_path: Path, tiny: Config) -> None:
    page = io.StringIO()
    settings = {"data": {"stride": 2}, "training": {"epochs": 1, "warmup_epochs": 0}}
    file = write_actions(tmp_path / "annotations.json", videos)
    train(tiny, file, videos=videos, out=tmp_path / "run", settings=settings,
          console=Console(file=page, width=200))  # fmt: skip
    assert "data.num_frames 4: two strides" in page.getvalue()
    assert "data.stride" not in page.getvalue(), "it was given"
    config = load_config(tmp_path / "run")
    assert (config.data.stride, config.data.num_frames, config.model.max_length) == (2, 4, tiny.model.max_length)


def test_features_and_videos_are_not_both_given(
    annotations: Path, features: Path, refused: Refused, tmp_path: Path
) -> None:
    options = ("train", "auto", "--annotations", annotations, "--out", tmp_path / "run")
    assert refused(*options) == "error: give --features, or --videos to make them from\n"
    both = (*options, "--features", features, "--videos", features)
    assert refused(*both) == "error: give --features, or --videos to make them from, not both\n"
    assert not (tmp_path / "run").exists()


def test_a_video_that_cannot_be_read_is_named(videos: Path, tmp_path: Path) -> None:
    broken = tmp_path / "videos"
    broken.mkdir()
    for path in videos.glob("*.mp4"):
        (broken / path.name).write_bytes(path.read_bytes() if path.stem != "clip1" else b"no video")
    with (
        pytest.warns(UserWarning, match=r"clip1\.mp4: "),
        pytest.raises(InputError, match="1 of 2 videos has no features"),
    ):
        train(
            "auto",
            write_actions(tmp_path / "annotations.json", videos),
            videos=broken,
            out=tmp_path / "run",
            settings=SHORT,
        )
