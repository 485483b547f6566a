"""What AFSD's network is made of: convolutions with a norm, and the branches that look again at coarse segments."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from actionformer.detectors.afsd.pooling import boundary_maxima
from actionformer.detectors.afsd.settings import GROUPS
from actionformer.nn.layers import Conv, GroupNorm, Linear, Mask


class Stage(nn.Module):
    """Convolution over 1 or 3 moments, GroupNorm, ReLU; at every moment, or at every second one."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, *, exact: bool, stride: int = 1) -> None:
        super().__init__()
        self.stride = stride
        self.conv = (
            Linear(in_channels, out_channels) if kernel == 1 else Conv(in_channels, out_channels, kernel, stride=stride)
        )
        self.norm = GroupNorm(out_channels, groups=GROUPS, exact=exact)

    def forward(self, x: Tensor, valid: Mask) -> Tensor:
        """(B, T, C_in) and the mask of the result -> (B, T or T / 2, C_out)."""
        if self.stride == 1:
            y: Tensor = self.norm(self.conv(x), valid)
        else:  # moment i sees features 2 i, 2 i + 1 and 2 i + 2, where a convolution would begin with 2 i - 1
            y = self.norm(self.conv(F.pad(x, (0, 0, 1, 0)))[:, 1:], valid)
        return F.relu(y)


class Stages(nn.ModuleList):
    """Some stages one after the other, which keep the length."""

    def forward(self, x: Tensor, valid: Mask) -> Tensor:
        """(B, T, C) -> (B, T, C)."""
        for stage in self:
            x = stage(x, valid)
        return x


class Proposals(nn.Module):
    """The features of coarse segments: of their moment, and the strongest around their boundaries."""

    def __init__(self, width: int, *, exact: bool) -> None:
        super().__init__()
        self.moment = Stage(width, width, 1, exact=exact)
        self.boundary = Stage(width, 2 * width, 1, exact=exact)
        self.frame = Stage(width, width, 1, exact=exact)
        self.together = Stage(4 * width, width, 1, exact=exact)

    def forward(
        self, x: Tensor, on_frames: Tensor, regions: Tensor, lengths: Tensor, valid: Mask
    ) -> tuple[Tensor, Tensor]:
        """A proposal for every moment of a level, and the features that boundaries are looked for in.

        Args:
            x: (B, T_l, C) features of the level.
            on_frames: (B, T_l, C) the strongest of the frame feature around the boundaries of the coarse segments.
            regions: (B, T_l, 4) of these boundaries, in moments.
            lengths: (B,) moments of each sequence before padding.
            valid: mask.

        Returns:
            (B, T_l, C), and (B, T_l, 2C), of which the first half is for starts and the second for ends.
        """
        boundary = self.boundary(x, valid)
        pooled = boundary_maxima(boundary, regions, lengths)
        parts = self.frame(on_frames, valid), pooled, self.moment(x, valid)
        proposals: Tensor = self.together(torch.cat(parts, dim=-1), valid)
        return proposals, boundary


def boundary_probabilities(features: Tensor) -> Tensor:
    """(B, T, 2) how much moments look like starts and ends, in [0, 1], from features (B, T, C), none negative."""
    halves = features.float().unflatten(-1, (2, -1))
    probabilities: Tensor = halves.tanh().mean(-1)
    return probabilities
