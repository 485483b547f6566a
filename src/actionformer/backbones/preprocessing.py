"""Frames made ready for a backbone: resized and cut, still uint8; what follows is arithmetic on the device."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F  # noqa: N812

from actionformer.backbones.base import Frame

Filter = Literal["bilinear", "bicubic"]


@dataclass(frozen=True)
class ResizeAndCrop:
    """A resize, then the centre cut out.

    Args:
        resize: the short side in pixels, the long one in proportion; or (height, width), whatever the proportion.
        crop: side of the centre square; None leaves the frame whole.
        antialias: whether shrinking averages over what it skips, as Pillow does and OpenCV does not.
        filter: what comes between pixels.
    """

    resize: int | tuple[int, int]
    crop: int | None
    antialias: bool = True
    filter: Filter = "bilinear"

    def __call__(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """(H, W, 3) -> (crop, crop, 3), one by one."""
        for frame in frames:
            yield centre_crop(resized(frame, self.resize, antialias=self.antialias, filter=self.filter), self.crop)

    def __str__(self) -> str:
        size = f"short side {self.resize}" if isinstance(self.resize, int) else "{}x{}".format(*self.resize)
        crop = "" if self.crop is None else f", centre {self.crop}"
        return f"rgb, {self.filter}{' antialiased' if self.antialias else ''} to {size}{crop}"


def resized(frame: Frame, size: int | tuple[int, int], *, antialias: bool, filter: Filter = "bilinear") -> Frame:
    """A frame (H, W, C) at another size; `size` as in `ResizeAndCrop`. Values are rounded to uint8."""
    height, width = frame.shape[:2]
    if isinstance(size, int):
        size = (size, size * width // height) if height <= width else (size * height // width, size)
    if size == (height, width):
        return frame
    image = torch.from_numpy(frame).permute(2, 0, 1)[None]  # a channels-last view
    small = F.interpolate(image, size=size, mode=filter, align_corners=False, antialias=antialias)
    return small[0].permute(1, 2, 0).contiguous().numpy()


def centre_crop(frame: Frame, side: int | None) -> Frame:
    """The centre square of a frame (H, W, C), an odd rest split as torchvision does; `side` None leaves it whole."""
    if side is None:
        return frame
    top, left = (round((extent - side) / 2) for extent in frame.shape[:2])
    return frame[top : top + side, left : left + side]
