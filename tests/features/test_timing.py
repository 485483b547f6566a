"""Features of another stride, window or rate than the model's are refused, with both values."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from commands import Command, Refused
from variants import lively_detector as lively

from actionformer.core.errors import InputError
from actionformer.features import FeatureSpec, check_timing, timing_of, unknown_of
from actionformer.inference.detector import Detector
from actionformer.inference.loading import build, load
from actionformer.recipes.evaluate import evaluate
from actionformer.recipes.live import watch
from actionformer.recipes.prepare import prepared_detector
from actionformer.recipes.search import Search
from actionformer.recipes.train import train
from actionformer.settings.config import Config

REFUSED = r"features of fps 10, stride 10, num_frames 10, the model was trained on fps 10, stride 5, num_frames 10: .*"
SAID = "ignore:.*detections that score"


def spec(fps: float | None, stride: float | None = 4, num_frames: float | None = 16) -> FeatureSpec:
    return FeatureSpec(fps=fps, stride=stride, num_frames=num_frames)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (spec(30), spec(30)),
        (spec(29.97), spec(30)),
        (spec(25), spec(30)),  # every fourth frame of a video of another rate
        (spec(24), spec(30)),
        (spec(15, 2, 8), spec(30)),  # the same in seconds
        (spec(60, 8, 32), spec(30)),
        (spec(29.97, 4, 16), spec(15, 2, 8)),
        (spec(30), spec(None)),  # a training set of several rates
        (spec(60), spec(None)),
        (spec(None), spec(30)),
        (spec(30, None, None), spec(30)),
        (spec(60), FeatureSpec()),
        (FeatureSpec(), spec(30)),
    ],
)
def test_what_lies_alike(found: FeatureSpec, expected: FeatureSpec) -> None:
    check_timing(found, expected, "a")
    check_timing(expected, found, "a")


@pytest.mark.parametrize(
    ("found", "expected", "values"),
    [
        (
            spec(30, 8),
            spec(30),
            "fps 30, stride 8, num_frames 16, the model was trained on fps 30, stride 4, num_frames 16",
        ),
        (spec(30, 4, 32), spec(30), "num_frames 32, the model was trained on fps 30, stride 4, num_frames 16"),
        (spec(60), spec(30), "fps 60, stride 4, num_frames 16, the model was trained on fps 30"),
        (spec(15), spec(30), "fps 15"),
        (
            spec(25, 8),
            spec(None),
            "features of stride 8, num_frames 16, the model was trained on stride 4, num_frames 16",
        ),
        (spec(None, 8), spec(30), "features of stride 8, num_frames 16, the"),
        (spec(15, 4, 8), spec(30), "fps 15, stride 4, num_frames 8"),
    ],
)
def test_what_lies_otherwise(found: FeatureSpec, expected: FeatureSpec, values: str) -> None:
    with pytest.raises(InputError, match=f"a: .*{values}"):
        check_timing(found, expected, "a")


@pytest.fixture
def other(features: Path, tmp_path: Path) -> Path:
    """The features as they would be of every tenth frame."""
    folder = shutil.copytree(features, tmp_path / "other")
    for path in folder.glob("*.npy"):
        np.save(path, np.load(path)[::2])
        path.with_suffix(".json").write_text('{"fps": 10, "stride": 10, "num_frames": 10}', "utf-8")
    return folder


def test_the_command_line(
    call: Command, refused: Refused, run: Path, other: Path, features: Path, annotations: Path, tmp_path: Path
) -> None:
    both = "stride 10, num_frames 10, the model was trained on fps 10, stride 5, num_frames 10"
    file = other / "video4.npy"
    learn = ("train", run / "config.toml", "--annotations", annotations, "--out", tmp_path / "new")
    for command, name in (
        (("detect", run, file, "--format", "csv"), str(file)),
        (("detect", run, features / "video4.npy", "--stride", 10, "--format", "csv"), str(features / "video4.npy")),
        (("watch", run, file, "--format", "csv"), str(file)),
        (("evaluate", run, "--features", other), "video 'video4'"),
        ((*learn, "--features", other, "--init", run), str(run)),
    ):
        line = refused(*command)
        assert line.startswith(f"error: {name}: features of fps 10, ")
        assert both in line
        assert "--other-timing" in line
        assert not (tmp_path / "new" / "model.json").exists()
        if command[0] in ("detect", "watch"):
            assert call(*command, "--other-timing").code == 0


def test_videos_are_not_decoded_for_clips_that_do_not_fit(refused: Refused, seen: Path, videos: Path) -> None:
    line = refused("detect", seen / "run", videos, "--stride", 4)
    assert "clips of videos: features of " in line
    assert "stride 4, num_frames 4, the model was trained on" in line
    with pytest.raises(InputError, match="clips of videos"):
        load(seen / "run").detect_video(videos / "clip1.mp4", num_frames=9)
    with pytest.raises(InputError, match="clips of videos"):
        watch(seen / "run", videos / "clip1.mp4", stride=4)


@pytest.mark.filterwarnings(SAID)
def test_from_python(run: Path, other: Path, tiny: Config, annotations: Path) -> None:
    file = other / "video4.npy"
    detector = load(run)
    for refused in (
        lambda: detector.detect(file),
        lambda: detector.detect(np.zeros((5, 6)), stride=10),
        lambda: detector.detect_many({"a": {"features": np.zeros((5, 6)), "stride": 10}}),
        lambda: detector.stream(stride=10, max_action_seconds=10),
        lambda: Search(load(run), [file]).found(),
        lambda: watch(run, file),
        lambda: evaluate(run, features=other),
    ):
        with pytest.raises(InputError, match=REFUSED):
            refused()
    detector.other_timing = True
    assert len(detector.detect(file)) == len(load(run, other_timing=True).detect(file))
    assert evaluate(run, features=other, other_timing=True).counts.videos == 2
    assert Search(prepared_detector(run, other_timing=True), [file]).found().detections.keys() == {"video4"}


def test_a_training_set_of_two_strides(tiny: Config, annotations: Path, features: Path, tmp_path: Path) -> None:
    mixed = shutil.copytree(features, tmp_path / "mixed")
    np.save(mixed / "video1.npy", np.load(mixed / "video1.npy")[::2])
    (mixed / "video1.json").write_text('{"fps": 10, "stride": 10, "num_frames": 10}', "utf-8")
    with pytest.raises(InputError, match=f"video 'video1': {REFUSED}"):
        train(tiny, annotations, mixed, tmp_path / "run")
    train(tiny, annotations, mixed, tmp_path / "run", other_timing=True)
    assert "stride" not in json.loads((tmp_path / "run" / "model.json").read_text("utf-8"))["features"]


def test_a_training_set_of_several_rates(tiny: Config, annotations: Path, features: Path, tmp_path: Path) -> None:
    """Every fifth frame of videos of 10 and of 20 frames a second, and a model that has seen both."""
    mixed = shutil.copytree(features, tmp_path / "mixed")
    content = json.loads(annotations.read_text("utf-8"))
    video = content["database"]["video1"]
    video["duration"] /= 2
    for action in video["annotations"]:
        action["segment"] = [time / 2 for time in action["segment"]]
    (tmp_path / "a.json").write_text(json.dumps(content), "utf-8")
    (mixed / "video1.json").write_text('{"fps": 20, "stride": 5, "num_frames": 10}', "utf-8")
    detector = train(tiny, tmp_path / "a.json", mixed, tmp_path / "run")
    detector.detect(np.zeros((9, 6)), fps=50)
    with pytest.raises(InputError, match="features of stride 9"):
        detector.detect(np.zeros((9, 6)), fps=50, stride=9)


def test_no_false_alarms(tiny: Config) -> None:
    unknown: Detector = build(tiny.replace(model={"input_dim": 6, "num_classes": 2}))
    unknown.detect(np.zeros((9, 6)), fps=50, stride=9, num_frames=3)
    resized = lively(tiny, data={"resize": 32})  # sees every video as 32 features
    resized.detect(np.zeros((9, 6)), fps=50, stride=9, num_frames=3)


def test_who_is_believed() -> None:
    call, sidecar = FeatureSpec(stride=1), FeatureSpec(stride=2, num_frames=2, start=0.5, backbone="motion")
    settings, model = FeatureSpec(num_frames=3), FeatureSpec(num_frames=4, fps=4, dim=6)
    annotations = FeatureSpec(fps=5, duration=9)
    said = timing_of(call=call, sidecar=sidecar, settings=settings, model=model, annotations=annotations)
    assert said == FeatureSpec(stride=1, num_frames=2, start=0.5, fps=4, duration=9)
    assert unknown_of(said) == []
    assert unknown_of(timing_of(call=call, sidecar=FeatureSpec(start=0.0))) == ["fps", "num_frames"]
