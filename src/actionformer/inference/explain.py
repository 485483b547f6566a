"""What the network says of a video before anything is decided: scores of every level, attention, and how far each sees.

Scores and candidates come from the code that detection uses, attention from the plain network.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from actionformer.core.errors import InputError
from actionformer.core.segments import TimeGrid
from actionformer.detectors.base import Decoder, Level
from actionformer.inference.overflow import overflow_of
from actionformer.inference.runner import Runner
from actionformer.inference.sequences import FeatureSequence
from actionformer.inference.stream import levels_for, longest_action
from actionformer.inference.windows import Joiner, windows_of
from actionformer.nn.attention_maps import AttentionMaps, Projections, Weights
from actionformer.nn.decoding import Candidates
from actionformer.nn.points import level_lengths

Floats = NDArray[np.float32]
SURROUNDINGS = 8192  # features around a moment that its attention is computed from, where a video has more


@dataclass(frozen=True, eq=False)
class LevelScores:
    """What the heads say of every moment of one level."""

    stride: int
    """Features from one moment to the next."""
    probability: Floats
    """(T_l, K)"""
    offsets: Floats
    """(T_l, 2) distances to start and end, in strides; (T_l, K, 2) where each class has its own."""

    def part(self, first: int, stop: int) -> LevelScores:
        """The moments from `first` to `stop` (excluded)."""
        return LevelScores(self.stride, self.probability[first:stop], self.offsets[first:stop])

    def maximum(self, points: int) -> tuple[Floats, int]:
        """The highest probabilities (K, n), n <= points, each of as many neighbouring moments as the number beside it.

        Drawing needs no more than that, and no peak is lost.
        """
        together = max(1, math.ceil(len(self.probability) / points))
        begins = np.arange(0, len(self.probability), together)
        return np.maximum.reduceat(self.probability, begins, axis=0).T, together


@dataclass(frozen=True, eq=False)
class Explanation:
    """One video as the network sees it."""

    levels: list[LevelScores]
    candidates: Candidates
    """Before suppression, in grid steps; those that settings of `live` let take part."""


@torch.inference_mode()
def explain(runner: Runner, sequence: FeatureSequence) -> Explanation:
    """What the network says of a whole sequence, run as detection runs it.

    Where it is cut into windows there are candidates, but no levels that span it.
    """
    levels, found = _in_windows(runner, sequence) if runner.config.data.window is not None else _whole(runner, sequence)
    longest = longest_action(runner.config, sequence.grid)
    usable = found.segments[:, 1] - found.segments[:, 0] <= longest
    if levels:
        usable &= torch.isin(found.levels, torch.tensor(levels_for(runner.levels, longest)))
    return Explanation(levels, found.chosen(usable))


def _in_windows(runner: Runner, sequence: FeatureSequence) -> tuple[list[LevelScores], Candidates]:
    windows = windows_of([sequence], runner.config.data)
    joiner = Joiner(windows, runner.strides, runner.config.suppression)
    for window in windows:
        decoder = runner.run([window.sequence])
        _check_finite(runner, sequence, decoder)
        whole = joiner.add(window, decoder.candidates()[0], decoder.left_out()[0])
    assert whole is not None
    return [], whole[0]


def _whole(runner: Runner, sequence: FeatureSequence) -> tuple[list[LevelScores], Candidates]:
    pyramid = runner.levels
    strides = [level.stride for level in pyramid]
    decoder = runner.architecture.decoder()
    parts: list[list[tuple[Tensor, Tensor]]] = [[] for _ in pyramid]
    for outputs in runner.outputs([sequence]):
        decoder.add(outputs)
        if pyramid:
            parts[outputs.level].append((outputs.logits[0].float().sigmoid(), outputs.offsets[0].float()))
    levels = [
        LevelScores(stride, *(torch.cat(tensors)[:length].cpu().numpy() for tensors in zip(*chunks, strict=True)))
        for stride, chunks, length in zip(strides, parts, level_lengths(len(sequence), strides), strict=True)
    ]
    _check_finite(runner, sequence, decoder)
    return levels, decoder.candidates()[0]


def _check_finite(runner: Runner, sequence: FeatureSequence, decoder: Decoder) -> None:
    if decoder.overflown()[0]:
        raise overflow_of(sequence.before_resizing, sequence.name, runner.model)


def decoded_from(candidates: Candidates, strides: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where the moments (N,) that proposed candidates lie, in grid steps, and their distances (N, 2) to start and end.

    These are in strides of the level, as the network gives them: start = moment - distance * stride.
    """
    own = strides[candidates.levels.numpy()]
    moments = (candidates.moments.numpy() * own).astype(np.float64)
    return moments, (candidates.segments.numpy() - moments[:, None]) * [-1, 1] / own[:, None]


@dataclass(frozen=True)
class LevelRange:
    """How far the moments of one level see, and what they are made for; None where that has no bound."""

    stride: int
    window_seconds: float | None
    """Width of the attention of the level's block; of convolutions 3 moments."""
    reach_seconds: float | None
    """How far after a moment features can change what is said of it; before it as far, with an fpn further."""
    action_range: tuple[float, float | None]
    """Distances to the further end of an action, seconds, that the level was trained for."""


