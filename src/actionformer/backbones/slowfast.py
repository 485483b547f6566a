"""SlowFast 8 x 8 R50: 2304 numbers of every 32 frames, 30 frames a second.

The network: Feichtenhofer et al., "SlowFast Networks for Video Recognition", ICCV 2019, table 1. A slow pathway sees
every fourth frame with many channels, a fast one all frames with an eighth of them; after the stem and each stage but
the last, what the fast one found is convolved over time and joined to the slow one.

The weights: PyTorchVideo's, trained on Kinetics-400. Names of weights are those of its `create_slowfast`
(github.com/facebookresearch/pytorchvideo), preprocessing, frame rate and window those by which Ego4D's authors extract
SlowFast features (github.com/facebookresearch/Ego4d, ego4d/features/models/slowfast.py).

Stages are (B, C, T, H, W). Of a clip of 32 frames of 256 pixels; a kernel of t frames and s x s pixels is written t.s²:

            slow pathway, T 8                 fast pathway, T 32
    stem    1.7²                C   64        5.7²                C   8    64 x 64
    res2    1.1², 1.3², 1.1²       256        3.1², 1.3², 1.1²       32    64 x 64    3 blocks
    res3    1.1², 1.3², 1.1²       512        3.1², 1.3², 1.1²       64    32 x 32    4 blocks
    res4    3.1², 1.3², 1.1²      1024        3.1², 1.3², 1.1²      128    16 x 16    6 blocks
    res5    3.1², 1.3², 1.1²      2048        3.1², 1.3², 1.1²      256     8 x  8    3 blocks
    mean                          2048                              256
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from actionformer.backbones.preprocessing import ResizeAndCrop
from actionformer.backbones.published import ClipNetwork, Published, find_weights, load_published

MEAN = 0.45
"""Of each colour, where white is 1."""
STD = 0.225
"""Its standard deviation."""

ALPHA = 4
"""Frames of the fast pathway to one of the slow."""
BETA = 8
"""Channels of the slow pathway to one of the fast."""
WINDOW = 7
"""Positions a side that the head averages: all that training, at 224 pixels, left of a frame."""

PUBLISHED = Published(
    files=("SLOWFAST_8x8_R50.pyth",),
    source="https://dl.fbaipublicfiles.com/pytorchvideo/model_zoo/kinetics/SLOWFAST_8x8_R50.pyth",
    licence="Apache 2.0, as PyTorchVideo",
)

HEAD = frozenset({"blocks.6.proj.weight", "blocks.6.proj.bias"})
"""What the file holds beside the network: the classifier of Kinetics' 400 actions."""


@dataclass(frozen=True)
class Stage:
    """One stage of both pathways; channels are those of the slow one."""

    blocks: int
    inner: int
    """Channels within a block; four times as many leave it."""
    stride: int
    """Of height and width, in the first block."""
    slow_kernel: int
    """Over time; 3 in the fast pathway."""


STAGES = (Stage(3, 64, 1, 1), Stage(4, 128, 2, 1), Stage(6, 256, 2, 3), Stage(3, 512, 2, 3))
"""res2 to res5."""


class Stem(nn.Module):
    """Convolution of stride 2, then the maximum over 3 x 3 at every second position: a quarter of height and width."""

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        padding = (kernel // 2, 3, 3)
        self.conv = nn.Conv3d(3, channels, (kernel, 7, 7), stride=(1, 2, 2), padding=padding, bias=False)
        self.norm = nn.BatchNorm3d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, T, H, W) -> (B, C, T, H / 4, W / 4)."""
        x = self.norm(self.conv(x)).relu_()
        return F.max_pool3d(x, (1, 3, 3), stride=(1, 2, 2), padding=(0, 1, 1))


class Bottleneck(nn.Module):
    """Over time to few channels, over space, back to four times as many."""

    def __init__(self, in_channels: int, inner: int, *, kernel: int, stride: int) -> None:
        super().__init__()
        over_time, over_space = (kernel, 1, 1), (1, 3, 3)
        self.conv_a = nn.Conv3d(in_channels, inner, over_time, padding=(kernel // 2, 0, 0), bias=False)
        self.norm_a = nn.BatchNorm3d(inner)
        self.conv_b = nn.Conv3d(inner, inner, over_space, stride=(1, stride, stride), padding=(0, 1, 1), bias=False)
        self.norm_b = nn.BatchNorm3d(inner)
        self.conv_c = nn.Conv3d(inner, 4 * inner, 1, bias=False)
        self.norm_c = nn.BatchNorm3d(4 * inner)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C_in, T, H, W) -> (B, 4 inner, T, H / stride, W / stride)."""
        x = self.norm_a(self.conv_a(x)).relu_()
        x = self.norm_b(self.conv_b(x)).relu_()
        expanded: Tensor = self.norm_c(self.conv_c(x))
        return expanded


