"""Actions and classes that no moment of the pyramid learns, by the rule that training assigns its targets by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice, product

import numpy as np
import torch
from numpy.typing import NDArray

from actionformer.checks.findings import Finding
from actionformer.core.errors import listed
from actionformer.data.dataset import TrainingSet, TrainingVideo
from actionformer.detectors.base import architecture_of
from actionformer.settings.config import Config

AT_ONCE = 1 << 20
"""Features of all videos that are looked at together."""

CROPS = 5000
"""Crops that are looked at for classes that whole sequences do not teach."""

FAR = 10_000
"""Features that the last level of presets reaches, more than any crop has."""

UNHEARD = 0.05
"""Share of actions that no moment learns from which on it is said; nested actions make a few in healthy data."""


def check_moments(training: TrainingSet, config: Config, class_names: Sequence[str]) -> list[Finding]:
    """What of the training set no moment learns: all, most of a class, or more than healthy data have.

    A sequence is looked at whole, whatever crops show of it. Of a class that then has no moment, crops are
    looked at too: they are those that training will see.
    """
    if architecture_of(config).taught([], []) is None:
        return []
    actions = PlacedActions.of(training, config)
    if not len(actions.labels):
        return []
    present, counts = np.unique(actions.labels, return_counts=True)
    unheard = np.setdiff1d(present, actions.labels[actions.moments > 0])
    in_crops = _seen_in_crops(training, config, unheard)
    if len(unheard) == len(present) and not len(in_crops):
        return [_nothing(actions)]
    lost = (actions.moments == 0) & ~np.isin(actions.labels, in_crops)
    mostly = present[np.bincount(actions.labels[lost], minlength=present.max() + 1)[present] > 0.5 * counts]
    rest = lost & ~np.isin(actions.labels, mostly) & ~actions.longer
    return [
        *_too_long(actions, class_names, len(present)),
        *_classes(actions, lost, mostly, len(present), class_names),
        *_some(actions, rest),
    ]


@dataclass(frozen=True)
class PlacedActions:
    """The N actions of a training set, one after the other."""

    labels: NDArray[np.int64]
    """(N,)"""
    moments: NDArray[np.int64]
    """(N,) how many learn the class of each."""
    steps: NDArray[np.float64]
    """(N,) lengths in grid steps, at most what a crop shows."""
    longer: NDArray[np.bool_]
    """(N,) those that no crop shows whole."""
    seconds: NDArray[np.float64]
    """(N,) lengths."""
    reach: float
    """Longest distance from a moment to an end, in grid steps, that any level is responsible for."""
    apart: float
    """Seconds from one feature to the next, at most."""
    fps: float
    """Frames a second, at most."""
    farther: str
    """The option that lets the last level reach every action."""

    @classmethod
    def of(cls, training: TrainingSet, config: Config) -> PlacedActions:
        """Those that lie in their videos, as far as they do."""
        videos = [video for video in training.videos if len(video.segments)]
        steps = [np.diff(video.segments.astype(np.float64))[:, 0] for video in videos]
        step = [video.grid.step for video in videos]
        crops = [training.max_length + 2 * training.margin(video) for video in videos]
        nothing = np.empty(0)
        return cls(
            labels=np.concatenate([np.empty(0, np.int64), *(video.labels for video in videos)]),
            moments=_moments(videos, config),
            steps=np.concatenate([nothing, *(np.minimum(*pair) for pair in zip(steps, crops, strict=True))]),
            longer=np.concatenate([np.empty(0, bool), *(one > crop for one, crop in zip(steps, crops, strict=True))]),
            seconds=np.concatenate([nothing, *(one * size for one, size in zip(steps, step, strict=True))]),
            reach=architecture_of(config).furthest,
            apart=max(step, default=0.0),
            fps=max((video.grid.fps for video in videos), default=0.0),
            farther=_farther(config),
        )

    def longest(self, mask: NDArray[np.bool_]) -> str:
        """How long the actions under a mask (N,) are, in words."""
        return f"at most {self.seconds[mask].max():.3g} s long"

    def why(self, mask: NDArray[np.bool_]) -> str:
        """Why no moment learns the actions under a mask (N,), and what to do."""
        if (self.steps[mask] <= 2).all():
            stride = max(round(0.5 * self.seconds[mask].min() * self.fps), 1)
            return f"features lie up to {self.apart:.3g} s apart: extract them with a smaller stride, --stride {stride}"
        if (self.steps[mask] > 2 * self.reach).all():
            return f"nothing that is learned reaches that far: {self.farther}"
        return "too short for features so far apart, outside of model.regression_ranges, or hidden by shorter actions"


def _farther(config: Config) -> str:
    if hasattr(config.model, "max_duration"):
        return "raise model.max_duration, and data.window with it"
    ranges = getattr(config.model, "regression_ranges", ())
    if not ranges:
        return "choose settings of longer actions"
    numbers = [*(number for pair in ranges for number in pair)][:-1]
    return f"give --model.regression-ranges {' '.join(f'{number:g}' for number in numbers)} {FAR}"


def _moments(videos: Sequence[TrainingVideo], config: Config) -> NDArray[np.int64]:
    """(N,) moments that learn each action; videos of like length are looked at together."""
    lengths = np.array([config.data.resize or video.features.shape[0] for video in videos])
    counts: list[NDArray[np.int64]] = [np.empty(0, np.int64)] * len(videos)
    todo = np.argsort(-lengths, kind="stable")
    while len(todo):
        group, todo = np.split(todo, [max(AT_ONCE // lengths[todo[0]], 1)])
        segments = [videos[i].segments for i in group]
        found = _answering(segments, lengths[group].tolist(), config)
        for i, part in zip(group, np.split(found, np.cumsum([len(one) for one in segments])), strict=False):
            counts[i] = part
    return np.concatenate([np.empty(0, np.int64), *counts])


def _answering(segments: list[NDArray[np.float32]], lengths: list[int], config: Config) -> NDArray[np.int64]:
    taught = architecture_of(config).taught([torch.from_numpy(one) for one in segments], lengths)
    assert taught is not None
    counts: NDArray[np.int64] = taught.numpy()
    return counts


def _seen_in_crops(training: TrainingSet, config: Config, labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Those of the classes that have a moment in a crop of some epoch.

    Crops begin at whole steps: what lies between two moments of a sequence lies between two of any crop of it.
    """
    sizes = [np.diff(video.segments)[:, 0] for video in training.videos]
    indices = [i for i, video in enumerate(training.videos) if (np.isin(video.labels, labels) & (sizes[i] > 1)).any()]
    seen: set[int] = set()
    for epoch, index in islice(product(range(config.training.all_epochs), indices), CROPS):
        crop = training.crop(epoch, index)
        seen.update(crop.labels[_answering([crop.segments], [crop.stop - crop.start], config) > 0].tolist())
        if seen.issuperset(labels.tolist()):
            break
    return np.intersect1d(labels, list(seen))


