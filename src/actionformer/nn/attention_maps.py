"""What moments attend to, block by block: queries and keys from the plain network, and the weights that they make."""

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

from actionformer.nn.attention import split_heads
from actionformer.nn.blocks import TransformerBlock
from actionformer.nn.layers import Mask
from actionformer.nn.points import level_lengths
from actionformer.nn.pyramid_network import PyramidNetwork


class AttentionMaps:
    """The attention of a pyramid of transformer blocks, for people to look at.

    Args:
        network: in eval mode.
    """

    def __init__(self, network: PyramidNetwork) -> None:
        self.network = network

    @property
    def sees_all(self) -> bool:
        """Whether what a moment attends to depends on how long the sequence is."""
        return self.network.position is not None

    def names(self) -> list[str]:
        """What to call the blocks of the pyramid, in order."""
        pyramid = self.network.pyramid
        stem, stride, names = len(pyramid.stem), 1, []
        for index, block in enumerate(pyramid.blocks):
            stride *= block.stride
            names.append(f"stem {index + 1}" if index < stem else f"branch {index - stem + 1} (stride {stride})")
        return names

    @torch.inference_mode()
    def project(self, features: Tensor, valid: Mask, block: int, *, first: int, count: int, length: int) -> Projections:
        """Queries and keys of one block.

        Args:
            features: (1, T, D), a part of a sequence with the padding that it is computed with.
            valid: (1, T).
            block: index of the block.
            first: index in the sequence of the first feature, a multiple of the coarsest stride.
            count: features that are no padding.
            length: features of the whole sequence.
        """
        blocks = self.network.pyramid.blocks[: block + 1]
        chosen = blocks[-1]
        assert isinstance(chosen, TransformerBlock)
        attention, x = chosen.attention, self.network.embed(features, valid)
        with recorded(attention.query, attention.key) as outputs:
            for one in blocks:
                x, valid = one(x, valid)
        stride = math.prod(one.stride for one in blocks)
        shown, whole = (level_lengths(one, [stride])[0] for one in (count, length))
        query, key = (split_heads(output[0, :shown].float(), attention.num_heads) for output in outputs)
        return Projections(first // stride, stride, whole, attention.window, query, key, attention.relative_bias)


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
    weights: NDArray[np.float32]


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
