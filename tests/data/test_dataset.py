"""Crops as samples and batches: what is read, in which order, and how it is padded."""

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from actionformer.core.annotations import AnnotatedVideo
from actionformer.core.errors import InputError, noted, warn
from actionformer.core.segments import TimeGrid
from actionformer.data.collection import FeaturedVideo
from actionformer.data.dataset import (
    MOST_PADDING,
    Batch,
    EpochLoader,
    TrainingSet,
    TrainingVideo,
    batch_by_length,
    place_on_grid,
    read_ahead,
)
from actionformer.detectors.base import architecture_of
from actionformer.features import FeatureSpec, open_features, resize
from actionformer.formats.annotations import read_annotations
from actionformer.settings.config import Config
from actionformer.settings.loading import load_config

GRID = TimeGrid(fps=10, stride=5, num_frames=10)
LENGTHS = (40, 80, 57, 64, 33)


class Spy:
    """Features that note which slices are read; the value of a row is its number."""

    def __init__(self, length: int, channels: int = 3) -> None:
        self.array = np.repeat(np.arange(length, dtype=np.float32)[:, None], channels, axis=1)
        self.read: list[tuple[int, int]] = []
        self.readers: set[threading.Thread] = set()

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.array), self.array.shape[1]

    def __getitem__(self, rows: slice) -> np.ndarray:
        start, stop, _ = rows.indices(len(self.array))
        self.read.append((start, stop))
        self.readers.add(threading.current_thread())
        return self.array[rows]


def read_by_spy(video: TrainingVideo) -> Spy:
    assert isinstance(video.features, Spy)
    return video.features


def spied(lengths: tuple[int, ...] = LENGTHS) -> list[TrainingVideo]:
    segments = np.array([[3.0, 8.0], [20.0, 29.0]], dtype=np.float32)
    labels = np.array([0, 1])
    return [TrainingVideo(f"v{length}", Spy(length), GRID, segments, labels) for length in lengths]


def loader(videos: list[TrainingVideo], **training: Any) -> EpochLoader:
    model = {"max_length": 64} | training.pop("model", {})
    config = Config().replace(training=training, model=model, data=training.pop("data", {}))
    dataset = TrainingSet(videos, data=config.data, max_length=config.model.max_length, seed=config.training.seed)
    return EpochLoader(dataset, training=config.training, pad_to=architecture_of(config).training_length())


def assert_equal(first: list[Batch], second: list[Batch]) -> None:
    assert len(first) == len(second)
    for one, other in zip(first, second, strict=True):
        assert torch.equal(one.features, other.features)
        assert one.lengths == other.lengths
        for name in ("segments", "labels"):
            for a, b in zip(getattr(one, name), getattr(other, name), strict=True):
                assert torch.equal(a, b)


@pytest.mark.parametrize("padding", ["exact", "published"])
def test_order_and_crops_do_not_depend_on_threads(padding: str) -> None:
    alone, helped, automatic = (
        loader(spied(), batch_size=2, workers=workers, model={"mask_padding": padding}) for workers in (0, 2, None)
    )
    for epoch in (0, 3):
        assert_equal(list(alone.epoch(epoch)), list(helped.epoch(epoch)))
        assert_equal(list(alone.epoch(epoch)), list(automatic.epoch(epoch)))


