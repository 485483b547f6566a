"""A graph over the features of a sequence, whose edges are order in time and likeness (G-TAD, section 3.2)."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from actionformer.nn.layers import Conv, Linear, Mask, masked


@torch.no_grad()
def nearest(x: Tensor, valid: Mask, count: int) -> Tensor:
    """(B, T, N) int64 the features nearest to each of (B, T, C), the nearest first: itself, or one equal to it.

    N is `count`, or T if there are no more. Padding is near to nothing: where less than N features are left, a feature
    takes its own place again.
    """
    if torch.compiler.is_exporting():  # ONNX has no cdist; squares have the same order
        distance = (x.float()[:, :, None] - x.float()[:, None]).square().sum(-1)
    else:
        distance = torch.cdist(x.float(), x.float(), compute_mode="donot_use_mm_for_euclid_dist")
    if valid is not None:
        distance = distance.masked_fill(~valid[:, None], math.inf)
    found = distance.topk(min(count, x.shape[1]), largest=False)
    own = torch.arange(x.shape[1], device=x.device)[:, None]
    places: Tensor = torch.where(found.values.isfinite(), found.indices, own)
    return places


def gathered(x: Tensor, index: Tensor) -> Tensor:
    """Of (B, T, C) the features (B, T, N, C) at places (B, T, N)."""
    found = x.gather(1, index.flatten(1)[..., None].expand(-1, -1, x.shape[-1]))
    return found.view(*index.shape, x.shape[-1])


class GraphBlock(nn.Module):
    """GCNeXt: y = ReLU(time(x) + x + likeness(x)).

    Along time it is a convolution. Each pair of a feature and one of the features that are most like it is mapped, and
    the largest value of all pairs taken.
    """

    def __init__(self, channels: int, inside: int, *, groups: int, neighbors: int) -> None:
        super().__init__()
        self.neighbors = neighbors
        self.time = nn.ModuleList(
            [Linear(channels, inside), Conv(inside, inside, 3, groups=groups), Linear(inside, channels)]
        )
        self.likeness = nn.ModuleList(
            [Pairs(channels, inside), Conv(inside, inside, 1, groups=groups), Linear(inside, channels)]
        )

    def forward(self, x: Tensor, valid: Mask) -> Tensor:
        """(B, T, C), (B, T) -> (B, T, C)."""
        return masked(F.relu(self._along_time(x, valid) + x + self._by_likeness(x, valid)), valid)

    def _along_time(self, x: Tensor, valid: Mask) -> Tensor:
        narrow, conv, wide = self.time
        mapped: Tensor = wide(F.relu(conv(masked(F.relu(narrow(x)), valid))))
        return mapped

    def _by_likeness(self, x: Tensor, valid: Mask) -> Tensor:
        pairs, conv, wide = self.likeness
        hidden = F.relu(pairs(x, nearest(x, valid, self.neighbors)))  # (B, T, N, inside)
        mapped = wide(F.relu(conv(hidden.flatten(1, 2))))
        largest: Tensor = mapped.view(*hidden.shape[:3], -1).amax(2)
        return largest


class Pairs(nn.Module):
    """A linear map of every pair (neighbour, feature)."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        bound = 1 / math.sqrt(2 * channels)
        self.weight = nn.Parameter(torch.empty(out_channels, 2 * channels).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(out_channels))

    def forward(self, x: Tensor, index: Tensor) -> Tensor:
        """Features (B, T, C) and the places (B, T, N) of their neighbours -> (B, T, N, C_out)."""
        found = gathered(x, index)
        return F.linear(torch.cat((found, x[:, :, None].expand_as(found)), dim=-1), self.weight, self.bias)
