"""What ground truths are like: how long, how much of their video, how many of their class in it.

These are the characteristics of DETAD (Alwassel et al., ECCV 2018) that any annotation file tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from actionformer.core.annotations import Annotations
from actionformer.evaluation.pairs import Floats, Ints, Truths

GROUPS = 5
"""Of length and of coverage, with as many ground truths each."""
INSTANCES = (1.0, 4.0, 8.0)
"""Most instances of a class in a video, of all groups but the last; those of DETAD for ActivityNet."""


@dataclass(frozen=True, eq=False)
class Characteristic:
    """One property of ground truths, in groups from low to high."""

    name: str
    unit: str
    edges: tuple[float, ...]
    """The highest value of each group but the last."""
    values: Floats
    """(G,)"""
    whole: bool = False
    """Whether values are numbers of things."""

    @property
    def groups(self) -> Ints:
        """(G,) the group of each ground truth."""
        return np.searchsorted(self.edges, self.values, side="left")

    @property
    def names(self) -> list[str]:
        """Of the groups: the values that they span."""
        ends = [f"{edge:.3g}" for edge in self.edges]
        if not ends:
            return ["all"]
        begins = [f"{edge + 1:.3g}" if self.whole else f"{edge:.3g}" for edge in self.edges]
        return [
            f"up to {ends[0]}",
            *(f"{a} to {b}" for a, b in zip(begins, ends[1:], strict=False)),
            f"over {ends[-1]}",
        ]


def characteristics(annotations: Annotations, truths: Truths) -> list[Characteristic]:
    """Length, coverage where all videos state how long they are, and number of instances.

    Args:
        annotations: the evaluated videos.
        truths: their ground truths.
    """
    lengths = truths.segments[:, 1] - truths.segments[:, 0]
    found = [Characteristic("length", "s", quantiles(lengths), lengths)]
    durations = [video.duration for video in annotations.videos.values()]
    if all(durations):
        coverage = lengths / np.array(durations, dtype=np.float64)[truths.videos]
        found.append(Characteristic("coverage", "share of the video", quantiles(coverage), coverage))
    counts = instances(truths)
    return [*found, Characteristic("instances", "of the class in the video", INSTANCES, counts, whole=True)]


def instances(truths: Truths) -> Floats:
    """(G,) ground truths of the same class in the same video."""
    pairs = np.stack([truths.videos, truths.labels], axis=1)
    _, place, counts = np.unique(pairs, axis=0, return_inverse=True, return_counts=True)
    return counts[place.reshape(-1)].astype(np.float64)


def quantiles(values: Floats, groups: int = GROUPS) -> tuple[float, ...]:
    """Edges that part values into groups of like size; fewer where many values are one."""
    shares: Sequence[float] = np.linspace(0, 1, groups + 1)[1:-1].tolist()
    edges = np.unique(np.quantile(values, shares)) if len(values) else np.empty(0)
    return tuple(edges[edges < values.max(initial=-np.inf)].tolist())