@pytest.mark.parametrize("processes", [2, 3, 4, 7])
def test_processes_that_share_batches_read_each_sequence_once(processes: int) -> None:
    """And know what is in all of them; who has no part of a small batch reads one that does not count."""
    whole = list(loader(spied((10, 20, 30, 40, 50, 60, 25)), batch_size=5).epoch(1))
    assert sorted(len(batch.lengths) for batch in whole) == [2, 5]
    parts = []
    for process in range(processes):
        videos = spied((10, 20, 30, 40, 50, 60, 25))
        one = loader(videos, batch_size=5)
        one.process, one.processes = process, processes
        parts.append(list(one.epoch(1)))
        read = sum(len(batch.features) for batch in parts[-1])
        assert sum(len(read_by_spy(video).read) for video in videos) == read
    for batch, *of_processes in zip(whole, *parts, strict=True):
        own = [part for part in of_processes if part.share.counts]
        assert torch.equal(torch.cat([part.features for part in own]), batch.features)
        rows = [row for part in own for row in part.share.rows]
        assert rows == list(range(len(batch.lengths)))
        counts = [len(part.share.rows) for part in own]
        assert max(counts) - min(counts) <= 1
        for part in of_processes:
            assert part.lengths == batch.lengths
            assert part.origins == batch.origins
            assert all(map(torch.equal, part.segments, batch.segments))
            assert all(map(torch.equal, part.labels, batch.labels))
            assert part.valid is None or part.valid.sum(1).tolist() == part.of_rows(part.lengths)


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


def test_videos_with_rare_classes_come_more_often() -> None:
    """Of eight videos one has class 1: with t = 0.5 it comes sqrt(0.5 / 0.125) = 2 times, in two crops."""
    videos = [replace(video, labels=np.array([0, int(i == 2)])) for i, video in enumerate(spied((60,) * 8))]
    one = loader(videos, batch_size=4, repeat_rare=0.5, model={"max_length": 32})
    for epoch in range(3):
        batches = list(one.epoch(epoch))
        assert len(batches) == one.batches_per_epoch == 3
        origins = [origin for batch in batches for origin in batch.origins]
        assert len(origins) == 9
        lasting = [row for batch in batches for row in batch.features[:, 0, 0].tolist()]
        assert len(set(lasting)) > 1
    assert one.videos(0).tolist() == [0, 1, 2, 2, 3, 4, 5, 6, 7]
    assert one.dataset.crop(0, 2).start != one.dataset.crop(0, 2, 1).start
    again = loader(videos, batch_size=4, repeat_rare=0.5, model={"max_length": 32})
    assert_equal(list(again.epoch(2)), list(one.epoch(2)))


@pytest.mark.parametrize(
    ("workers", "device", "ahead"), [(None, "cpu", False), (None, "meta", True), (0, "meta", False), (2, "cpu", True)]
)
def test_who_reads(workers: int | None, device: str, ahead: bool) -> None:
    """Threads read for a device that leaves the processors idle, or where the settings ask for them."""
    videos = spied()
    assert len(list(loader(videos, workers=workers).epoch(0, torch.device(device)))) == 3
    readers = set().union(*(read_by_spy(video).readers for video in videos))
    assert (threading.current_thread() not in readers) == ahead
    assert readers


def test_an_epoch_sees_the_same_crops_in_whatever_batches() -> None:
    """A crop depends on seed, epoch and video; batches of another size, or in another order, hold the same ones."""
    videos = spied((40, 500, 57, 64, 33, 90, 81))
    seen = []
    for size, padding in ((1, "exact"), (2, "exact"), (3, "published")):
        batches = list(loader(videos, batch_size=size, model={"mask_padding": padding}).epoch(4))
        rows = [row[:length, 0].tolist() for b in batches for row, length in zip(b.features, b.lengths, strict=True)]
        seen.append(sorted(rows))
    assert seen[0] == seen[1] == seen[2]


def test_only_the_crop_is_read() -> None:
    videos = spied((500, 64))
    dataset = TrainingSet(videos, data=Config().data, max_length=32, seed=0)
    for index, video in enumerate(videos):
        sample = dataset.read(index, dataset.crop(0, index))
        start, stop = int(sample.features[0, 0]), int(sample.features[-1, 0]) + 1
        assert stop - start == 32
        assert read_by_spy(video).read == [(start, stop)]


