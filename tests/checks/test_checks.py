"""Real data sets and that of the demo are healthy, but for actions of THUMOS14 that its own durations contradict."""

import json
from pathlib import Path

import numpy as np
import pytest

from actionformer.checks import Finding, check_evaluation, check_training
from actionformer.core.annotations import Annotations
from actionformer.core.segments import TimeGrid
from actionformer.data.collection import Collection, FeaturedVideo
from actionformer.data.dataset import TrainingSet, place_on_grid
from actionformer.demo import synthetic
from actionformer.demo.reels import FPS
from actionformer.features import Features, FeatureSpec
from actionformer.formats.activitynet.annotations import parse_annotations
from actionformer.formats.annotations import read_annotations
from actionformer.recipes import demo
from actionformer.settings.config import Config
from actionformer.settings.loading import load_config


def collection(annotations: Annotations, config: Config) -> Collection:
    """The videos of a subset with features of the lengths that their durations make."""
    videos = []
    for video in annotations.videos.values():
        data = config.data
        fps = data.fps or video.fps
        assert fps is not None
        assert data.stride is not None
        assert data.num_frames is not None
        assert video.duration is not None
        grid = TimeGrid(fps, data.stride, data.num_frames)
        length = max(int((video.duration * fps - data.num_frames) // data.stride) + 1, 1)
        videos.append(FeaturedVideo(video, Features((), (length, 64)), grid, FeatureSpec()))
    return Collection(videos, [])


def findings(annotations: Annotations, config: Config) -> list[Finding]:
    config = config.replace(model={"num_classes": len(annotations.class_names)})
    train, test = (
        collection(annotations.subset(names), config) for names in (config.data.train_subset, config.data.test_subset)
    )
    training = TrainingSet(
        place_on_grid(train.videos, None), data=config.data, max_length=config.model.max_length, seed=0
    )
    names = annotations.class_names
    return [*check_training(train, training, config, names), *check_evaluation(test, train, names)]


@pytest.mark.parametrize("file", ["hapt/annotations", "salads/annotations", "salads/annotations_split4"])
def test_healthy_data_sets(shared: Path, file: str) -> None:
    annotations = read_annotations(shared / "data" / f"{file}.json")
    assert findings(annotations, load_config(file.partition("/")[0])) == []


@pytest.mark.parametrize("split", ["1", "2"])
def test_gtea(shared: Path, split: str) -> None:
    content = json.loads((shared / "data/gtea/annotations.json").read_text("utf-8"))
    for id_, video in content["database"].items():
        video["subset"] = "training" if id_ in content["splits"][split]["train"] else "validation"
    config = load_config("small", {"data": {"fps": 15, "stride": 1, "num_frames": 1}})
    assert findings(parse_annotations(content), config) == []


def test_thumos14(shared: Path) -> None:
    annotations = read_annotations(shared / "data/thumos14/thumos14.json")
    found = findings(annotations, load_config("thumos14_i3d"))
    assert [(one.kind, one.severity, one.count, one.total) for one in found] == [
        ("outside", "warning", 4, 3007),
        ("outside", "warning", 26, 3358),
    ]


def test_demo() -> None:
    subsets = ["training"] * 70 + ["test"] * 10
    database = {
        f"{subset}_{i:03d}": synthetic._entry(synthetic.draw_schedule(np.random.default_rng([0, i])), subset)
        for i, subset in enumerate(subsets)
    }
    timing = {"fps": FPS, "stride": demo.STRIDE, "num_frames": demo.NUM_FRAMES}
    assert findings(parse_annotations({"database": database}), load_config(demo.CONFIG, {"data": timing})) == []