def _nothing(actions: PlacedActions) -> Finding:
    every = np.ones(len(actions.labels), dtype=bool)
    return Finding(
        "no_moment",
        "error",
        len(every),
        len(every),
        "actions are learned by no moment of the pyramid",
        f" ({actions.longest(every)})",
        actions.why(every),
    )


def _classes(
    actions: PlacedActions, lost: NDArray[np.bool_], labels: NDArray[np.int64], total: int, names: Sequence[str]
) -> list[Finding]:
    if not len(labels):
        return []
    shown = []
    for label in labels.tolist():
        mask = actions.labels == label
        shown.append(f"{names[label]} ({(mask & lost).sum()} of {mask.sum()}, {actions.longest(mask & lost)})")
    what = "classes have actions that are learned by no moment of the pyramid: "
    why = actions.why(lost & np.isin(actions.labels, labels))
    return [Finding("no_moment", "warning", len(labels), total, what, listed(shown), why)]


def _some(actions: PlacedActions, mask: NDArray[np.bool_]) -> list[Finding]:
    if mask.mean() < UNHEARD:
        return []
    what, example = "actions are learned by no moment of the pyramid", f" ({actions.longest(mask)})"
    return [Finding("no_moment", "warning", int(mask.sum()), len(mask), what, example, actions.why(mask))]


def _too_long(actions: PlacedActions, names: Sequence[str], total: int) -> list[Finding]:
    long = actions.steps > 2 * actions.reach
    counts = {int(label): int((long & (actions.labels == label)).sum()) for label in np.unique(actions.labels[long])}
    if not counts:
        return []
    shown = [f"{names[label]} ({count} of {(actions.labels == label).sum()})" for label, count in counts.items()]
    return [
        Finding(
            "too_long",
            "warning",
            len(counts),
            total,
            "classes have actions that are longer than the last level reaches: ",
            listed(shown),
            f"it reaches {actions.reach:g} features to each side: {actions.farther}",
        )
    ]