class Block(nn.Module):
    """relu(bottleneck(x) + x); the first of a stage projects x to the new shape."""

    def __init__(self, in_channels: int, inner: int, *, kernel: int, stride: int) -> None:
        super().__init__()
        self.branch2 = Bottleneck(in_channels, inner, kernel=kernel, stride=stride)
        self.branch1_conv: nn.Module = nn.Identity()
        self.branch1_norm: nn.Module = nn.Identity()
        if in_channels != 4 * inner:
            self.branch1_conv = nn.Conv3d(in_channels, 4 * inner, 1, stride=(1, stride, stride), bias=False)
            self.branch1_norm = nn.BatchNorm3d(4 * inner)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C_in, T, H, W) -> (B, 4 inner, T, H / stride, W / stride)."""
        residual: Tensor = self.branch2(x)
        return residual.add_(self.branch1_norm(self.branch1_conv(x))).relu_()


class Blocks(nn.Module):
    """A stage of one pathway."""

    def __init__(self, in_channels: int, inner: int, *, blocks: int, kernel: int, stride: int) -> None:
        super().__init__()
        first = Block(in_channels, inner, kernel=kernel, stride=stride)
        others = (Block(4 * inner, inner, kernel=kernel, stride=1) for _ in range(blocks - 1))
        self.res_blocks = nn.Sequential(first, *others)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C_in, T, H, W) -> (B, 4 inner, T, H / stride, W / stride)."""
        left: Tensor = self.res_blocks(x)
        return left


class Lateral(nn.Module):
    """Joins the fast pathway to the slow: a convolution over 7 frames at every fourth doubles its channels."""

    def __init__(self, fast_channels: int) -> None:
        super().__init__()
        added, every_fourth = 2 * fast_channels, (ALPHA, 1, 1)
        self.conv_fast_to_slow = nn.Conv3d(
            fast_channels, added, (7, 1, 1), stride=every_fourth, padding=(3, 0, 0), bias=False
        )
        self.norm = nn.BatchNorm3d(added)

    def forward(self, slow: Tensor, fast: Tensor) -> Tensor:
        """(B, C, T / 4, H, W), (B, C / 8, T, H, W) -> the slow pathway (B, C + C / 4, T / 4, H, W)."""
        joined = self.norm(self.conv_fast_to_slow(fast)).relu_()
        return torch.cat([slow, joined], dim=1)


class Pathways(nn.Module):
    """The stem or a stage of both pathways, and what then joins them; the last stage leaves them apart."""

    def __init__(self, slow: nn.Module, fast: nn.Module, lateral: Lateral | None) -> None:
        super().__init__()
        self.multipathway_blocks = nn.ModuleList([slow, fast])
        self.multipathway_fusion = lateral

    def forward(self, slow: Tensor, fast: Tensor) -> tuple[Tensor, Tensor]:
        """Both pathways (B, C, T, H, W) -> both."""
        slow, fast = (block(x) for block, x in zip(self.multipathway_blocks, (slow, fast), strict=True))
        return (slow if self.multipathway_fusion is None else self.multipathway_fusion(slow, fast)), fast


def _stage(index: int) -> Pathways:
    stage = STAGES[index]
    entering = STAGES[index - 1].inner * 4 if index else 64
    leaving = 4 * stage.inner
    blocks, stride = stage.blocks, stage.stride
    joined = entering + 2 * entering // BETA
    slow = Blocks(joined, stage.inner, blocks=blocks, kernel=stage.slow_kernel, stride=stride)
    fast = Blocks(entering // BETA, stage.inner // BETA, blocks=blocks, kernel=3, stride=stride)
    return Pathways(slow, fast, Lateral(leaving // BETA) if index < len(STAGES) - 1 else None)


class SlowFastR50(nn.Module):
    """The network without its classifier: normalised clips (B, 3, T, H, W) -> (B, 2304)."""

    def __init__(self) -> None:
        super().__init__()
        stem = Pathways(Stem(64, kernel=1), Stem(64 // BETA, kernel=5), Lateral(64 // BETA))
        self.blocks = nn.ModuleList([stem, *(_stage(index) for index in range(len(STAGES)))])

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, T, H, W) -> (B, 2304): 2048 of the slow pathway, then 256 of the fast.

        T is a multiple of 4; H and W are 224 or more.
        """
        slow, fast = x[:, :, slow_frames(x.shape[2])], x
        for block in self.blocks:
            slow, fast = block(slow, fast)
        return torch.cat([window_mean(slow), window_mean(fast)], dim=1)


def slow_frames(frames: int) -> Tensor:
    """Which of `frames` frames the slow pathway sees: a quarter of them, spread from the first to the last.

    PyTorchVideo's own choice; of 32 they are 0, 4, 8, 13, 17, 22, 26 and 31.
    """
    return torch.linspace(0, frames - 1, frames // ALPHA).long()


def window_mean(x: Tensor) -> Tensor:
    """(B, C, T, H, W) -> (B, C): the mean over all windows of 7 x 7 of the mean within them.

    The published head slides its average over frames larger than those of training, and so weighs their border less.
    """
    return F.avg_pool2d(x.mean(dim=2), WINDOW, stride=1).mean(dim=(2, 3))


class SlowFast(ClipNetwork):
    """SlowFast 8 x 8 R50 as Ego4D extracts features with it.

    Args:
        weights: PyTorchVideo's file; by default `PUBLISHED` is looked for.
        device: "cpu", "cuda", ...
        precision: of the arithmetic: "float32", "bfloat16" or "float16".

    Raises:
        InputError: no such file, or not one of this network.
    """

    name = "slowfast_r50"
    dim = 2304
    fps = 30.0
    num_frames = 32
    stride = 16
    mean, std = MEAN, STD

    def __init__(self, *, weights: Sequence[str | Path], device: str, precision: str) -> None:
        self.preprocessing = ResizeAndCrop(resize=256, crop=256, antialias=False)
        paths = find_weights(self.name, PUBLISHED, weights)
        network = SlowFastR50()
        load_published(network, paths[0], HEAD)
        super().__init__(network, paths, device=device, precision=precision)