def level_ranges(levels: list[Level], grid: TimeGrid) -> list[LevelRange]:
    """The effective range of every level, in seconds of videos on a grid."""
    step = grid.step
    furthest = levels[-1].action_range[1] if levels else math.inf
    return [
        LevelRange(
            stride=level.stride,
            window_seconds=level.window * level.stride * step if level.window > 1 else None,
            reach_seconds=None if level.lookahead is None else level.lookahead * step,
            action_range=(level.action_range[0] * step, _bound(level.action_range[1], furthest, step)),
        )
        for level in levels
    ]


def _bound(largest: float, furthest: float, step: float) -> float | None:
    return largest * step if largest < furthest else None


@dataclass(frozen=True)
class LevelWindow:
    """What the attention of one level covers around a moment."""

    position: int
    """The moment's index in the level."""
    first: int
    last: int
    """The positions that it attends to, both included."""
    seconds: tuple[float, float]
    """Where these lie, unclipped."""


def level_windows(levels: list[Level], sequence: FeatureSequence, seconds: float) -> list[LevelWindow]:
    """The window of every level around a time in seconds; one of global attention is the whole video."""
    lengths = level_lengths(len(sequence), [level.stride for level in levels])
    found = []
    for level, length in zip(levels, lengths, strict=True):
        position = nearest_position(sequence.grid, seconds, level.stride, length)
        around = level.window // 2 if level.window > 1 else length
        first, last = max(position - around, 0), min(position + around, length - 1)
        ends = sequence.grid.to_seconds(np.array([first - 0.5, last + 0.5]) * level.stride)
        found.append(LevelWindow(position, first, last, (float(ends[0]), float(ends[1]))))
    return found


def nearest_position(grid: TimeGrid, seconds: float, stride: int, length: int) -> int:
    """The index of the moment of a level that is nearest to a time."""
    return int(np.clip(round(float(grid.to_grid(np.array(seconds))) / stride), 0, length - 1))


def surroundings(runner: Runner, sequence: FeatureSequence, seconds: float) -> tuple[int, int]:
    """First and last feature (excluded) that the attention of a moment is computed from: all, if they are few.

    Long videos are cut where neighbouring moments are cut too. Where a network knows positions nothing is cut.
    """
    length = len(sequence)
    if length <= SURROUNDINGS or attention_of(runner).sees_all:
        return 0, length
    quarter = SURROUNDINGS // 4
    centre = nearest_position(sequence.grid, seconds, 1, length)
    start = min(max(centre // quarter * quarter - SURROUNDINGS // 2, 0), length - SURROUNDINGS)
    coarsest = runner.levels[-1].stride
    start = start // coarsest * coarsest
    stop = start + SURROUNDINGS
    return start, length if length - stop < coarsest else stop


def project(runner: Runner, sequence: FeatureSequence, part: tuple[int, int], block: int) -> Projections:
    """Queries and keys of one block for the features of a part of a sequence.

    Args:
        runner: of the network.
        sequence: features.
        part: first and last feature (excluded), the first a multiple of the coarsest stride.
        block: index of the block.

    Raises:
        InputError: there is no such block, or the detector has no attention.
    """
    maps = attention_of(runner)
    if not 0 <= block < len(maps.names()):
        raise InputError(f"block {block}: the network has blocks 0 to {len(maps.names()) - 1}")
    start, stop = part
    whole = part == (0, len(sequence))
    padded = runner.architecture.computed_length(stop - start) + start if whole else stop
    features, mask = sequence.part(start, padded, runner.model.device)
    valid = None if mask is None else mask[None]
    return maps.project(features[None], valid, block, first=start, count=stop - start, length=len(sequence))


@torch.inference_mode()
def sampled(runner: Runner, sequence: FeatureSequence, seconds: float, layer: int) -> Weights:
    """What a layer that samples places weighs from the feature nearest to a time, in the window around it.

    Of several windows it is the one whose middle is nearest.

    Raises:
        InputError: there is no such layer, or the network samples nothing.
    """
    maps = runner.architecture.sampling(runner.model)
    if maps is None:
        raise InputError("this network samples no places to show")
    if not 0 <= layer < len(maps.names()):
        raise InputError(f"block {layer}: the network has blocks 0 to {len(maps.names()) - 1}")
    position = nearest_position(sequence.grid, seconds, 1, len(sequence))
    windows = windows_of([sequence], runner.config.data)
    window = min(windows, key=lambda one: abs(one.start + len(one.sequence) / 2 - position))
    padded = runner.architecture.computed_length(len(window.sequence))
    features, mask = window.sequence.part(0, padded, runner.model.device)
    weights = maps.weights(features[None], None if mask is None else mask[None], layer, position - window.start)
    rows = window.rows
    return Weights(np.array(rows), weights[:, : len(rows)].float().cpu().numpy())


def attention_of(runner: Runner) -> AttentionMaps:
    """What shows the attention of a network.

    Raises:
        InputError: it has none.
    """
    maps = runner.architecture.attention(runner.model)
    if maps is None:
        raise InputError("this network has no attention to show")
    if runner.config.data.window is not None:
        raise InputError("this model looks at windows one by one, its attention spans no whole video")
    return maps
