"""The small parts: convolutions over time, LayerNorm, pooling, dropout, drop path.

Everything is token-major: features x are (B, T, C), the mask of valid moments is (B, T) bool or None where all are. A
convolution over time is handed to the library as a channels-last image of height 1: a token-major tensor needs no copy.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from actionformer.nn import winograd
from actionformer.nn.whole_batch import in_whole_batch

Mask = Tensor | None
"""(B, T) bool, False at padding; None where nothing is padding."""


def as_image(x: Tensor) -> Tensor:
    """(B, T, C) -> its view (B, C, 1, T)."""
    return x.transpose(1, 2).unsqueeze(2)


def as_tokens(image: Tensor) -> Tensor:
    """(B, C, 1, T) -> its view (B, T, C)."""
    return image.squeeze(2).transpose(1, 2)


def masked(x: Tensor, valid: Mask) -> Tensor:
    """x (B, T, C) with zeros at padding."""
    return x if valid is None else x * valid.unsqueeze(-1).to(x.dtype)


def every(stride: int, valid: Mask) -> Mask:
    """The mask (B, ceil(T / stride)) of every stride-th moment, beginning with the first."""
    return valid if valid is None or stride == 1 else valid[:, ::stride]


class Conv(nn.Module):
    """Convolution over time (B, T, C_in) -> (B, ceil(T / stride), C_out), zeros beyond both ends.

    The weight is (C_out, kernel, C_in / groups); padding is kernel // 2. Each group of output channels sees a group of
    input channels.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        *,
        stride: int = 1,
        bias: bool = True,
        groups: int = 1,
    ) -> None:
        super().__init__()
        self.kernel = kernel
        self.stride = stride
        self.groups = groups
        fan_in = kernel * (in_channels // groups)
        bound = 1 / math.sqrt(fan_in)  # torch's own: kaiming_uniform with a = sqrt(5)
        weight = torch.empty(out_channels, kernel, in_channels // groups).uniform_(-bound, bound)
        self.weight = nn.Parameter(weight)
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None

    @property
    def is_dense_of_three(self) -> bool:
        """Whether each output is of three neighbouring moments and all their channels, as Winograd's form has it."""
        return self.kernel == 3 and self.stride == self.groups == 1

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, C_in) -> (B, ceil(T / stride), C_out)."""
        if self.is_dense_of_three and winograd.gains(x, self.weight):
            return winograd.convolved(x, winograd.sums_of_weights(self.weight), self.bias)
        weight = self.weight.transpose(1, 2).unsqueeze(2)
        padding = (0, self.kernel // 2)
        image = F.conv2d(as_image(x), weight, self.bias, (1, self.stride), padding=padding, groups=self.groups)
        return as_tokens(image)


class LayerNorm(nn.LayerNorm):
    """LayerNorm over channels, eps 1e-5. With `exact`, padding is 0 afterwards, so that no convolution reads it."""

    def __init__(self, channels: int, *, exact: bool) -> None:
        super().__init__(channels)
        self.exact = exact

    def forward(self, x: Tensor, valid: Mask) -> Tensor:  # type: ignore[override]
        """(B, T, C), (B, T) -> (B, T, C)."""
        x = super().forward(x)
        return masked(x, valid) if self.exact else x


class GroupNorm(nn.GroupNorm):
    """GroupNorm over time and the channels of each group, eps 1e-5.

    With `exact`, padding is left out of mean and variance and is 0 afterwards; published padding counts it in.
    """

    def __init__(self, channels: int, *, groups: int, exact: bool, affine: bool = True) -> None:
        super().__init__(groups, channels, affine=affine)
        self.exact = exact

    def forward(self, x: Tensor, valid: Mask) -> Tensor:  # type: ignore[override]
        """(B, T, C), (B, T) -> (B, T, C)."""
        if not self.exact:
            return super().forward(x.transpose(1, 2)).transpose(1, 2).contiguous()
        if valid is None and x.dtype == torch.float32:
            return self._of_all(x)
        grouped = self.grouped(x)
        mean = mean_of_valid(grouped.mean(-1), valid)
        variance = mean_of_valid((grouped - mean.unsqueeze(-1)).square().mean(-1), valid)
        return self.normalised(x, valid, mean, variance)

    def _of_all(self, x: Tensor) -> Tensor:
        """The same where nothing is padding, by one operation of torch."""
        batch, length, channels = x.shape
        shape = batch, channels, length, self.num_groups
        y, _, scale = torch.native_group_norm(x.transpose(1, 2).contiguous(), self.weight, self.bias, *shape, self.eps)
        told = torch.where(scale == 0, float("nan"), 1.0)[..., None, None]  # as in `normalised`
        normalised: Tensor = (y.unflatten(1, (self.num_groups, -1)) * told).flatten(1, 2)
        return normalised.transpose(1, 2).contiguous()

    def grouped(self, x: Tensor) -> Tensor:
        """(B, T, C) -> (B, T, groups, C / groups), in float32."""
        return x.float().view(*x.shape[:-1], self.num_groups, x.shape[-1] // self.num_groups)

    def normalised(self, x: Tensor, valid: Mask, mean: Tensor, variance: Tensor) -> Tensor:
        """x (B, T, C) by the mean and variance (B, 1, groups) of its sequences."""
        scale = (variance + self.eps).rsqrt()
        scale = scale.masked_fill(scale == 0, float("nan"))  # an overflown variance is told, not taken for a flat input
        y = (self.grouped(x) - mean.unsqueeze(-1)) * scale.unsqueeze(-1)
        x = y.flatten(2).to(x.dtype)
        x = x * self.weight + self.bias if self.affine else x
        return masked(x, valid) if self.exact else x


def mean_of_valid(x: Tensor, valid: Mask) -> Tensor:
    """The mean over time (B, 1, C) of x (B, T, C), padding left out."""
    if valid is None:
        return x.mean(1, keepdim=True)
    count = valid.sum(1).clamp(min=1)[:, None, None]
    return (masked(x, valid).sum(1, keepdim=True, dtype=torch.float32) / count).to(x.dtype)


class Linear(nn.Linear):
    """A linear map of every moment, its bias starting at 0, followed by (exact) GELU if asked."""

    def __init__(self, in_channels: int, out_channels: int, *, gelu: bool = False) -> None:
        super().__init__(in_channels, out_channels)
        nn.init.zeros_(self.bias)
        self.gelu = gelu

    def forward(self, x: Tensor) -> Tensor:
        """(..., C_in) -> (..., C_out)."""
        x = super().forward(x)
        return F.gelu(x) if self.gelu else x


def max_pool(x: Tensor, valid: Mask, *, exact: bool) -> Tensor:
    """Maximum over 3 moments at every second one: (B, T, C) -> (B, ceil(T / 2), C), 0 at padding.

    Published padding lets the zeros behind a sequence take part; exact padding does not.
    """
    if exact and valid is not None:
        x = x.masked_fill(~valid.unsqueeze(-1), float("-inf"))
    pooled = as_tokens(F.max_pool2d(as_image(x), (1, 3), stride=(1, 2), padding=(0, 1)))
    return pooled if valid is None else pooled.masked_fill(~valid[:, ::2].unsqueeze(-1), 0.0)


def average_pool(x: Tensor, valid: Mask) -> Tensor:
    """Mean of every two moments: (B, T, C) -> (B, ceil(T / 2), C). What is padding, or beyond the end, is left out."""
    odd = x.shape[1] % 2
    here = torch.ones_like(x[..., :1]) if valid is None else valid.unsqueeze(-1).to(x.dtype)
    total, count = (F.pad(one, (0, 0, 0, odd)) for one in (masked(x, valid), here))
    return (total[:, ::2] + total[:, 1::2]) / (count[:, ::2] + count[:, 1::2]).clamp(min=1)


class Dropout(nn.Dropout):
    """Dropout. On a CPU it draws one number of 64 bits for four elements, so its probability is a multiple of 2^-16.

    Torch draws one for each, which took a sixth of the time that small models train.
    """

    def __init__(self, probability: float) -> None:
        super().__init__(probability)

    def forward(self, x: Tensor) -> Tensor:
        """(B, ...) -> the same shape."""
        return in_whole_batch(self._drawn, x) if self.training and self.p else x

    def _drawn(self, x: Tensor) -> Tensor:
        if x.device.type != "cpu" or self.p >= 1:
            return super().forward(x)
        count = x.numel()
        drawn = torch.empty(-(-count // 4), dtype=torch.int64, device=x.device).random_(-(2**63), None)
        numbers = drawn.view(torch.int16)[:count].view(x.shape)  # each of 2^16 as likely as another
        dropped = min(round(self.p * 2**16), 2**16 - 1)
        kept = (numbers >= dropped - 2**15).to(x.dtype)
        return x * kept.mul_(2**16 / (2**16 - dropped))


class ScaledDropPath(nn.Module):
    """Scales a residual branch by a learned number a channel, and in training drops it for whole samples.

    Survivors are divided by the probability of surviving. The scale acts in test too (initially 1e-4).
    """

    def __init__(self, channels: int, *, probability: float) -> None:
        super().__init__()
        self.probability = probability
        self.scale = nn.Parameter(torch.full((channels,), 1e-4))

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, C) -> (B, T, C)."""
        x = x * self.scale
        if not self.training:
            return x
        keep = 1 - self.probability
        drawn = in_whole_batch(lambda one: torch.rand(one.shape, device=x.device), x[:, :1, :1].detach())
        survives = drawn < keep
        return x * survives.to(x.dtype) / keep
