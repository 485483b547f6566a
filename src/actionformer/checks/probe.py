"""A linear model of features and annotations: at which times do they fit, and what else looks like an action?

Ridge regression from every row of features to the classes that go on at its centre, fitted on one half of the videos
and asked on the other. It costs seconds, and no network will do without what it finds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from actionformer.core.errors import InputError
from actionformer.data.collection import FeaturedVideo

Floats = NDArray[np.float32]
Moved = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""From the time of a row to the time at which annotations are looked up."""

MOST_ROWS, MOST_OF_ONE = 60_000, 2_000
"""Rows that are looked at, of all videos and of one."""

WIDTH = 128
"""Numbers that a row of more channels is projected to, at random."""

MOST_CLASSES = 20
"""The most frequent ones are looked at."""

FEWEST = 4
"""Videos of which half says something of the other."""

TINY = 1e-9

RIDGE = 1e-2
"""Of the regression, in variances of a channel."""


@dataclass(frozen=True)
class ProbedVideo:
    """Rows of one video, and where they lie in time."""

    video: FeaturedVideo
    rows: Floats
    """(T, d) standardised."""
    centres: NDArray[np.float64]
    """(T,) seconds."""


@dataclass(frozen=True)
class Probe:
    """A linear model of some videos, in two halves."""

    videos: list[ProbedVideo]
    labels: NDArray[np.int64]
    """(K,) the classes that are looked at."""

    @classmethod
    def of(cls, videos: Sequence[FeaturedVideo], classes: int) -> Probe:
        """Reads some videos with features of one width; those that cannot be read are left out.

        Args:
            videos: of which some are looked at if they have many rows.
            classes: how many there are.
        """
        read = [(video, rows) for video in chosen(videos) if (rows := read_rows(video)) is not None]
        labels = np.concatenate([np.empty(0, np.int64), *(video.video.labels for video, _ in read)])
        counts = np.bincount(labels, minlength=classes)
        frequent = np.argsort(-counts, kind="stable")[: min(MOST_CLASSES, int((counts > 0).sum()))]
        return cls(_standardised(read), frequent)

    def thinned(self, rows: int) -> Probe:
        """The same videos, with every second, third, ... row alone, so that at most so many are left."""
        step = -(-sum(len(one.rows) for one in self.videos) // rows)
        return Probe(
            [ProbedVideo(one.video, one.rows[::step], one.centres[::step]) for one in self.videos], self.labels
        )

    @property
    def says_something(self) -> bool:
        """Whether there are enough videos and a class."""
        return len(self.videos) >= FEWEST and len(self.labels) > 0

    @property
    def halves(self) -> tuple[list[ProbedVideo], list[ProbedVideo]]:
        """Every second video."""
        return self.videos[::2], self.videos[1::2]

    @cached_property
    def _rows(self) -> list[Floats]:
        """Of each half (N, d)."""
        return [np.concatenate([one.rows for one in half]) for half in self.halves]

    @cached_property
    def _inverses(self) -> list[Floats]:
        """Of each half (d, d)."""
        inverses = []
        for rows in self._rows:
            gram = rows.T @ rows
            gram[np.diag_indices_from(gram)] += RIDGE * len(rows)
            inverses.append(np.linalg.inv(gram))
        return inverses

    def fits(self, moved: Moved) -> list[float]:
        """How well classes are told in either half by the model of the other: mean correlation over the classes.

        Args:
            moved: from the time of a row to the time at which annotations are looked up, for fitting and asking.
        """
        wanted = self._wanted(moved)
        return [_correlation(*pair) for pair in zip(self._asked(wanted), wanted[::-1], strict=True)]

    def _asked(self, wanted: Sequence[Floats]) -> list[Floats]:
        """Scores (N, K + 1) of the rows of each other half, from what is `wanted` of those of each half."""
        asked = []
        for inverse, rows, other, targets in zip(self._inverses, self._rows, self._rows[::-1], wanted, strict=True):
            weights = inverse @ (rows.T @ (targets - targets.mean(0)))
            asked.append(other @ weights + targets.mean(0))
        return asked

    def _wanted(self, moved: Moved) -> list[Floats]:
        """What goes on at every row of each half, (N, K + 1)."""
        return [np.concatenate([self.going_on(one, moved(one.centres)) for one in half]) for half in self.halves]

    def going_on(self, one: ProbedVideo, times: NDArray[np.float64]) -> Floats:
        """(T, K + 1) which classes go on at some times, and in the last column whether any does."""
        segments, labels = one.video.video.segments, one.video.video.labels
        inside = (times[:, None] >= segments[:, 0]) & (times[:, None] < segments[:, 1])  # (T, N)
        own = labels[:, None] == self.labels  # (N, K)
        columns = np.concatenate([inside @ own, inside.any(1, keepdims=True)], axis=1)
        return columns.astype(np.float32)

    def scores(self) -> list[tuple[ProbedVideo, Floats]]:
        """For each video (T,) how much of an action every row shows, by the model that was fitted on others."""
        found = []
        for half, scores in zip(self.halves[::-1], self._asked(self._wanted(lambda time: time)), strict=True):
            ends = np.cumsum([len(one.rows) for one in half])[:-1]
            found += list(zip(half, np.split(scores[:, -1], ends), strict=True))
        return found


def _correlation(scores: Floats, wanted: Floats) -> float:
    """Mean over the columns (N, K) that vary."""
    scores, wanted = scores - scores.mean(0), wanted - wanted.mean(0)
    size = np.sqrt(np.square(scores).sum(0) * np.square(wanted).sum(0))
    varies = size > TINY
    return float(((scores * wanted).sum(0)[varies] / size[varies]).mean()) if varies.any() else 0.0


def chosen(videos: Sequence[FeaturedVideo]) -> list[FeaturedVideo]:
    """As many videos, spread evenly, as have so many rows together."""
    if not videos:
        return []
    mean = float(np.mean([min(len(video.features), MOST_OF_ONE) for video in videos]))
    count = min(len(videos), max(int(MOST_ROWS / mean), 2))
    return [videos[i] for i in np.unique(np.linspace(0, len(videos) - 1, count).astype(int)).tolist()]


def read_rows(video: FeaturedVideo) -> Floats | None:
    """The first rows of a video, (T, D); None where they cannot be read."""
    try:
        return video.features[:MOST_OF_ONE]
    except InputError:
        return None


def _standardised(read: Sequence[tuple[FeaturedVideo, Floats]]) -> list[ProbedVideo]:
    """Channels with mean 0 and deviation 1, and if there are many projected to fewer."""
    if not read:
        return []
    every = np.concatenate([rows for _, rows in read]).astype(np.float64)
    mean, deviation = every.mean(0), every.std(0)
    scale = np.where(deviation > TINY, 1 / np.maximum(deviation, TINY), 0)
    width = every.shape[1]
    projection = (
        np.eye(width) if width <= WIDTH else np.random.default_rng(0).standard_normal((width, WIDTH)) / np.sqrt(WIDTH)
    )
    return [
        ProbedVideo(
            video,
            (((rows - mean) * scale) @ projection).astype(np.float32),
            video.grid.to_seconds(np.arange(len(rows), dtype=np.float64)),
        )
        for video, rows in read
    ]
