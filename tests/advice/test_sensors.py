"""What proves that features are overlapping windows of raw samples from sensors in space."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from actionformer.advice.sensors import proven_axes
from actionformer.core.annotations import AnnotatedVideo
from actionformer.core.segments import TimeGrid
from actionformer.data.collection import FeaturedVideo
from actionformer.datasets import hapt
from actionformer.features import FeatureSpec, open_features

GRID = TimeGrid(fps=50, stride=4, num_frames=10)
Floats = NDArray[np.floating]
AxesOf = Callable[..., int | None]


def worn(length: int = 400) -> Floats:
    """Samples (length, 6) of an accelerometer that turns slowly, with gravity in it, and of a gyroscope."""
    rng = np.random.default_rng(0)
    angle = np.linspace(0, 3, length)
    gravity = np.stack([np.cos(angle), np.sin(angle), np.zeros(length)], axis=1)
    return np.concatenate([gravity + 0.05 * rng.standard_normal((length, 3)), rng.standard_normal((length, 3))], axis=1)


def windows(samples: Floats) -> Floats:
    """(T, axes * 10), axis after axis."""
    cut = sliding_window_view(samples, 10, axis=0)[::4]
    return cut.reshape(len(cut), -1).astype(np.float32)


@pytest.fixture
def axes_of(tmp_path: Path) -> AxesOf:
    def found(*arrays: Floats, grid: TimeGrid = GRID) -> int | None:
        videos = []
        for i, array in enumerate(arrays):
            np.save(tmp_path / f"{i}.npy", array)
            video = AnnotatedVideo(str(i), "training", None, None, np.empty((0, 2)), np.empty(0, np.int64))
            videos.append(FeaturedVideo(video, open_features(tmp_path / f"{i}.npy"), grid, FeatureSpec()))
        return proven_axes(videos)

    return found


def test_windows_that_repeat_samples_with_gravity_in_them(axes_of: AxesOf) -> None:
    assert axes_of(windows(worn()), windows(worn()[:100])) == 6


def test_what_proves_nothing(axes_of: AxesOf) -> None:
    good, noise = windows(worn()), np.random.default_rng(1).standard_normal((400, 6))
    spoilt = good.copy()
    spoilt[7, 5] += 1e-3
    by_sample = sliding_window_view(worn(), 10, axis=0)[::4].swapaxes(1, 2)
    assert axes_of(windows(noise)) is None, "no gravity"
    assert axes_of(windows(noise + 100)) is None, "values that stay near one, of which nothing turns"
    assert axes_of(spoilt) is None, "one sample is another"
    assert axes_of(good, spoilt) is None
    assert axes_of(by_sample.reshape(len(by_sample), -1).astype(np.float32)) is None, "sample after sample"
    assert axes_of(windows(worn()[:, :5])) is None, "no multiple of three axes"
    assert axes_of(windows(np.ones((400, 6)))) is None, "all alike"
    assert axes_of(good, grid=TimeGrid(fps=50, stride=10, num_frames=10)) is None, "windows that share nothing"
    assert axes_of(good, grid=TimeGrid(fps=50, stride=2.5, num_frames=10)) is None
    assert axes_of(good[:1]) is None
    assert axes_of() is None


def test_recordings_of_smartphones(axes_of: AxesOf, shared: Path) -> None:
    with np.load(shared / "data" / "hapt" / "raw_50hz_acc_gyro.npz") as recordings:
        arrays = [hapt.windows(recordings[name]) for name in list(recordings)[:3]]
    assert axes_of(*arrays, grid=TimeGrid(50, 25, 50)) == 6
