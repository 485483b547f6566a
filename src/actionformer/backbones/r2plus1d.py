"""R(2+1)D-34 with the weights of TSP: 512 numbers of every 16 frames, 15 frames a second.

The network: Tran et al., "A Closer Look at Spatiotemporal Convolutions for Action Recognition", CVPR 2018, table 1 with
the 34 layers of its section 3. A convolution over time and space is taken apart into one over space and one over time,
with a nonlinearity between them; the channels between them are as many as keep the number of weights.

The weights: Alwassel, Giancola & Ghanem, "TSP: Temporally-Sensitive Pretraining of Video Encoders for Localization
Tasks", ICCV 2021 workshops. Names of weights, sizes and normalisation are those of github.com/HumamAlwassel/TSP
(models/backbone.py, models/model.py, extract_features/extract_features.py).

Stages are (B, C, T, H, W). Of a clip of 16 frames of 112 pixels:

    stem     64 channels   T 16   56 x 56
    layer1   64 channels   T 16   56 x 56   3 blocks
    layer2  128 channels   T  8   28 x 28   4 blocks
    layer3  256 channels   T  4   14 x 14   6 blocks
    layer4  512 channels   T  2    7 x  7   3 blocks
    mean    512
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor, nn

from actionformer.backbones.preprocessing import ResizeAndCrop
from actionformer.backbones.published import ClipNetwork, Published, find_weights, load_published

MEAN = (0.43216, 0.394666, 0.37645)
"""Of red, green and blue in Kinetics-400, where white is 1."""
STD = (0.22803, 0.22145, 0.216989)
"""Their standard deviations."""

PUBLISHED = Published(
    files=("r2plus1d_34-tsp_on_activitynet-max_gvf-backbone_lr_0.0001-fc_lr_0.002-epoch_5-0d2cf854.pth",),
    source="https://github.com/HumamAlwassel/TSP/releases/tag/model_weights",
    licence="not stated in its README: see the repository",
)
"""Pretrained on ActivityNet. The other R(2+1)D-34 files of the same page (TSP and TAC, on THUMOS14 and Kinetics) load
as well when they are given."""

HEADS = frozenset(f"{head}.{part}" for head in ("fc", "fc1", "fc2") for part in ("weight", "bias"))
"""What TSP's files hold beside the network: `fc1` says the action and `fc2` whether there is one; TAC's have `fc`."""


def norm(channels: int) -> nn.BatchNorm3d:
    """Batch normalisation with the epsilon of Caffe2, where the network was first trained."""
    return nn.BatchNorm3d(channels, eps=1e-3)


class Conv2Plus1D(nn.Sequential):
    """3 x 3 over space, then 3 over time: (B, C_in, T, H, W) -> (B, C_out, T / stride, H / stride, W / stride).

    Between them are M = floor(27 C_in C_out / (9 C_in + 3 C_out)) channels: 9 C_in M + 3 M C_out weights are then no
    more than the 27 C_in C_out of a 3 x 3 x 3 convolution (section 3.5 of the paper).
    """

    def __init__(self, in_channels: int, out_channels: int, *, stride: int = 1) -> None:
        middle = 27 * in_channels * out_channels // (9 * in_channels + 3 * out_channels)
        super().__init__(
            nn.Conv3d(in_channels, middle, (1, 3, 3), stride=(1, stride, stride), padding=(0, 1, 1), bias=False),
            norm(middle),
            nn.ReLU(inplace=True),
            nn.Conv3d(middle, out_channels, (3, 1, 1), stride=(stride, 1, 1), padding=(1, 0, 0), bias=False),
        )


class Block(nn.Module):
    """relu(f(x) + x), f two factored convolutions; where the shape changes, x goes through one of 1 x 1 x 1."""

    def __init__(self, in_channels: int, out_channels: int, *, stride: int = 1) -> None:
        super().__init__()
        first = Conv2Plus1D(in_channels, out_channels, stride=stride)
        self.conv1 = nn.Sequential(first, norm(out_channels), nn.ReLU(inplace=True))
        self.conv2 = nn.Sequential(Conv2Plus1D(out_channels, out_channels), norm(out_channels))
        self.downsample: nn.Module = nn.Identity()
        if stride != 1 or in_channels != out_channels:
            project = nn.Conv3d(in_channels, out_channels, 1, stride=stride, bias=False)
            self.downsample = nn.Sequential(project, norm(out_channels))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C_in, T, H, W) -> (B, C_out, T / stride, H / stride, W / stride)."""
        residual: Tensor = self.conv2(self.conv1(x))
        return residual.add_(self.downsample(x)).relu_()


class R2Plus1D34(nn.Module):
    """The network without its classifier: normalised clips (B, 3, T, H, W) -> (B, 512)."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv3d(3, 45, (1, 7, 7), stride=(1, 2, 2), padding=(0, 3, 3), bias=False),
            norm(45),
            nn.ReLU(inplace=True),
            nn.Conv3d(45, 64, (3, 1, 1), padding=(1, 0, 0), bias=False),
            norm(64),
            nn.ReLU(inplace=True),
        )
        self.layer1 = _layer(64, 64, blocks=3, stride=1)
        self.layer2 = _layer(64, 128, blocks=4, stride=2)
        self.layer3 = _layer(128, 256, blocks=6, stride=2)
        self.layer4 = _layer(256, 512, blocks=3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, T, H, W) -> (B, 512), the mean over time and space."""
        x = self.layer4(self.layer3(self.layer2(self.layer1(self.stem(x)))))
        return x.mean(dim=(2, 3, 4))


def _layer(in_channels: int, out_channels: int, *, blocks: int, stride: int) -> nn.Sequential:
    first = Block(in_channels, out_channels, stride=stride)
    return nn.Sequential(first, *(Block(out_channels, out_channels) for _ in range(blocks - 1)))


class R2Plus1D(ClipNetwork):
    """R(2+1)D-34 as TSP extracts features with it.

    Frames are shrunk to 128 x 171 whatever their proportion, without antialiasing, and the centre of 112 is cut out.

    Args:
        weights: a file of TSP's; by default `PUBLISHED` is looked for.
        device: "cpu", "cuda", ...
        precision: of the arithmetic: "float32", "bfloat16" or "float16".

    Raises:
        InputError: no such file, or not one of this network.
    """

    name = "r2plus1d_tsp"
    dim = 512
    fps = 15.0
    num_frames = 16
    stride = 16
    mean, std = MEAN, STD

    def __init__(self, *, weights: Sequence[str | Path], device: str, precision: str) -> None:
        self.preprocessing = ResizeAndCrop(resize=(128, 171), crop=112, antialias=False)
        paths = find_weights(self.name, PUBLISHED, weights)
        network = R2Plus1D34()
        load_published(nn.ModuleDict({"features": network}), paths[0], HEADS)
        super().__init__(network, paths, device=device, precision=precision)
