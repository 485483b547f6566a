"""What each segment of a map is."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from actionformer.nn.layers import Linear
from actionformer.nn.segment_map.cells import Cells


class MapHead(nn.Module):
    """What each segment is, from its vector and those of the segments beside it on the map.

    Args:
        in_channels: of the vectors.
        channels: of the map.
        cells: of the map.
        classes: K.
        kernels: of the convolutions over the map.
        narrow: whether vectors become narrow before they are placed; otherwise the first convolution makes them so.
    """

    index: Tensor

    def __init__(
        self,
        in_channels: int,
        channels: int,
        cells: Cells,
        *,
        classes: int,
        kernels: tuple[int, ...],
        narrow: bool = True,
    ) -> None:
        super().__init__()
        self.rows, self.columns = cells.rows, cells.columns
        self.register_buffer("index", cells.index, persistent=False)
        self.narrow = Linear(in_channels, channels) if narrow else None
        widths = [channels if narrow else in_channels] + [channels] * len(kernels)
        self.convs = nn.ModuleList(
            [nn.Conv2d(a, channels, k, padding=k // 2) for a, k in zip(widths[:-1], kernels, strict=True)]
        )
        self.overlap = Linear(channels, 1)
        self.classes = Linear(channels, classes)
        for conv in self.convs:
            nn.init.zeros_(conv.bias)  # type: ignore[arg-type]

    def forward(self, vectors: Iterable[Tensor]) -> tuple[Tensor, Tensor]:
        """Of each sequence (V + 1, C) -> logits of overlaps (B, rows, columns), of classes (B, rows, columns, K)."""
        image = self.placed(vectors).permute(0, 3, 1, 2)  # channels last, without a copy
        for conv in self.convs:
            image = F.relu_(conv(image))
        x = image.permute(0, 2, 3, 1)
        return self.overlap(x).squeeze(-1), self.classes(x)

    def placed(self, vectors: Iterable[Tensor]) -> Tensor:
        """Vectors of V segments and last that of no segment, of each sequence -> the map (B, rows, columns, C)."""
        return torch.stack([self._placed(one if self.narrow is None else F.relu_(self.narrow(one))) for one in vectors])

    def _placed(self, x: Tensor) -> Tensor:
        nowhere = x[-1:].expand(self.rows * self.columns, -1)
        return nowhere.index_copy(0, self.index, x[:-1]).view(self.rows, self.columns, -1)

    def set_class_prior(self, probability: float, classes: list[int] | None = None) -> None:
        """Lets the fresh classifier give this probability to every segment."""
        with torch.no_grad():
            self.classes.bias[slice(None) if classes is None else classes] = math.log(probability / (1 - probability))
