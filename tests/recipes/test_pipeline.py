"""Three lines from a model to the actions in a file."""

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from actionformer.core.detections import Action
from actionformer.core.errors import InputError
from actionformer.inference.loading import load
from actionformer.recipes.pipeline import pipeline


def test_actions_of_a_video_one_after_the_other(seen: Path, videos: Path) -> None:
    find = pipeline(seen / "run", threshold=0.0)
    found = find(videos / "clip0.mp4")
    actions = list(found)
    detector = load(seen / "run")
    calibration = detector.card.calibration
    expected = detector.detect_video(videos / "clip0.mp4")
    expected = expected if calibration is None else calibration.calibrated(expected)
    assert len(actions) == len(expected) > 0
    np.testing.assert_allclose([one[:2] for one in actions], expected.segments, atol=1e-4)
    assert [one.label for one in actions] == [expected.class_names[label] for label in expected.labels]
    assert [one.score for one in actions] == sorted((one.score for one in actions), reverse=True)


@pytest.mark.filterwarnings("ignore:none of .* reaches the threshold")
def test_features_arrays_and_lists_of_them(trained: Path, features: Path) -> None:
    find = pipeline(trained, threshold=0.05)
    file = features / "video4.npy"
    first, second = find([str(file), np.load(file)])
    assert list(first) == list(second) == list(find(file))
    assert all(isinstance(one, Action) and one.score >= 0.05 for one in first)
    assert list(map(list, find(one for one in (file, str(file))))) == [list(first)] * 2
    assert find([]) == find(iter([])) == []


@pytest.mark.filterwarnings("ignore:none of .* reaches the threshold")
def test_by_default_what_people_are_shown(trained: Path, features: Path) -> None:
    detector = load(trained)
    shown = detector.shown(detector.detect(features / "video4.npy"))
    assert list(pipeline(trained)(features / "video4.npy")) == list(shown)


def test_what_cannot_be_used_is_refused(trained: Path) -> None:
    with pytest.raises(InputError, match="min_score must lie between 0 and 1"):
        pipeline(trained, threshold=30)
    with pytest.raises(InputError, match="no model directory"):
        pipeline(trained / "events")
    for given in (trained / "missing.mp4", trained, ""):
        with pytest.raises(InputError, match="no such file: give a video, a file of features, or an array"):
            pipeline(trained)(given)
    with pytest.raises(InputError, match="no engine 'tensorrt'"):
        pipeline(trained, engine=cast(Any, "tensorrt"))


def test_a_threshold_that_nothing_reaches_is_said(trained: Path, features: Path) -> None:
    find = pipeline(trained, threshold=1.0)
    with pytest.warns(
        UserWarning, match=r"none of \d+ detections reaches the threshold, the best has 0\.\d+: lower it"
    ):
        assert len(find(features / "video0.npy")) == 0
