"""Norms over a whole sequence that comes in chunks: a first pass measures their statistics, the second one knows them.

What a first pass would have to keep grows with the sequence, so everything before the norms is computed twice instead.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import torch
from torch import Tensor, nn

from actionformer.nn.chunks import PyramidChunks, Stage, with_last
from actionformer.nn.layers import GroupNorm, Mask
from actionformer.nn.necks import Neck
from actionformer.nn.pyramid_network import PyramidNetwork


class Statistics:
    """Mean and variance of the groups of a norm, of all moments so far.

    Kept as count, mean and sum of squared deviations in float64, which are joined without cancellation (Chan, Golub &
    LeVeque, 1979).
    """

    def __init__(self, norm: GroupNorm) -> None:
        self.norm = norm
        self.count = 0
        self.mean = torch.zeros(norm.num_groups, dtype=torch.float64)
        self.squares = torch.zeros(norm.num_groups, dtype=torch.float64)

    def add(self, x: Tensor, valid: Tensor) -> None:
        """Counts in further moments x (1, t, C); of those at padding as the norm does."""
        seen = self.norm.grouped(x[valid][None] if self.norm.exact else x)[0]  # (t, G, C / G)
        count = seen.shape[0] * seen.shape[2]
        if count == 0:
            return
        mean = seen.mean((0, 2))
        squares = (seen - mean[:, None]).square().sum((0, 2)).double().cpu()
        difference, before = mean.double().cpu() - self.mean, self.count
        self.count += count
        self.mean += difference * count / self.count
        self.squares += squares + difference.square() * before * count / self.count

    def known(self, device: torch.device) -> KnownGroupNorm:
        """The norm with these statistics."""
        mean, variance = (one.float().to(device)[None, None] for one in (self.mean, self.squares / self.count))
        return KnownGroupNorm(self.norm, mean, variance)


class KnownGroupNorm(nn.Module):
    """GroupNorm of a sequence whose mean and variance (1, 1, groups) are known, and so of any part of it."""

    def __init__(self, norm: GroupNorm, mean: Tensor, variance: Tensor) -> None:
        super().__init__()
        self.norm, self.mean, self.variance = norm, mean, variance

    def forward(self, x: Tensor, valid: Mask) -> Tensor:
        """(1, t, C), (1, t) -> (1, t, C)."""
        return self.norm.normalised(x, valid, self.mean, self.variance)


@torch.inference_mode()
def with_known_statistics(network: PyramidNetwork, parts: Iterable[tuple[Tensor, Mask]]) -> PyramidNetwork:
    """The network for one sequence, as a network that can be run on it in chunks.

    Args:
        network: in eval mode, with a GroupNorm after its neck, and otherwise fit for chunks.
        parts: the whole sequence, features (t, D) and their mask (t,).
    """
    pyramid, neck = PyramidChunks(network), network.neck
    levels = range(len(network.offset_activation.scales))
    stages = [Stage(partial(_before_norm, neck, level), radius=neck.radius) for level in levels]
    measured = [Statistics(_group_norm(neck, level)) for level in levels]
    for (features, valid), last in with_last(parts):
        for stage, statistics, chunk in zip(stages, measured, pyramid.push(features, valid, last=last), strict=True):
            if found := stage(chunk, last, pyramid.padded):
                statistics.add(*found)
    known = [statistics.known(network.device) for statistics in measured]
    return network.with_neck(neck.with_norms(nn.ModuleList(known)))


def _group_norm(neck: Neck, level: int) -> GroupNorm:
    norm = neck.norm(level)
    assert isinstance(norm, GroupNorm)
    return norm


def _before_norm(neck: Neck, level: int, x: Tensor, valid: Mask) -> tuple[Tensor]:
    return (neck.before_norm(x, valid, level),)
