"""Training videos as a torch dataset, and the batches they are served in.

What an epoch sees depends on the seed, the epoch and the video alone: a resumed run, or one with other numbers of
loader processes, draws the same order and the same crops.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from actionformer.config import DataSettings, ModelSettings, TrainingSettings
from actionformer.data.collection import FeaturedVideo
from actionformer.data.crop import random_crop
from actionformer.errors import InputError
from actionformer.features import resize
from actionformer.segments import TimeGrid


class FeatureSource(Protocol):
    """Features (T, D) of a video, of which a slice can be read alone."""

    @property
    def shape(self) -> tuple[int, int]:
        """T and D."""

    def __getitem__(self, part: slice) -> NDArray[np.float32]:
        """Features of some moments, (t, D)."""


@dataclass(frozen=True, eq=False)
class TrainingVideo:
    """A video's features, the grid they lie on, and its actions in grid steps."""

    id: str
    features: FeatureSource
    grid: TimeGrid
    segments: NDArray[np.float32]
    """(N, 2) grid steps."""
    labels: NDArray[np.int64]
    """(N,)"""


def place_on_grid(videos: Sequence[FeaturedVideo], resize_to: int | None) -> list[TrainingVideo]:
    """Annotated videos with their actions in grid steps; what lies outside a video is ignored, with a warning."""
    placed: list[TrainingVideo] = []
    outside = 0
    for featured in videos:
        video, features, grid = featured.video, featured.features, featured.grid
        length = features.shape[0]
        duration = video.duration or grid.seconds_covered(length)
        inside = video.segments.clip(0.0, duration)
        outside += int((inside != video.segments).any(axis=1).sum())
        kept = inside[:, 1] > inside[:, 0]
        if resize_to is not None:
            grid = grid.resized(length, resize_to)
        segments = grid.to_grid(inside[kept]).astype(np.float32)
        placed.append(TrainingVideo(video.id, features, grid, segments, video.labels[kept]))
    if outside:
        warnings.warn(f"{outside} segments reach beyond their video's end: that part is ignored", stacklevel=2)
    return placed


class Sample(NamedTuple):
    """One crop: features (T, D) float32, segments (N, 2) float32 in grid steps, labels (N,) int64."""

    features: Tensor
    segments: Tensor
    labels: Tensor


class Batch(NamedTuple):
    """Crops padded with 0 on the right to one length."""

    features: Tensor
    """(B, T, D) float32."""
    lengths: list[int]
    """Features of each sequence before padding."""
    segments: list[Tensor]
    """For each sequence (N, 2), grid steps."""
    labels: list[Tensor]
    """For each sequence (N,)."""

    @property
    def valid(self) -> Tensor:
        """(B, T) bool."""
        return torch.arange(self.features.shape[1]) < torch.tensor(self.lengths).unsqueeze(1)


class TrainingSet(Dataset[Sample]):
    """Random crops of training videos; indexed by (epoch, video), so that a crop can be drawn again."""

    def __init__(self, videos: Sequence[TrainingVideo], *, data: DataSettings, max_length: int, seed: int) -> None:
        self.videos = videos
        self.data = data
        self.max_length = max_length
        self.seed = seed

    def __len__(self) -> int:
        return len(self.videos)

    def __getitem__(self, key: tuple[int, int]) -> Sample:
        """The crop of video `index` in `epoch`; only that part is read from disk, unless sequences are resized."""
        epoch, index = key
        video = self.videos[index]
        source: FeatureSource | NDArray[np.float32] = video.features
        if self.data.resize is not None:
            source = resize(video.features[:], self.data.resize)
        crop = random_crop(
            source.shape[0],
            video.segments,
            video.labels,
            max_length=self.max_length,
            crop_ratio=self.data.crop_ratio,
            min_overlap=self.data.min_overlap,
            half_window=video.grid.half_window,
            rng=np.random.default_rng([self.seed, epoch, index]),
        )
        features = np.ascontiguousarray(source[slice(crop.start, crop.stop)], dtype=np.float32)
        return Sample(torch.from_numpy(features), torch.from_numpy(crop.segments), torch.from_numpy(crop.labels))


class Collate:
    """Pads samples to one length: the longest of the batch, or a fixed one."""

    def __init__(self, pad_to: int | None) -> None:
        self.pad_to = pad_to

    def __call__(self, samples: Sequence[Sample]) -> Batch:
        """Samples -> a batch."""
        lengths = [len(sample.features) for sample in samples]
        features = samples[0].features.new_zeros(
            len(samples), self.pad_to or max(lengths), samples[0].features.shape[1]
        )
        for row, sample in zip(features, samples, strict=True):
            row[: len(sample.features)] = sample.features
        return Batch(features, lengths, [s.segments for s in samples], [s.labels for s in samples])


class EpochLoader:
    """Batches of any one epoch, in an order drawn from the seed and the epoch."""

    def __init__(self, dataset: TrainingSet, *, training: TrainingSettings, model: ModelSettings) -> None:
        self.dataset = dataset
        self.batch_size = training.batch_size
        self.workers = training.workers
        self.seed = training.seed
        self.collate = Collate(model.max_length if model.padding == "published" else None)

    @property
    def batches_per_epoch(self) -> int:
        """Batches of an epoch; the last may be smaller."""
        return -(-len(self.dataset) // self.batch_size)

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """The batches of an epoch, counted from 0.

        Raises:
            InputError: features that cannot be read; the message is the same with and without loader processes.
        """
        order = np.random.default_rng([self.seed, epoch]).permutation(len(self.dataset)).tolist()
        keys = [(epoch, index) for index in order]
        batches = [keys[i : i + self.batch_size] for i in range(0, len(keys), self.batch_size)]
        loader: DataLoader[Sample] = DataLoader(
            self.dataset,
            batch_sampler=batches,
            num_workers=self.workers,
            collate_fn=self.collate,
        )
        try:
            yield from loader
        except InputError as error:  # from another process it comes with that one's trace in its message
            raise InputError(str(error).rpartition("InputError: ")[2].strip()) from error


def feature_statistics(videos: Sequence[TrainingVideo]) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each feature channel over all videos, (D,) and (D,) float32.

    Channels that hardly vary get deviation 1.
    """
    count, width = 0, videos[0].features.shape[1]
    total, squares = np.zeros(width), np.zeros(width)
    offset = np.asarray(videos[0].features[:1], dtype=np.float64)[0]  # keeps squares small
    for video in videos:
        features = np.asarray(video.features[:], dtype=np.float64) - offset
        count += len(features)
        total += features.sum(0)
        squares += np.square(features).sum(0)
    mean = total / count
    deviation = np.sqrt(np.maximum(squares / count - np.square(mean), 0.0))
    deviation[deviation < 1e-6] = 1.0
    return torch.from_numpy(mean + offset).float(), torch.from_numpy(deviation).float()
