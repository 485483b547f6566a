"""What the network says of a video before anything is decided: scores of every level, attention, and how far each sees.

Scores and candidates come from the code that detection uses, attention from the plain network.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from actionformer.core.errors import InputError
from actionformer.core.segments import TimeGrid
from actionformer.detectors.actionformer.network import ActionFormer
from actionformer.inference.overflow import overflow_of
from actionformer.inference.runner import Runner
from actionformer.inference.sequences import Sequence
from actionformer.inference.stream import levels_of, longest_action
from actionformer.nn.attention import Attention, split_heads
from actionformer.nn.decoding import Candidates, Decoder
from actionformer.nn.padding import computed_length
from actionformer.nn.pieces import lookahead
from actionformer.nn.points import level_lengths
from actionformer.nn.pyramid import TransformerBlock
from actionformer.settings.config import Config, ModelSettings

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
    """(T_l, 2) distances to start and end, in strides."""

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
def explain(runner: Runner, sequence: Sequence) -> Explanation:
    """What the network says of a whole sequence, run as detection runs it."""
    config = runner.config
    decoder = Decoder.of(config)
    parts: list[list[tuple[Tensor, Tensor]]] = [[] for _ in config.model.strides]
    for outputs in runner.outputs([sequence]):
        decoder.add(outputs)
        parts[outputs.level].append((outputs.logits[0].float().sigmoid(), outputs.offsets[0].float()))
    lengths = level_lengths(len(sequence), config.model.strides)
    levels = [
        LevelScores(stride, *(torch.cat(tensors)[:length].cpu().numpy() for tensors in zip(*pieces, strict=True)))
        for stride, pieces, length in zip(config.model.strides, parts, lengths, strict=True)
    ]
    if decoder.overflown()[0]:
        raise overflow_of(sequence.given or sequence.features, sequence.name, runner.model)
    (found,) = decoder.candidates()
    longest = longest_action(config, sequence.grid)
    usable = found.segments[:, 1] - found.segments[:, 0] <= longest
    usable &= torch.isin(found.levels, torch.tensor(levels_of(config, longest)))
    return Explanation(levels, Candidates(*(tensor[usable] for tensor in found)))


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


def _windows(settings: ModelSettings) -> tuple[int, ...]:
    """Moments that an output of every level sees of its own; at most 1 for all, of convolutions 3."""
    return settings.level_windows if settings.backbone == "transformer" else (3,) * settings.num_levels


def level_ranges(model: ActionFormer, config: Config, grid: TimeGrid) -> list[LevelRange]:
    """The effective range of every level, in seconds of videos on a grid."""
    step = grid.stride / grid.fps
    settings = config.model
    reaches: list[int] | list[None] = lookahead(model) or [None] * settings.num_levels
    rows = zip(settings.strides, _windows(settings), reaches, settings.regression_ranges, strict=True)
    return [
        LevelRange(
            stride=stride,
            window_seconds=window * stride * step if window > 1 else None,
            reach_seconds=None if reach is None else reach * step,
            action_range=(low * step, high * step if high < settings.regression_ranges[-1][1] else None),
        )
        for stride, window, reach, (low, high) in rows
    ]


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


def level_windows(config: Config, sequence: Sequence, seconds: float) -> list[LevelWindow]:
    """The window of every level around a time in seconds; one of global attention is the whole video."""
    settings = config.model
    lengths = level_lengths(len(sequence), settings.strides)
    found = []
    for stride, window, length in zip(settings.strides, _windows(settings), lengths, strict=True):
        position = nearest_position(sequence.grid, seconds, stride, length)
        reach = window // 2 if window > 1 else length
        first, last = max(position - reach, 0), min(position + reach, length - 1)
        ends = sequence.grid.to_seconds(np.array([first - 0.5, last + 0.5]) * stride)
        found.append(LevelWindow(position, first, last, (float(ends[0]), float(ends[1]))))
    return found


def nearest_position(grid: TimeGrid, seconds: float, stride: int, length: int) -> int:
    """The index of the moment of a level that is nearest to a time."""
    return int(np.clip(round(float(grid.to_grid(np.array(seconds))) / stride), 0, length - 1))


def block_names(model: ActionFormer) -> list[str]:
    """What to call the blocks of the pyramid, in order."""
    stem, stride, names = len(model.pyramid.stem), 1, []
    for index, block in enumerate(model.pyramid.blocks):
        stride *= block.stride
        names.append(f"stem {index + 1}" if index < stem else f"branch {index - stem + 1} (stride {stride})")
    return names


@dataclass(frozen=True, eq=False)
class Projections:
    """What one block compares moments by, and the rule by which it does."""

    first: int
    """Index in the block's resolution of the first of these moments."""
    stride: int
    """Features from one moment to the next."""
    length: int
    """Moments of the whole video at this resolution."""
    window: int
    """Of the block; at most 1 is global."""
    query: Tensor
    """(T, H, d)"""
    key: Tensor
    """(T, H, d)"""
    relative_bias: Tensor | None
    """(H, W)"""