def test_resized_sequences_are_cropped_after_the_resize() -> None:
    array: Any = np.random.default_rng(0).standard_normal((30, 4)).astype(np.float32)
    video = AnnotatedVideo("v", "training", None, None, np.array([[1.0, 4.0]]), np.array([0]))
    (placed,) = place_on_grid([FeaturedVideo(video, array, GRID, FeatureSpec())], resize_to=48)
    np.testing.assert_allclose(placed.grid.stride, (29 * 5 + 10) / 48)
    np.testing.assert_allclose(placed.segments, placed.grid.to_grid(np.array([[1.0, 4.0]])), rtol=1e-6)
    data = Config().replace(data={"resize": 48, "crop_ratio": [1, 1]}).data
    dataset = TrainingSet([placed], data=data, max_length=48, seed=0)
    sample = dataset.read(0, dataset.crop(0, 0))
    np.testing.assert_array_equal(sample.features, resize(array, 48))


def test_batches_are_padded_with_zeros() -> None:
    for padding, longest in (("exact", None), ("published", 64)):
        (batch,) = loader(spied((10, 20)), batch_size=2, model={"mask_padding": padding}).epoch(0)
        assert batch.features.shape == (2, longest or max(batch.lengths), 3)
        assert batch.valid is not None
        for row, length in enumerate(batch.lengths):
            assert batch.valid[row].tolist() == [True] * length + [False] * (batch.features.shape[1] - length)
            assert (batch.features[row, length:] == 0).all()
            assert batch.features[row, length - 1, 0] > 0


def padding(lengths: np.ndarray, batches: list[np.ndarray]) -> float:
    return float(1 - lengths.sum() / sum(lengths[batch].max() * len(batch) for batch in batches))


