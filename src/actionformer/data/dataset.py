"""Training videos as a torch dataset, and the batches they are served in.

What an epoch sees depends on the seed, the epoch and the video alone: a resumed run, or one that reads with other
numbers of threads, draws the same order and the same crops.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from actionformer.core.segments import TimeGrid, clip
from actionformer.data.collection import FeaturedVideo
from actionformer.data.crop import Crop, random_crop
from actionformer.data.rarity import draw_repeated, repeat_factors
from actionformer.data.settings import DataSettings
from actionformer.features import CentredFeatures, FeatureReader, resize
from actionformer.training.settings import TrainingSettings

MOST_PADDING = 0.05
"""Share of an epoch's moments that may be padding before videos of like length are looked for in larger pools."""

MOST_THREADS = 4
"""Threads that read for a graphics card, where the settings do not say how many."""

REPEATED = 1
"""Tells the draw of repeated videos from the others of an epoch."""

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, eq=False)
class TrainingVideo:
    """A video's features, the grid they lie on, and its actions in grid steps."""

    id: str
    features: FeatureReader
    grid: TimeGrid
    segments: NDArray[np.float32]
    """(N, 2) grid steps."""
    labels: NDArray[np.int64]
    """(N,)"""
    first: int = 0
    """The row of the video that they begin with, of a window."""
    proposals: NDArray[np.float32] | None = None
    """(N, 2) segments that a second stage judges, grid steps; None where there is none."""


def place_on_grid(
    videos: Sequence[FeaturedVideo], resize_to: int | None, *, centred: bool = False
) -> list[TrainingVideo]:
    """Annotated videos with their actions in grid steps; what lies outside a video is left out (see `checks`)."""
    placed: list[TrainingVideo] = []
    for featured in videos:
        video, features, grid = featured.video, featured.features, featured.grid
        inside = clip(video.segments, featured.end, grid.start)
        kept = inside[:, 1] > inside[:, 0]
        if resize_to is not None:
            grid = grid.resized(features.shape[0], resize_to)
        segments = grid.to_grid(inside[kept]).astype(np.float32)
        given = featured.proposals
        proposals = None if given is None else grid.to_grid(given).astype(np.float32)
        rows = CentredFeatures(features) if centred else features
        placed.append(TrainingVideo(video.id, rows, grid, segments, video.labels[kept], proposals=proposals))
    return placed


class Sample(NamedTuple):
    """One crop: features (T, D) float32, segments (N, 2) float32 in grid steps, labels (N,) int64."""

    features: Tensor
    """(T, 0) where another process reads them."""
    segments: Tensor
    labels: Tensor
    video: str = ""
    first: int = 0
    """Its first row in the features of the video, if these are not resized."""
    proposals: Tensor | None = None
    """(N, 2) float32 segments that a second stage judges, grid steps."""


