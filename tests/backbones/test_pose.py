import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from actionformer import extract
from actionformer.backbones import load_backbone
from actionformer.backbones.base import at_rate
from actionformer.backbones.pose import FollowPerson, Pose, as_seen
from actionformer.core.errors import InputError


@pytest.fixture(scope="module")
def weights(shared: Path) -> Path:
    pytest.importorskip("ai_edge_litert")
    return shared / "data" / "weights" / "movenet_single_pose_lightning_ptq.tflite"


def test_points_without_confidence_have_no_place() -> None:
    pose = np.array([[1, 2, 0.2], [3, 4, 0.19]], np.float32)
    np.testing.assert_array_equal(as_seen(pose), np.array([[1, 2, 0.2], [np.nan, np.nan, 0.19]], np.float32))


def test_weights_that_are_missing_are_an_error_with_where_they_are() -> None:
    with pytest.raises(InputError, match=r"pose: no weights at .*google-coral/test_data .*Apache-2\.0.* --weights"):
        load_backbone("pose")


def test_speed_is_that_of_the_rate_at_which_frames_come(weights: Path) -> None:
    preprocessing = Pose(weights=[weights]).preprocessing
    assert isinstance(preprocessing, FollowPerson)
    faster = at_rate(preprocessing, 30.0)
    assert (preprocessing.fps, faster) == (15.0, FollowPerson(weights, 30.0))
    assert str(faster) == str(preprocessing)  # the sidecar says the rate by itself
    assert pickle.loads(pickle.dumps(faster)) == faster


def test_raw_clips_become_features(weights: Path) -> None:
    backbone = load_backbone("pose", weights)
    clips = np.random.default_rng(0).integers(0, 256, (2, 3, 60, 80, 3)).astype(np.uint8)
    found = backbone(clips)
    assert found.shape == (2, backbone.dim) == (2, 186)
    assert found.isfinite().all()


def test_a_video_becomes_features(weights: Path, shared: Path, tmp_path: Path) -> None:
    """The woman turns her pancake upright, in the middle; her torso leans by less than 30 degrees."""
    video = shared / "data" / "videos" / "flipping_a_pancake.mkv"
    extract(video, "pose", tmp_path, weights=weights, workers=0)
    features = np.load(tmp_path / "flipping_a_pancake.npy")
    sidecar = json.loads((tmp_path / "flipping_a_pancake.json").read_text())
    assert (sidecar["backbone"], sidecar["fps"], sidecar["dim"]) == ("pose", 15.0, 186)
    assert features.shape[1] == 186
    assert np.isfinite(features).all()
    upright = features[: int(0.85 * len(features)), 91]  # sine of the torso's way: up is -1
    assert np.median(upright) < -np.cos(np.radians(30))
