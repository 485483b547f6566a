"""Crops as samples and batches: what is read, in which order, and how it is padded."""

from typing import Any

import numpy as np
import pytest
import torch

from actionformer.config import Config
from actionformer.data.annotations import Video
from actionformer.data.collection import FeaturedVideo
from actionformer.data.dataset import (
    Batch,
    EpochLoader,
    TrainingSet,
    TrainingVideo,
    feature_statistics,
    place_on_grid,
)
from actionformer.errors import InputError
from actionformer.features import FeatureSpec, open_features, resize
from actionformer.segments import TimeGrid

GRID = TimeGrid(fps=10, stride=5, num_frames=10)
LENGTHS = (40, 80, 57, 64, 33)


class Spy:
    """Features that note which slices are read; the value of a row is its number."""

    def __init__(self, length: int, channels: int = 3) -> None:
        self.array = np.repeat(np.arange(length, dtype=np.float32)[:, None], channels, axis=1)
        self.read: list[tuple[int, int]] = []

    @property
    def shape(self) -> tuple[int, int]:
        return self.array.shape  # type: ignore[return-value]

    def __getitem__(self, rows: slice) -> np.ndarray:
        start, stop, _ = rows.indices(len(self.array))
        self.read.append((start, stop))
        return self.array[rows]


def spied(lengths: tuple[int, ...] = LENGTHS) -> list[TrainingVideo]:
    segments = np.array([[3.0, 8.0], [20.0, 29.0]], dtype=np.float32)
    labels = np.array([0, 1])
    return [TrainingVideo(f"v{length}", Spy(length), GRID, segments, labels) for length in lengths]


def loader(videos: list[TrainingVideo], **training: Any) -> EpochLoader:
    model = {"max_length": 64} | training.pop("model", {})
    config = Config().replace(training=training, model=model, data=training.pop("data", {}))
    dataset = TrainingSet(videos, data=config.data, max_length=config.model.max_length, seed=config.training.seed)
    return EpochLoader(dataset, training=config.training, model=config.model)


def assert_equal(first: list[Batch], second: list[Batch]) -> None:
    assert len(first) == len(second)
    for one, other in zip(first, second, strict=True):
        assert torch.equal(one.features, other.features)
        assert one.lengths == other.lengths
        for name in ("segments", "labels"):
            for a, b in zip(getattr(one, name), getattr(other, name), strict=True):
                assert torch.equal(a, b)


def test_order_and_crops_do_not_depend_on_loader_processes() -> None:
    alone, helped = loader(spied(), batch_size=2), loader(spied(), batch_size=2, workers=2)
    for epoch in (0, 3):
        assert_equal(list(alone.epoch(epoch)), list(helped.epoch(epoch)))


def test_order_and_crops_do_not_depend_on_what_was_drawn_before() -> None:
    fresh, used = loader(spied(), batch_size=2), loader(spied(), batch_size=2)
    for epoch in range(3):
        list(used.epoch(epoch))
    np.random.seed(3)
    torch.manual_seed(3)
    assert_equal(list(fresh.epoch(3)), list(used.epoch(3)))


def test_epochs_and_seeds_differ_and_every_video_is_seen_once() -> None:
    def lengths(epoch: int, **training: Any) -> list[int]:
        return [length for batch in loader(spied(), **training).epoch(epoch) for length in batch.lengths]

    assert lengths(0) != lengths(1)
    assert lengths(0) != lengths(0, seed=1)
    videos = spied((10, 20, 30, 40, 50))
    one = loader(videos, batch_size=2, data={"crop_ratio": [1, 1]})
    batches = list(one.epoch(0))
    assert one.batches_per_epoch == len(batches) == 3
    assert sorted(length for batch in batches for length in batch.lengths) == [10, 20, 30, 40, 50]


