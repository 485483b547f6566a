"""The heads that every level shares: what happens at a moment, and how far its ends are."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from actionformer.nn.layers import Conv, Mask, masked
from actionformer.nn.pyramid import conv_stack


class Head(nn.Module):
    """[conv, norm, ReLU] a hidden layer, then a convolution to the outputs."""

    def __init__(self, *, convs: nn.ModuleList, norms: nn.ModuleList, output: Conv) -> None:
        super().__init__()
        self.convs = convs
        self.norms = norms
        self.output = output

    @property
    def receptive_radius(self) -> int:
        """Moments on either side that an output depends on."""
        return sum(conv.kernel // 2 for conv in (*self.convs, self.output))

    def forward(self, x: Tensor, valid: Mask) -> Tensor:
        """(B, T, C) -> (B, T, outputs), 0 at padding."""
        return masked(self.output(conv_stack(x, valid, self.convs, self.norms)), valid)


class OffsetActivation(nn.Module):
    """activation(scale_l * x): distances in strides of the level, never negative."""

    def __init__(self, *, num_levels: int, softplus: bool) -> None:
        super().__init__()
        self.scales = nn.ParameterList([nn.Parameter(torch.ones(())) for _ in range(num_levels)])
        self.softplus = softplus

    def forward(self, x: Tensor, level: int) -> Tensor:
        """(B, T_l, 2), or (B, T_l, 2 * bins) of a trident boundary -> the same shape."""
        x = x * self.scales[level]
        return F.softplus(x) if self.softplus else F.relu(x)


class TridentBoundary(nn.Module):
    """Distances to start and end as expectations over bins beside each moment (Shi et al., TriDet, CVPR 2023, 3.3).

    Of every class k, S[k] and E[k] say how much each moment looks like a start and an end. With B bins on each side and
    the regressor's O, moment t lies

        d_s = sum_j (B - j) softmax_j(S[k, t - B + j] + O[t, 0, j])
        d_e = sum_j j softmax_j(E[k, t + j] + O[t, 1, j])

    strides of the level away from the ends of its action of class k, j = 0 ... B. Beyond the sequence S and E are 0, as
    published. The heads do not change what they look at: no gradient goes back through them.
    """

    def __init__(self, *, start: Head, end: Head, bins: int) -> None:
        super().__init__()
        self.start = start
        self.end = end
        self.bins = bins

    @property
    def receptive_radius(self) -> int:
        """Moments on either side that a distance depends on."""
        return self.bins + self.start.receptive_radius

    def forward(self, x: Tensor, offsets: Tensor, valid: Mask) -> Tensor:
        """x (B, T, C) and the regressor's O (B, T, 2 * (bins + 1)) -> distances (B, T, K, 2)."""
        x, bins = x.detach(), self.bins
        to_start, to_end = offsets.view(*offsets.shape[:2], 2, 1, bins + 1).unbind(2)  # (B, T, 1, bins + 1)
        starts = F.pad(self.start(x, valid), (0, 0, bins, 0)).unfold(1, bins + 1, 1)  # (B, T, K, bins + 1)
        ends = F.pad(self.end(x, valid), (0, 0, 0, bins)).unfold(1, bins + 1, 1)
        return torch.stack((_expected(starts + to_start, reverse=True), _expected(ends + to_end)), dim=-1)


def _expected(scores: Tensor, *, reverse: bool = False) -> Tensor:
    """The mean number (...) of bins 0, 1, ..., or with `reverse` ..., 1, 0, under softmax of scores (..., bins + 1)."""
    with torch.autocast(scores.device.type, enabled=False):  # whose products have too few digits for many bins
        scores = scores.to(torch.promote_types(scores.dtype, torch.float32))
        steps = torch.arange(scores.shape[-1], device=scores.device, dtype=scores.dtype)
        return scores.softmax(-1) @ (steps.flip(0) if reverse else steps)
