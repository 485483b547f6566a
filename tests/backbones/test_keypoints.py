import json
from pathlib import Path

import numpy as np
import pytest
from scurrying import FPS, POINTS, scurrying, write_deeplabcut

from actionformer import extract
from actionformer.backbones import load_backbone, medium_of
from actionformer.backbones.keypoints import KeyPoints
from actionformer.core.errors import InputError
from actionformer.keypoints.medium import KEY_POINTS

WHOLE = f"keypoints:tailbase/neck/1/{','.join(POINTS)}"


def test_the_first_file_decides_what_the_name_leaves_open(tmp_path: Path) -> None:
    (tmp_path / "0.csv").write_text("nothing\n1\n", "utf-8")
    file = write_deeplabcut(tmp_path / "1.csv", scurrying(1.0, [], 0))
    backbone = load_backbone("keypoints")
    assert (backbone.name, backbone.medium) == ("keypoints", KEY_POINTS)
    assert medium_of("keypoints:a/b") is KEY_POINTS
    fitted = backbone.fitted([tmp_path / "0.csv", file], 8)
    assert (fitted.name, fitted.dim) == (WHOLE, 2 * (5 * 5 + 8))
    again = load_backbone(WHOLE)
    assert (again.name, again.dim, again.fitted([], 8).name) == (WHOLE, fitted.dim, WHOLE)
    own = KeyPoints("tailbase/left_ear+right_ear").fitted([file], 8)
    assert own.name.startswith("keypoints:tailbase/left_ear+right_ear/1/nose")
    with pytest.raises(InputError, match=r"0\.csv: no columns of key points"):
        backbone.fitted([tmp_path / "0.csv"], 8)
    with pytest.raises(InputError, match="'keypoints' has no weights"):
        load_backbone("keypoints", file)


def test_arrays_of_bodies_become_features() -> None:
    backbone = load_backbone(WHOLE)
    clips = scurrying(1.0, [], 0).reshape(2, 15, 1, 5, 3)
    assert backbone(clips).shape == (2, backbone.dim)
    with pytest.raises(InputError, match=r"clips must be \(B, T, 1, 5, 3\), found \(2, 15, 1, 5, 2\)"):
        backbone(clips[..., :2])


def test_files_become_features_that_tell_what_the_animal_does(tmp_path: Path) -> None:
    """Walking, the nose is 1.43 trunks (60 of 42) from the tail base; reared up, half as far, and still."""
    for number in range(2):
        bodies = scurrying(10.0, [(5.0, 10.0)], number)
        write_deeplabcut(tmp_path / f"m{number}DLC_resnet50.csv", bodies)
    extract(tmp_path, "keypoints", tmp_path / "out", fps=FPS, workers=0)
    for number in range(2):
        features = np.load(tmp_path / f"out/m{number}.npy")
        sidecar = json.loads((tmp_path / f"out/m{number}.json").read_text())
        assert (sidecar["backbone"], sidecar["fps"], sidecar["duration"]) == (WHOLE, FPS, 10.0)
        assert np.isfinite(features).all()
        walking, rearing = features[5:30], features[45:70]
        nose_x, forward = 0, 5 * 5 + 2
        assert np.median(walking[:, nose_x]) == pytest.approx(60 / 42, abs=0.15)
        assert np.median(rearing[:, nose_x]) < 0.8 * np.median(walking[:, nose_x])
        assert np.median(walking[:, forward]) > 5 * abs(np.median(rearing[:, forward]))


def test_two_animals_and_a_rate_that_is_missing(tmp_path: Path) -> None:
    bodies = np.stack([scurrying(2.0, [], seed) for seed in (0, 1)], 1)
    path = write_deeplabcut(tmp_path / "pair.csv", bodies, ("m1", "m2"))
    extract(path, "keypoints", tmp_path / "out", fps=FPS, workers=0)
    assert np.load(tmp_path / "out/pair.npy").shape[1] == 2 * (2 * 33 + 6)
    with pytest.raises(InputError, match=r"pair\.csv: does not say how many frames come a second: give --fps"):
        extract(path, "keypoints", tmp_path / "other", workers=0)
