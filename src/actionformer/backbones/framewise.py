"""What backbones have in common that look at single frames with a network of ImageNet and average over the clip."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from actionformer.backbones.base import Backbone

Colour = tuple[float, float, float]
"""Of red, green and blue, in grey levels (0 to 255)."""


class ImageNetwork(nn.Module):
    """A classifier of images: (N, 3, H, W) -> scores of K classes (N, K), before the softmax."""

    features: nn.Module
    """Images -> the last map of features (N, C, h, w), which is what the backbone gives."""


class FramewiseBackbone(Backbone):
    """The last map of a network, averaged over the frame, then over the clip; takes clips of any length.

    Of a scene 10 frames a second tell no less than 30, and averaging 4 of them (0.4 s) evens out blur; clips do not
    overlap (stride 4), so that each frame is looked at once.

    Args:
        network: with its weights, whose last map has `dim` channels.
        mean, std: what is subtracted from each colour, and what the rest is divided by.
        at_once: frames in one pass.
        device: "cpu", "cuda", ...
        precision: of the arithmetic: "float32", "bfloat16" or "float16".
    """

    fps = 10.0
    num_frames = 4
    stride = 4

    def __init__(
        self, network: ImageNetwork, *, mean: Colour, std: Colour, at_once: int, device: str, precision: str
    ) -> None:
        self.dtype: torch.dtype = getattr(torch, precision)
        self.network = network.eval().to(device, self.dtype)
        self.mean, self.std = (torch.tensor(colour, device=device, dtype=self.dtype) for colour in (mean, std))
        self.at_once = at_once

    @torch.inference_mode()
    def encode(self, clips: Tensor) -> Tensor:
        """Prepared clips uint8 (B, T, h, w, 3) -> (B, dim) float32 on the CPU."""
        pooled = [self.network.features(images).mean((2, 3)) for images in self._images(clips.flatten(0, 1))]
        return torch.cat(pooled).float().reshape(*clips.shape[:2], self.dim).mean(1).cpu()

    @torch.inference_mode()
    def logits(self, frames: Tensor) -> Tensor:
        """Prepared frames uint8 (N, h, w, 3) -> scores of the 1000 ImageNet classes (N, 1000), float32 on the CPU."""
        return torch.cat([self.network(images).float().cpu() for images in self._images(frames)])

    def _images(self, frames: Tensor) -> Iterator[Tensor]:
        """Frames uint8 (N, h, w, 3) -> normalised (n, 3, h, w) on the device, a few at once."""
        for start in range(0, len(frames), self.at_once):
            part = frames[start : start + self.at_once].to(self.mean.device, self.dtype)
            yield ((part - self.mean) / self.std).permute(0, 3, 1, 2)  # a channels-last view