class Share(NamedTuple):
    """Which sequences of a batch this process computes, of several that share it."""

    parts: Sequence[range]
    """The sequences of each process, as evenly as can be; no part is empty."""
    own: int
    """The part of this process."""
    counts: bool
    """Whether nobody else has this part: who has none of a small batch computes the first one, which counts once."""

    @classmethod
    def of(cls, size: int, process: int = 0, processes: int = 1) -> Share:
        """That of one process, of a batch of `size` sequences."""
        ends = [size * number // processes for number in range(processes + 1)]
        parts = [range(first, stop) for first, stop in pairwise(ends) if first < stop]
        counts = process < len(parts)
        return cls(parts, process if counts else 0, counts)

    @property
    def rows(self) -> range:
        """The sequences of this process."""
        return self.parts[self.own]


class Batch(NamedTuple):
    """Crops padded with 0 on the right to one length."""

    features: Tensor
    """(B, T, D) float32; where processes share the batch, those of this process alone."""
    lengths: list[int]
    """Features of each sequence before padding."""
    segments: list[Tensor]
    """For each sequence (N, 2), grid steps."""
    labels: list[Tensor]
    """For each sequence (N,)."""
    origins: Sequence[tuple[str, int]] = ()
    """For each sequence its video, and the row of the video that it begins with."""
    proposals: Sequence[Tensor] = ()
    """For each sequence (N, 2) segments that a second stage judges, grid steps; none where there is none."""
    shared: Share | None = None
    """How processes share the batch; None where this one has all of it."""

    @property
    def share(self) -> Share:
        """The sequences whose features are here, and those of others."""
        return self.shared or Share.of(len(self.lengths))

    @property
    def valid(self) -> Tensor | None:
        """(B, T) bool, False at padding; None where nothing is padding, which saves the network its masks."""
        lengths = self.of_rows(self.lengths)
        if min(lengths) == self.features.shape[1]:
            return None
        return torch.arange(self.features.shape[1]) < torch.tensor(lengths).unsqueeze(1)

    def of_rows(self, every: Sequence[Item]) -> Sequence[Item]:
        """Of something that all sequences have, that of the sequences whose features are here."""
        rows = self.share.rows
        return every[rows.start : rows.stop]


class TrainingSet:
    """Random crops of training videos, each drawn from the seed, the epoch and the video, so that it can be again."""

    def __init__(self, videos: Sequence[TrainingVideo], *, data: DataSettings, max_length: int, seed: int) -> None:
        self.videos = videos
        self.data = data
        self.max_length = max_length
        self.seed = seed

    def __len__(self) -> int:
        return len(self.videos)

    def margin(self, video: TrainingVideo) -> float:
        """Grid steps beyond a crop of a video that its actions may reach."""
        return self.data.crop_margin * video.grid.num_frames / video.grid.stride

    def crop(self, epoch: int, index: int, again: int = 0) -> Crop:
        """What is seen of video `index` in `epoch`, where it comes for the `again`-th time; no feature is read."""
        video = self.videos[index]
        draw = [self.seed, epoch, index, again] if again else [self.seed, epoch, index]
        return random_crop(
            self.data.resize or video.features.shape[0],
            video.segments,
            video.labels,
            max_length=self.max_length,
            crop_ratio=self.data.crop_ratio if self.data.window is None else (1.0, 1.0),
            min_overlap=self.data.min_overlap,
            margin=self.margin(video),
            rng=np.random.default_rng(draw),
        )

    def read(self, index: int, crop: Crop, *, features: bool = True) -> Sample:
        """A crop of video `index`; only that part is read from disk, unless sequences are resized.

        Args:
            index: of the video.
            crop: what is seen of it.
            features: whether to read them; without them the sample only says how long it is and what is in it.
        """
        read = self._features(index, crop) if features else torch.empty(crop.stop - crop.start, 0)
        segments, labels = torch.from_numpy(crop.segments), torch.from_numpy(crop.labels)
        video = self.videos[index]
        return Sample(read, segments, labels, video.id, video.first + crop.start, self._proposals(video, crop))

    def _features(self, index: int, crop: Crop) -> Tensor:
        source: FeatureReader | NDArray[np.float32] = self.videos[index].features
        if self.data.resize is not None:
            source = resize(source[:], self.data.resize)
        return torch.from_numpy(np.ascontiguousarray(source[slice(crop.start, crop.stop)], dtype=np.float32))

    def _proposals(self, video: TrainingVideo, crop: Crop) -> Tensor | None:
        """Those of a crop: they stay, and are cut, as actions are."""
        if video.proposals is None:
            return None
        whole = crop.stop - crop.start == (self.data.resize or video.features.shape[0])
        margin = self.margin(video)
        return torch.from_numpy(video.proposals if whole else crop.of(video.proposals, self.data.min_overlap, margin))


class Collate:
    """Pads samples to one length: the longest of the batch, or a fixed one."""

    def __init__(self, pad_to: int | None, *, pinned: bool = False) -> None:
        self.pad_to = pad_to
        self.pinned = pinned
        """Lay features in page-locked memory, from which a graphics card fetches them while it computes."""

    def __call__(self, samples: Sequence[Sample], share: Share | None = None) -> Batch:
        """Samples -> a batch; of a batch that is shared all samples, and the features of this process's."""
        lengths = [len(sample.features) for sample in samples]
        own = samples if share is None else samples[share.rows.start : share.rows.stop]
        shape = len(own), self.pad_to or max(lengths), own[0].features.shape[1]
        features = torch.zeros(shape, pin_memory=self.pinned)
        for row, sample in zip(features.numpy(), own, strict=True):  # torch would start threads for each copy
            row[: len(sample.features)] = sample.features.numpy()
        origins = [(sample.video, sample.first) for sample in samples]
        proposals = [sample.proposals for sample in samples if sample.proposals is not None]
        segments, labels = [sample.segments for sample in samples], [sample.labels for sample in samples]
        return Batch(features, lengths, segments, labels, origins, proposals, share)


class EpochLoader:
    """Batches of any one epoch, in an order drawn from the seed and the epoch.

    Processes that share the batches all know what is in them, and each reads the features of its own sequences.

    Args:
        dataset: the crops.
        training: settings.
        pad_to: the length that every sequence is padded to, by default that of the longest in its batch.
        process: which of the processes this is, from 0 on.
        processes: how many there are.
    """

    def __init__(
        self,
        dataset: TrainingSet,
        *,
        training: TrainingSettings,
        pad_to: int | None = None,
        process: int = 0,
        processes: int = 1,
    ) -> None:
        self.dataset = dataset
        self.process, self.processes = process, processes
        self.batch_size = training.batch_size
        self.by_length = training.batch_by_length
        self.workers = training.workers
        self.seed = training.seed
        self.pad_to = pad_to
        self.factors = repeat_factors([video.labels for video in dataset.videos], training.repeat_rare)

    @property
    def batches_per_epoch(self) -> int:
        """Batches of an epoch; one of them may be smaller."""
        return -(-len(self.videos(0)) // self.batch_size)

    def videos(self, epoch: int) -> NDArray[np.int64]:
        """The videos of an epoch, ascending; those with rare classes several times, if they are repeated."""
        if (self.factors == 1).all():
            return np.arange(len(self.dataset))
        return draw_repeated(self.factors, np.random.default_rng([self.seed, epoch, len(self.dataset), REPEATED]))

    def epoch(self, epoch: int, device: torch.device | None = None) -> Iterator[Batch]:
        """The batches of an epoch, counted from 0, for training on `device`, by default the processor.

        A graphics card leaves processors idle, and threads of theirs read ahead for it. Where the processors compute
        themselves, a batch is read when it is asked for: all that reading ahead could gain are waits for a disk.

        Raises:
            InputError: features that cannot be read.
        """
        on_card = device is not None and device.type != "cpu"
        collate = Collate(self.pad_to, pinned=device is not None and device.type == "cuda")
        videos = self.videos(epoch)
        times = np.arange(len(videos)) - np.searchsorted(videos, videos)  # how often a video came before
        crops = [self.dataset.crop(epoch, *one) for one in zip(videos.tolist(), times.tolist(), strict=True)]

        def read(batch: NDArray[np.int64]) -> Batch:
            share = Share.of(len(batch), self.process, self.processes)
            samples = [
                self.dataset.read(int(videos[place]), crops[place], features=row in share.rows)
                for row, place in enumerate(batch.tolist())
            ]
            return collate(samples, share)

        threads = min(os.cpu_count() or 1, MOST_THREADS) if on_card else 0
        yield from read_ahead(read, self.batches(epoch, crops), threads if self.workers is None else self.workers)

    def batches(self, epoch: int, crops: Sequence[Crop]) -> list[NDArray[np.int64]]:
        """Which crops make the batches of an epoch; padding to a fixed length makes all lengths alike."""
        rng = np.random.default_rng([self.seed, epoch])
        if not self.by_length:
            return np.split(rng.permutation(len(crops)), range(self.batch_size, len(crops), self.batch_size))
        lengths = np.array([self.pad_to or crop.stop - crop.start for crop in crops])
        return batch_by_length(lengths, self.batch_size, rng)


def batch_by_length(lengths: NDArray[np.int64], size: int, rng: np.random.Generator) -> list[NDArray[np.int64]]:
    """Cuts sequences into batches of like length, in random order.

    The sequences are shuffled and cut into pools of batches; in a pool they are sorted by length. Pools begin at one
    batch, which changes nothing, and double until less than `MOST_PADDING` of all moments is padding, or all is one
    pool: batches stay as random as their lengths allow. If the number of sequences is no multiple of `size`, a batch
    at a random place has the rest.

    Args:
        lengths: (N,) of all sequences, N > 0.
        size: sequences in a batch.
        rng: draws everything.

    Returns:
        For each batch the numbers of its sequences, from shortest to longest.
    """
    order = rng.permutation(len(lengths))
    full, rest = divmod(len(lengths), size)
    sizes = rng.permutation([size] * full + [rest] * (rest > 0))
    starts = np.cumsum(sizes) - sizes
    pool = 1
    while True:
        pools = np.split(order, starts[pool::pool])
        order = np.concatenate([part[np.argsort(lengths[part], kind="stable")] for part in pools])
        padded = (np.maximum.reduceat(lengths[order], starts) * sizes).sum()
        if pool >= len(sizes) or lengths.sum() > (1 - MOST_PADDING) * padded:
            break
        pool *= 2
    batches = np.split(order, starts[1:])
    return [batches[i] for i in rng.permutation(len(batches))]


def read_ahead(read: Callable[[Item], Result], items: Sequence[Item], threads: int) -> Iterator[Result]:
    """`read(item)` of every item, in order.

    Each thread reads an item while earlier results are used, so at most `threads` results lie ready; with 0 an item
    is read when it is asked for. What `read` raises is raised here, in the place of its result.
    """
    if threads == 0:
        yield from map(read, items)
        return
    with ThreadPoolExecutor(threads) as pool:
        pending: deque[Future[Result]] = deque()
        try:
            for item in items:
                pending.append(pool.submit(copy_context().run, read, item))  # its warnings go where the caller's go
                if len(pending) > threads:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()
