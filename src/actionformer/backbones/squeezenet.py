"""`squeezenet`: SqueezeNet 1.0 of single frames, averaged over a clip: the small network for a CPU.

Iandola et al., SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size, arXiv:1602.07360,
table 1. Trained on the classes of ImageNet-1k, it knows what things look like and nothing of how they move.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from actionformer.backbones.framewise import Colour, FramewiseBackbone, ImageNetwork
from actionformer.backbones.preprocessing import ResizeAndCrop
from actionformer.backbones.published import Published, find_weights
from actionformer.core.hashes import hash_of
from actionformer.weights import load_weights, read_weights

PUBLISHED = Published(
    files=("squeezenet1_0-b66bff10.pth",),
    source="https://download.pytorch.org/models/squeezenet1_0-b66bff10.pth (torchvision)",
    licence="BSD-3-Clause",
)
FRAMES_AT_ONCE, FRAMES_AT_ONCE_ON_CPU = 256, 4
"""Frames in one pass. The first layer alone makes 4.6 MB of each: on a CPU, few stay in its cache and go faster."""


@dataclass(frozen=True)
class Training:
    """How one of the published weights saw its images."""

    preprocessing: ResizeAndCrop
    mean: Colour
    std: Colour
    border: int
    """Pixels of zeros around what the classifier sees; features are the same with or without."""


TORCHVISION = Training(
    preprocessing=ResizeAndCrop(resize=256, crop=224),
    mean=(0.485 * 255, 0.456 * 255, 0.406 * 255),
    std=(0.229 * 255, 0.224 * 255, 0.225 * 255),
    border=0,
)
"""torchvision/models/squeezenet.py, `SqueezeNet1_0_Weights.IMAGENET1K_V1`, and its preset `ImageClassification`."""
CAFFE = Training(
    # Caffe's own way to make its training images is OpenCV's resize to 256 x 256, whatever their proportion
    preprocessing=ResizeAndCrop(resize=(256, 256), crop=227, antialias=False),
    mean=(123.0, 117.0, 104.0),
    std=(1.0, 1.0, 1.0),
    border=1,
)
"""github.com/forresti/SqueezeNet (DeepScale), SqueezeNet_v1.0/train_val.prototxt; Caffe reads blue, green, red."""


class SqueezeNet(FramewiseBackbone):
    """What the last of the eight fire modules finds, averaged over the frame, then over the clip: 512 numbers.

    Args:
        weights: torchvision's file, or the authors' arrays in Caffe's layout; which one is told from its names.
        device: "cpu", "cuda", ...
        precision: "float32", "bfloat16" or "float16".

    Raises:
        InputError: no such weights, or those of another network.
    """

    name = "squeezenet"
    dim = 512

    def __init__(self, *, weights: Sequence[str | Path], device: str, precision: str) -> None:
        (path,) = find_weights(self.name, PUBLISHED, weights)
        tensors = read_weights(path)
        training = CAFFE if "conv1.weight" in tensors else TORCHVISION
        network = Network(border=training.border)
        load_weights(network, torchvision_names(tensors) if training is CAFFE else tensors, str(path))
        super().__init__(
            network,
            mean=training.mean,
            std=training.std,
            at_once=FRAMES_AT_ONCE_ON_CPU if device == "cpu" else FRAMES_AT_ONCE,
            device=device,
            precision=precision,
        )
        self.preprocessing = training.preprocessing
        self.weights_hash = hash_of([path])


class Network(ImageNetwork):
    """Table 1 of the paper under torchvision's names: images (N, 3, H, W) -> scores (N, 1000). H, W from 21 on.

    Args:
        border: pixels of zeros around the 13 x 13 that the classifier sees; Caffe's has 1, torchvision's none.
    """

    features: nn.Sequential

    def __init__(self, *, border: int) -> None:
        super().__init__()
        self.features = nn.Sequential(  # at 224 x 224
            nn.Conv2d(3, 96, 7, stride=2),  # 109 x 109
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, 2, ceil_mode=True),  # 54 x 54
            Fire(96, 16, 64),
            Fire(128, 16, 64),
            Fire(128, 32, 128),
            nn.MaxPool2d(3, 2, ceil_mode=True),  # 27 x 27
            Fire(256, 32, 128),
            Fire(256, 48, 192),
            Fire(384, 48, 192),
            Fire(384, 64, 256),
            nn.MaxPool2d(3, 2, ceil_mode=True),  # 13 x 13
            Fire(512, 64, 256),
        )
        self.classifier = nn.Sequential(nn.Dropout(0.5), nn.Conv2d(512, 1000, 1, padding=border), nn.ReLU())

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, H, W), normalised -> scores (N, 1000), before the softmax."""
        scores: Tensor = self.classifier(self.features(images)).mean((2, 3))
        return scores


class Fire(nn.Module):
    """A 1x1 convolution to few channels, then a 1x1 and a 3x3 one side by side: (N, C, H, W) -> (N, 2 wide, H, W)."""

    def __init__(self, channels: int, narrow: int, wide: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, narrow, 1)
        self.expand1x1 = nn.Conv2d(narrow, wide, 1)
        self.expand3x3 = nn.Conv2d(narrow, wide, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, 2 wide, H, W)."""
        x = self.squeeze(x).relu_()
        return torch.cat([self.expand1x1(x), self.expand3x3(x)], 1).relu_()


PLACES = {"fire2": 3, "fire3": 4, "fire4": 5, "fire5": 7, "fire6": 8, "fire7": 9, "fire8": 10, "fire9": 12}
"""Where the fire modules, which the paper numbers from 2, stand among `Network.features`."""
LAYERS = {"conv1x1_1": "squeeze", "conv1x1_2": "expand1x1", "conv3x3_2": "expand3x3"}


def torchvision_names(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of Caffe's layout as torchvision names them: `fire2__conv1x1_1` -> `features.3.squeeze`.

    The first layer's input channels are turned round, from blue, green, red to red, green, blue. Names that are not
    Caffe's stay, for `load_weights` to complain of.
    """
    names = {"conv1": "features.0", "conv_final": "classifier.1"}
    for fire, place in PLACES.items():
        names |= {f"{fire}__{layer}": f"features.{place}.{name}" for layer, name in LAYERS.items()}
    renamed = {}
    for name, tensor in weights.items():
        layer, _, kind = name.rpartition(".")
        renamed[f"{names.get(layer, layer)}.{kind}"] = tensor.flip(1) if name == "conv1.weight" else tensor
    return renamed
