"""Videos in Python: one call from the file to its actions."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from moving import write_moving

from actionformer import InputError, extract, load
from actionformer.backbones import load_backbone
from actionformer.extraction import matching as module
from actionformer.features import FeatureSpec
from actionformer.video import summary


def test_a_video_has_the_actions_of_its_features(seen: Path, videos: Path) -> None:
    detector = load(seen / "run")
    for name in ("clip0", "clip1"):
        found = detector.detect_video(videos / f"{name}.mp4")
        assert found.to_dict() == detector.detect(seen / "features" / f"{name}.npy").to_dict()
    assert len(found) > 0
    assert detector.detect_video(str(videos / "clip1.mp4"), workers=1, duration=5.9).segments.max() <= 5.9


def test_the_rate_of_a_video_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames are taken by their times, at the rate of training, also for a backbone that has none of its own."""
    files = [write_moving(tmp_path / f"{rate}.mp4", 0, rate=rate) for rate in (10, 20, 60)]
    extract(files, "motion", tmp_path / "features", workers=0)
    slow, usual, fast = (np.load(tmp_path / "features" / f"{file.stem}.npy") for file in files)
    assert slow.shape == usual.shape == fast.shape
    for other in (slow, fast):
        assert np.abs(other - usual).mean() < 0.05 * np.abs(usual - usual.mean(axis=0)).max()
    native = load_backbone("motion")
    monkeypatch.setattr(native, "fps", None)
    layout = module.layout_of(FeatureSpec(fps=30, stride=8, num_frames=16), native, FeatureSpec())
    assert (layout.fps, layout.grid(60).fps) == (30, 30)


def test_the_backbone_is_loaded_once(seen: Path, videos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = []

    def counted(name: str, weights: Any, **more: Any) -> object:
        loaded.append((name, weights, more))
        return load_backbone(name, weights, **more)

    monkeypatch.setattr(module, "load_backbone", counted)
    detector = load(seen / "run", precision="bfloat16")
    for _ in range(2):
        detector.detect_video(videos / "clip0.mp4")
    assert detector.maker("motion").backbone is detector.maker().backbone
    assert loaded == [(name, (), {"device": "cpu", "precision": "bfloat16"}) for name in ("motion",)]


def test_videos_that_cannot_be_used(seen: Path, run: Path, videos: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.mp4").write_bytes(b"nothing")
    detector = load(seen / "run")
    with pytest.raises(InputError, match=r"broken\.mp4: not a readable video"):
        detector.detect_video(tmp_path / "broken.mp4")
    with pytest.raises(InputError, match=r"^\S*clip0\.mp4: 29 features at fps [^/]*$"):  # not of a hidden file
        detector.detect_video(videos / "clip0.mp4", duration=600)
    with pytest.raises(InputError, match="the model was trained on 'motion'"):
        detector.detect_video(videos / "clip0.mp4", backbone="i3d")
    with pytest.raises(InputError, match="the model does not say which backbone"):
        load(run).detect_video(videos / "clip0.mp4")


def test_what_is_odd_about_a_video_is_a_warning(seen: Path, videos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summary, "warning_of", lambda *_: "is cut short")
    with pytest.warns(UserWarning, match=r"clip0\.mp4: is cut short") as caught:
        load(seen / "run").detect_video(videos / "clip0.mp4")
    assert [one.filename for one in caught] == [__file__]