@given(
    lengths=st.lists(st.integers(1, 3000), min_size=1, max_size=60),
    size=st.integers(1, 9),
    seed=st.integers(0, 2**32 - 1),
)
def test_batches_by_length_hold_every_sequence_once(lengths: list[int], size: int, seed: int) -> None:
    batches = batch_by_length(np.array(lengths), size, np.random.default_rng(seed))
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(lengths)))
    sizes = sorted(len(batch) for batch in batches)
    assert sizes[1:] == [size] * (len(lengths) // size) if len(lengths) % size else sizes == [size] * len(sizes)
    assert sizes[0] == len(lengths) % size or len(lengths) % size == 0


@given(size=st.integers(1, 8), seed=st.integers(0, 2**32 - 1))
def test_little_is_padding_where_lengths_allow(size: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    lengths = rng.integers(100, 2305, 300)
    batches = batch_by_length(lengths, size, rng)
    assert padding(lengths, batches) < MOST_PADDING
    order = np.arange(300)
    in_file_order = [order[i : i + size] for i in range(0, 300, size)]
    assert size == 1 or padding(lengths, in_file_order) > 2 * MOST_PADDING


@pytest.mark.parametrize("preset", ["thumos14_i3d", "hapt", "salads"])
def test_little_of_real_training_is_padding(shared: Path, preset: str) -> None:
    """In the mean of ten epochs, of features as long as the annotated durations."""
    config = load_config(preset, {"training": {"batch_by_length": True}})
    name = preset.partition("_")[0]
    file = shared / "data" / name / ("thumos14.json" if name == "thumos14" else "annotations.json")
    assert config.data.stride is not None
    assert config.data.num_frames is not None
    videos = []
    for video in read_annotations(file).subset(config.data.train_subset).videos.values():
        assert video.duration is not None
        fps = config.data.fps or video.fps
        assert fps is not None
        grid = TimeGrid(fps=fps, stride=config.data.stride, num_frames=config.data.num_frames)
        length = int((video.duration * grid.fps - grid.num_frames) / grid.stride) + 1
        videos.append(
            TrainingVideo(video.id, Spy(length, 1), grid, grid.to_grid(video.segments).astype(np.float32), video.labels)
        )
    dataset = TrainingSet(videos, data=config.data, max_length=config.model.max_length, seed=0)
    batches = EpochLoader(dataset, training=config.training, pad_to=architecture_of(config).training_length())
    shares = []
    for epoch in range(10):
        crops = [dataset.crop(epoch, index) for index in range(len(dataset))]
        shares.append(padding(np.array([crop.stop - crop.start for crop in crops]), batches.batches(epoch, crops)))
    assert np.mean(shares) < 0.05


def test_batches_of_any_lengths_where_settings_want_them() -> None:
    some = loader(spied((40, 41, 42, 10, 11, 12, 25)), batch_size=2, batch_by_length=False)
    seen = [[batch.lengths for batch in some.epoch(epoch)] for epoch in range(20)]
    assert all([len(batch) for batch in batches] == [2, 2, 2, 1] for batches in seen)
    mixed = [max(batch) > 2 * min(batch) for batches in seen for batch in batches]
    assert sum(mixed) > 20


def test_no_order_pads_less_where_lengths_do_not_allow() -> None:
    """Four lengths in two batches: sorting is the best there is, 10 and 20, then 40 and 80, padded to 20 and 80."""
    for seed in range(20):
        batches = batch_by_length(np.array([80, 10, 40, 20]), 2, np.random.default_rng(seed))
        assert sorted(batch.tolist() for batch in batches) == [[1, 3], [2, 0]]


def test_batches_stay_random() -> None:
    """All pairs of like videos meet, and like lengths give any order: 6 of one length, in 15 pairs, 720 orders."""
    alike = [batch_by_length(np.full(6, 7), 2, np.random.default_rng(seed)) for seed in range(300)]
    pairs = {tuple(sorted(batch.tolist())) for batches in alike for batch in batches}
    assert len(pairs) == 15
    assert len({tuple(np.concatenate(batches).tolist()) for batches in alike}) > 200
    lengths = np.arange(100, 2300, 11)
    first = [lengths[batch_by_length(lengths, 4, np.random.default_rng(seed))[0]].mean() for seed in range(100)]
    assert min(first) < 300
    assert max(first) > 2000


def test_the_small_batch_may_be_any() -> None:
    """With 5 sequences in pairs, the single one is the shortest, the middle or the longest; never always the same."""
    lengths = np.array([100, 200, 400, 800, 1600])
    batches = [batch_by_length(lengths, 2, np.random.default_rng(seed)) for seed in range(50)]
    assert {batch.item() for found in batches for batch in found if len(batch) == 1} == {0, 2, 4}


@pytest.mark.parametrize("threads", [0, 1, 3])
def test_reading_ahead_keeps_the_order_and_its_bounds(threads: int) -> None:
    started: list[int] = []

    def read(item: int) -> int:
        started.append(item)
        return item * item

    for count, result in enumerate(read_ahead(read, range(20), threads)):
        assert result == count * count
        assert len(started) <= count + 1 + threads
    assert sorted(started) == list(range(20))


def test_reading_ahead_goes_on_while_a_result_is_used() -> None:
    second = threading.Event()
    results = read_ahead(lambda item: second.set() if item == 1 else None, range(3), 1)
    next(results)
    assert second.wait(10)  # nobody has asked for it yet


@pytest.mark.parametrize("threads", [0, 2])
def test_a_failed_read_is_raised_in_its_place_and_the_rest_is_left(threads: int) -> None:
    started: list[int] = []

    def read(item: int) -> int:
        started.append(item)
        if item == 2:
            raise InputError("video 2 is broken")
        return item

    results = read_ahead(read, range(100), threads)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(InputError, match="video 2 is broken"):
        next(results)
    assert len(started) <= 3 + 2 * threads


@pytest.mark.parametrize("threads", [0, 2])
def test_what_reading_warns_of_goes_where_the_warnings_of_its_caller_go(threads: int) -> None:
    told: list[str] = []
    with noted(told):
        assert list(read_ahead(lambda item: warn(f"video {item} is odd"), range(2), threads)) == [None, None]
    assert sorted(told) == ["video 0 is odd", "video 1 is odd"]


def test_what_lies_beyond_the_end_is_left_out() -> None:
    segments = np.array([[1.0, 3.0], [9.0, 12.0], [11.0, 14.0], [-1.0, 2.0], [5.0, 5.0]])
    video = AnnotatedVideo("v", "training", 10.0, None, segments, np.arange(5))
    spy: Any = Spy(19)
    (placed,) = place_on_grid([FeaturedVideo(video, spy, GRID, FeatureSpec())], None)
    np.testing.assert_array_equal(placed.labels, [0, 1, 3])
    np.testing.assert_allclose(placed.segments, [[1, 5], [17, 19], [-1, 3]])  # 2 steps a second, half a window is 1


def test_what_lies_before_the_first_picture_is_left_out() -> None:
    late = replace(GRID, start=2.0)
    segments = np.array([[3.0, 5.0], [0.5, 1.5], [1.0, 4.0]])
    video = AnnotatedVideo("v", "training", 12.0, None, segments, np.arange(3))
    spy: Any = Spy(19)
    (placed,) = place_on_grid([FeaturedVideo(video, spy, late, FeatureSpec())], None)
    np.testing.assert_array_equal(placed.labels, [0, 2])
    np.testing.assert_allclose(placed.segments, [[1, 5], [-1, 3]])  # as [1, 3] and [0, 2] of one that begins at 0


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


@pytest.mark.parametrize(("margin", "clips"), [(0.0, 0), (0.5, 1), (1.0, 2)])
def test_the_margin_of_crops_is_counted_in_clips(margin: float, clips: float) -> None:
    """A clip of 10 frames is 2 features 5 frames apart; of an action all through the video a crop shows that much."""
    whole = TrainingVideo("v80", Spy(80), GRID, np.array([[-1.0, 81.0]], dtype=np.float32), np.array([0]))
    data = Config().replace(data={"crop_margin": margin, "min_overlap": 0.0}).data
    dataset = TrainingSet([whole], data=data, max_length=32, seed=0)
    np.testing.assert_allclose(np.diff(dataset.crop(0, 0).segments), 32 + 2 * clips, atol=1 + clips)
    assert dataset.margin(whole) == clips


def test_proposals_are_cropped_as_actions_are_and_stand_beside_them() -> None:
    (short,), (long,) = spied((40,)), spied((80,))
    given = np.array([[-0.5, 4.0], [3.0, 8.0], [20.0, 29.0], [70.0, 79.5]], np.float32)
    videos = [replace(one, proposals=given[given[:, 1] <= len(read_by_spy(one).array)]) for one in (short, long)]
    data = {"crop_ratio": (1.0, 1.0)}
    (batch,) = loader(videos, data=data, batch_size=2).epoch(0)
    for origin, actions, proposals in zip(batch.origins, batch.segments, batch.proposals, strict=True):
        if origin[0] == "v40":
            assert proposals.tolist() == given[:3].tolist()
        else:  # cut to 64 of 80 features
            assert len(proposals) < 4 or proposals[:, 1].max() <= 65
            assert {tuple(one) for one in actions.tolist()} <= {tuple(one) for one in proposals.tolist()}


def test_without_proposals_a_batch_has_none() -> None:
    (batch,) = loader(spied((40, 80)), batch_size=2).epoch(0)
    assert len(batch.proposals) == 0


def test_proposals_are_placed_on_the_grid(tmp_path: Path) -> None:
    """At 10 frames a second a feature every 0.5 s that covers 1 s: time 0.5 s is position 0."""
    video = AnnotatedVideo("v", "", 30.0, None, np.array([[0.5, 3.0]]), np.array([0]))
    featured = FeaturedVideo(video, Spy(59), GRID, FeatureSpec(), proposals=np.array([[0.5, 1.0], [2.0, 4.5]]))  # type: ignore[arg-type]
    (placed,) = place_on_grid([featured], None)
    assert placed.proposals is not None
    assert placed.proposals.dtype == np.float32
    assert placed.proposals.tolist() == [[0, 1], [3, 8]]