@dataclass(frozen=True, eq=False)
class Weights:
    """How much one moment looks at others: (H, n) that sum to 1 for every head, and the positions (n,) of these."""

    positions: NDArray[np.int64]
    """In the block's resolution, from the beginning of the video on."""
    weights: Floats


def surroundings(model: ActionFormer, config: Config, sequence: Sequence, seconds: float) -> tuple[int, int]:
    """First and last feature (excluded) that the attention of a moment is computed from: all, if they are few.

    Long videos are cut where neighbouring moments are cut too. Where a network knows positions nothing is cut.
    """
    length = len(sequence)
    if length <= SURROUNDINGS or model.position is not None:
        return 0, length
    quarter = SURROUNDINGS // 4
    centre = nearest_position(sequence.grid, seconds, 1, length)
    start = min(max(centre // quarter * quarter - SURROUNDINGS // 2, 0), length - SURROUNDINGS)
    coarsest = config.model.strides[-1]
    start = start // coarsest * coarsest
    stop = start + SURROUNDINGS
    return start, length if length - stop < coarsest else stop


@torch.inference_mode()
def project(model: ActionFormer, config: Config, sequence: Sequence, part: tuple[int, int], block: int) -> Projections:
    """Queries and keys of one block for the features of a part of a sequence.

    Args:
        model: in test mode.
        config: its settings.
        sequence: features.
        part: first and last feature (excluded), the first a multiple of the coarsest stride.
        block: index of the block.

    Raises:
        InputError: there is no such block, or it is one of convolutions.
    """
    blocks = model.pyramid.blocks
    if not 0 <= block < len(blocks):
        raise InputError(f"block {block}: the network has blocks 0 to {len(blocks) - 1}")
    chosen = blocks[block]
    if not isinstance(chosen, TransformerBlock):
        raise InputError("this network is made of convolutions: it has no attention to show")
    start, stop = part
    padded = computed_length(stop - start, config.model) + start if part == (0, len(sequence)) else stop
    features, mask = sequence.part(start, padded, model.normalizer.mean.device)
    valid = None if mask is None else mask[None]
    x = model.embed(features[None], valid)
    attention: Attention = chosen.attention
    with recorded(attention.query, attention.key) as outputs:
        for one in blocks[: block + 1]:
            x, valid = one(x, valid)
    stride = math.prod(one.stride for one in blocks[: block + 1])
    (count,) = level_lengths(stop - start, [stride])
    query, key = (split_heads(output[0, :count].float(), attention.num_heads) for output in outputs)
    (length,) = level_lengths(len(sequence), [stride])
    return Projections(start // stride, stride, length, attention.window, query, key, attention.relative_bias)


@contextmanager
def recorded(*modules: nn.Module) -> Iterator[list[Tensor]]:
    """What modules put out when they are called inside the block, one output a module, in their order."""
    outputs: list[Any] = [None] * len(modules)

    def keep(index: int) -> Any:
        return lambda module, inputs, output: outputs.__setitem__(index, output)

    handles = [module.register_forward_hook(keep(index)) for index, module in enumerate(modules)]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()


def attention_at(projections: Projections, position: int, *, everywhere: bool) -> Weights:
    """The attention weights of one moment, softmax(q k^T / sqrt(d) + bias), by head.

    Args:
        projections: of the block.
        position: the moment, from the beginning of the video on.
        everywhere: over all moments, as global attention would weigh the same queries and keys, without the bias that
            exists within the window alone; else within the window.
    """
    row = position - projections.first
    first, last = 0, len(projections.key)
    if not everywhere and projections.window > 1:
        reach = projections.window // 2
        first, last = max(row - reach, 0), min(row + reach + 1, last)
    key = projections.key[first:last]
    logits = torch.einsum("hd,khd->hk", projections.query[row], key) / math.sqrt(key.shape[-1])
    if not everywhere and projections.relative_bias is not None:
        offsets = torch.arange(first, last, device=key.device) - row + projections.window // 2
        logits = logits + projections.relative_bias.detach()[:, offsets].float()
    return Weights(np.arange(first, last) + projections.first, logits.softmax(-1).cpu().numpy())


def comparisons(projections: Projections) -> tuple[int, int]:
    """Pairs of query and key that one head compares over the whole video: within the window, and globally."""
    length, reach = projections.length, projections.window // 2
    if projections.window <= 1 or reach >= length:
        return length * length, length * length
    return length * (2 * reach + 1) - reach * (reach + 1), length * length