def test_only_the_crop_is_read() -> None:
    videos = spied((500, 64))
    dataset = TrainingSet(videos, data=Config().data, max_length=32, seed=0)
    for index, video in enumerate(videos):
        sample = dataset[(0, index)]
        start, stop = int(sample.features[0, 0]), int(sample.features[-1, 0]) + 1
        assert stop - start == 32
        assert video.features.read == [(start, stop)]


def test_resized_sequences_are_cropped_after_the_resize() -> None:
    array = np.random.default_rng(0).standard_normal((30, 4)).astype(np.float32)
    video = Video("v", "training", None, None, np.array([[1.0, 4.0]]), np.array([0]))
    (placed,) = place_on_grid([FeaturedVideo(video, array, GRID, FeatureSpec())], resize_to=48)
    np.testing.assert_allclose(placed.grid.stride, (29 * 5 + 10) / 48)
    np.testing.assert_allclose(placed.segments, placed.grid.to_grid(np.array([[1.0, 4.0]])), rtol=1e-6)
    data = Config().replace(data={"resize": 48, "crop_ratio": [1, 1]}).data
    sample = TrainingSet([placed], data=data, max_length=48, seed=0)[(0, 0)]
    np.testing.assert_array_equal(sample.features, resize(array, 48))


def test_batches_are_padded_with_zeros() -> None:
    for padding, longest in (("clean", None), ("published", 64)):
        (batch,) = loader(spied((10, 20)), batch_size=2, model={"padding": padding}).epoch(0)
        assert batch.features.shape == (2, longest or max(batch.lengths), 3)
        for row, length in enumerate(batch.lengths):
            assert batch.valid[row].tolist() == [True] * length + [False] * (batch.features.shape[1] - length)
            assert (batch.features[row, length:] == 0).all()
            assert batch.features[row, length - 1, 0] > 0


def test_what_lies_beyond_the_end_is_ignored_with_a_warning() -> None:
    segments = np.array([[1.0, 3.0], [9.0, 12.0], [11.0, 14.0], [-1.0, 2.0], [5.0, 5.0]])
    video = Video("v", "training", 10.0, None, segments, np.arange(5))
    with pytest.warns(UserWarning, match=r"3 segments reach beyond"):
        (placed,) = place_on_grid([FeaturedVideo(video, Spy(19), GRID, FeatureSpec())], None)
    np.testing.assert_array_equal(placed.labels, [0, 1, 3])
    np.testing.assert_allclose(placed.segments, [[1, 5], [17, 19], [-1, 3]])  # 2 steps a second, half a window is 1


def test_feature_statistics_are_those_of_all_rows_together() -> None:
    rng = np.random.default_rng(0)
    arrays = [1000 + rng.standard_normal((length, 4)).astype(np.float32) * [1, 0.1, 10, 0] for length in (7, 300, 41)]
    videos = [TrainingVideo("v", array, GRID, np.empty((0, 2)), np.empty(0)) for array in arrays]
    mean, deviation = feature_statistics(videos)
    every = np.concatenate(arrays)
    np.testing.assert_allclose(mean, every.mean(0), rtol=1e-6)
    np.testing.assert_allclose(deviation[:3], every.std(0)[:3], rtol=1e-4)
    assert deviation[3] == 1  # a channel that never varies


@pytest.mark.parametrize("workers", [0, 1])
def test_broken_features_are_one_line_whoever_reads_them(tmp_path: Any, workers: int) -> None:
    array = np.ones((20, 3), dtype=np.float32)
    array[4] = np.nan
    np.save(tmp_path / "v.npy", array)
    source = open_features(tmp_path / "v.npy")
    video = TrainingVideo("v", source, GRID, np.empty((0, 2), np.float32), np.empty(0, np.int64))
    with pytest.raises(InputError) as error:
        list(loader([video], workers=workers, data={"crop_ratio": [1, 1]}).epoch(0))
    assert str(error.value).startswith(f"{tmp_path / 'v.npy'}: row 4 has a value")
    assert "\n" not in str(error.value)
