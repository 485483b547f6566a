"""Several models on the same videos: how good each is, how certain that is, and which differ from one of them.

Each model, called an entry, has been trained with S seeds, and every seed has its detections. Interval and test come
from draws of videos: a draw takes videos with replacement (groups of videos that are alike, such as those of a person,
are taken whole), the same ones for all entries. Of an entry's seeds it takes S - 1, with replacement and for each entry
anew, and the entry's figure on the draw is the mean of their mAP. So the draws differ as other videos and other seeds
would make results differ. S - 1 of S make the spread of a mean as large as that of the mean of S new seeds is on
average; S would make it too small (Rao & Wu, Resampling Inference with Complex Survey Data, 1988). Of one seed nothing
is drawn, and nothing is known of others.

An entry is compared with the reference by its differences on all draws: p is twice the share of draws on the other
side of 0, and at least 2 / 2^G for G videos or groups: that is the p of a test in which each of them says the same.
Where n entries are compared with one, some p is small by chance; Holm's correction (1979) keeps the
probability of any false difference below 5%.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from actionformer.core.errors import InputError
from actionformer.core.files import write_whole
from actionformer.evaluation.bootstrap import DRAWS, Comparison, Interval, WeightedMap, comparison, draws, interval
from actionformer.evaluation.pairs import Floats, Ints
from actionformer.evaluation.sensitivity import Found

SIGNIFICANT = 0.05
"""Corrected p below which two entries are said to differ."""


@dataclass(frozen=True)
class SeedRun:
    """What one seed of an entry has found in the evaluated videos."""

    seed: int
    maps: tuple[float, ...]
    """mAP at each threshold."""
    found: Found


@dataclass(frozen=True)
class Costs:
    """What a model costs; None where that could not be measured."""

    parameters: int
    multiply_adds: float | None = None
    """Of detection, for a minute of video."""
    training_minutes: float | None = None
    """Mean over seeds, without evaluation."""
    minutes_per_second: float | None = None
    """Minutes of video that a second of detection from features takes in."""
    peak_mib: float | None = None
    """Memory of detection at its peak: weights and all that is computed, beside what the program takes without them."""


@dataclass(frozen=True)
class EntryFigures:
    """One entry; shares from 0 to 1."""

    name: str
    seeds: tuple[int, ...]
    maps: tuple[tuple[float, ...], ...]
    """mAP of each seed at each threshold."""
    average: Interval
    """Mean over seeds and thresholds."""
    test: Comparison | None
    """Its average less that of the reference; None of the reference itself."""
    corrected_p: float | None
    """By Holm's correction."""
    costs: Costs | None = None

    @property
    def averages(self) -> tuple[float, ...]:
        """Mean over thresholds of each seed."""
        return tuple(float(np.mean(one)) for one in self.maps)

    @property
    def differs(self) -> bool:
        """Whether it is told apart from the reference."""
        return self.corrected_p is not None and self.corrected_p < SIGNIFICANT


@dataclass(frozen=True)
class ComparisonReport:
    """Entries side by side."""

    tiou: tuple[float, ...]
    videos: int
    actions: int
    drawn: int
    """How many videos, or groups of them, there are to draw."""
    by: str
    """What is drawn: videos, or groups."""
    draws: int
    reference: str
    """The entry that the others are compared with."""
    best: bool
    """Whether it was chosen as the one with the highest mean."""
    entries: tuple[EntryFigures, ...]
    measured: str = ""
    """On what costs were measured."""
    notes: tuple[str, ...] = ()
    """What else has to be known."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        content = asdict(self)
        for row, one in zip(content["entries"], self.entries, strict=True):
            mean, deviation = spread(one.averages)
            row |= {"averages": one.averages, "mean": mean, "deviation": deviation}
        return content

    def to_json(self, path: str | Path) -> None:
        """Writes all figures."""
        write_whole(path, json.dumps(self.to_dict(), indent=1) + "\n")


def spread(values: Sequence[float]) -> tuple[float, float | None]:
    """Mean and standard deviation of a sample; None where there is a single value."""
    return float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else None


def compare_entries(
    runs: Mapping[str, Sequence[SeedRun]], groups: Ints, *, reference: str | None = None, count: int = DRAWS
) -> list[EntryFigures]:
    """Figures of each entry, in the given order; how they come about stands at the head of this module.

    Args:
        runs: entry -> its seeds, all evaluated on the same ground truths.
        groups: (V,) the number of each video's group, see `Groups.numbers`.
        reference: the entry to compare with; by default the one with the highest mean.
        count: of draws.

    Raises:
        InputError: the ground truths are not the same.
    """
    truths = {len(run.found.truths) for seeds in runs.values() for run in seeds}
    if len(truths) > 1:
        raise InputError("models are compared on the same ground truths")
    weights = draws(groups, count)
    values, drawn = {}, {}
    for number, (name, seeds) in enumerate(runs.items()):
        every = np.array([_values(run.found, weights) for run in seeds])  # (S, 1 + count)
        values[name] = float(every[:, 0].mean())
        drawn[name] = drawn_mean(every[:, 1:], seed=number)
    against = reference or max(values, key=lambda name: values[name])
    tests = {
        name: comparison(values[name] - values[against], drawn[name] - drawn[against], groups)
        for name in runs
        if name != against
    }
    corrected = dict(zip(tests, holm([test.p for test in tests.values()]), strict=True))
    return [
        EntryFigures(
            name,
            tuple(run.seed for run in seeds),
            tuple(run.maps for run in seeds),
            interval(values[name], drawn[name]),
            tests.get(name),
            corrected.get(name),
        )
        for name, seeds in runs.items()
    ]


def _values(found: Found, weights: Ints) -> Floats:
    """(1 + count,) mAP on all videos, then on each draw."""
    evaluate = WeightedMap(found, weights.shape[1])
    return np.array([evaluate(row) for row in (np.ones_like(weights[0]), *weights)])


def drawn_mean(values: Floats, seed: int) -> Floats:
    """(count,) the mean of S - 1 of the S seeds, drawn with replacement, on each draw; values are (S, count)."""
    seeds, count = values.shape
    taken = np.random.default_rng([seed, seeds]).integers(0, seeds, size=(max(seeds - 1, 1), count))
    return np.asarray(np.take_along_axis(values, taken, axis=0).mean(axis=0))


def holm(p: Sequence[float]) -> list[float]:
    """Corrected p of n tests (Holm, A Simple Sequentially Rejective Multiple Test Procedure, 1979).

    The smallest is multiplied by n, the next one by n - 1, ...; none gets smaller than one before it, or more than 1.
    """
    order = np.argsort(p, kind="stable")
    corrected = np.empty(len(p))
    steps = np.array(p, dtype=float)[order] * np.arange(len(p), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1.0) if len(p) else steps
    return [float(one) for one in corrected]
