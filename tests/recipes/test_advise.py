"""Settings that fit data, from files, and as the verb `init`."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from commands import Command, Refused
from facts import values
from moving import write_actions

from actionformer.core.errors import InputError
from actionformer.recipes.advise import advise
from actionformer.recipes.extract import extract
from actionformer.settings.loading import load_config


def test_settings_of_features(annotations: Path, features: Path) -> None:
    said = values(advise(annotations, features=features))
    assert said["data.train_subset"] == ["training"]
    assert said["data.test_subset"] == ["validation"]
    assert said["model.branch_blocks"] == 2  # actions of at most 4 s are 8 features
    assert said["model.max_length"] == 256
    assert said["training.epochs"] == 300  # of 350, at 2 steps each
    assert "data.stride" not in said, "the sidecars say it"


def test_the_reason_of_videos_that_are_held_out(annotations: Path, features: Path, tmp_path: Path) -> None:
    split = tmp_path / "split.json"
    split.write_text(annotations.read_text("utf-8").replace('"Validation"', '"held out"'), "utf-8")
    (reason,) = {one.reason for one in advise(split, features=features).advice if one.setting == "test_subset"}
    assert reason == "a part of the training videos is held out"


def test_videos_are_advised_as_their_features_are(videos: Path, tmp_path: Path) -> None:
    file = write_actions(tmp_path / "annotations.json", videos)
    planned = advise(file, videos=videos)
    stride, num_frames = planned.config.data.stride, planned.config.data.num_frames
    assert (stride, num_frames) == (3, 6)  # actions of 1.5 s at 15 frames a second
    extract(videos, "motion", tmp_path / "features", stride=stride, num_frames=num_frames, workers=0)
    made = advise(file, features=tmp_path / "features")
    assert made.config == planned.config.replace(data={"stride": None, "num_frames": None})


def test_init_writes_what_can_be_trained_with(annotations: Path, features: Path, tmp_path: Path, call: Command) -> None:
    out = tmp_path / "my.toml"
    options = ("init", "--annotations", annotations, "--features", features, "--out", out)
    result = call(*options, "--training.epochs", "6")
    assert result.code == 0
    assert re.search(r"training\.epochs +6 +given *\n", result.out)
    assert result.out.endswith(f"settings: {out}\n")
    expected = advise(annotations, features=features, settings={"training": {"epochs": 6}}).config
    assert load_config(out) == expected
    assert call(*options).code == 2, "a file that is there is kept"
    assert call(*options, "--overwrite").code == 0


def test_what_nothing_can_be_derived_from(annotations: Path, features: Path, videos: Path, tmp_path: Path) -> None:
    for both in ({}, {"features": features, "videos": videos}):
        with pytest.raises(InputError, match="give --features, or --videos to make them from"):
            advise(annotations, **both)  # type: ignore[arg-type]
    content = json.loads(annotations.read_text("utf-8"))
    for video in content["database"].values():
        video["annotations"] = []
    empty = tmp_path / "empty.json"
    empty.write_text(json.dumps(content), "utf-8")
    with pytest.raises(InputError, match="no action in the 4 videos of subset training to learn"):
        advise(empty, features=features)
    with pytest.raises(InputError, match=r"6 of 6 annotated videos have no file in .*: video0, video1"):
        advise(annotations, videos=videos)


def test_timing_that_nobody_knows_is_asked_for(
    annotations: Path, features: Path, tmp_path: Path, refused: Refused
) -> None:
    for path in features.glob("*.npy"):
        np.save(tmp_path / path.name, np.load(path))
    options = ("init", "--annotations", annotations, "--features", tmp_path, "--out", tmp_path / "my.toml")
    assert "of the features are not known" in refused(*options)
