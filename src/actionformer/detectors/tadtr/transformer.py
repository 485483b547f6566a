"""The layers of TadTR's transformer, norms behind their branches as in the first one."""

from __future__ import annotations

from itertools import pairwise

import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from actionformer.detectors.tadtr.attention import DeformableAttention
from actionformer.detectors.tadtr.settings import TadTRSettings
from actionformer.nn.layers import Dropout, Linear, Mask
from actionformer.nn.whole_batch import in_whole_batch


class EncoderLayer(nn.Module):
    """Every feature looks at a few places around it."""

    def __init__(self, settings: TadTRSettings) -> None:
        super().__init__()
        self.attention = deformable(settings)
        self.attention_norm = nn.LayerNorm(settings.width)
        self.mlp = MLP(settings)
        self.dropout = Dropout(settings.dropout)

    def forward(self, x: Tensor, position: Tensor, reference: Tensor, lengths: Tensor, valid: Mask) -> Tensor:
        """(B, T, C) -> (B, T, C); `reference` (B, T, 1) is where each feature stands, as a share of its sequence."""
        attended = self.attention(x + position, x, reference, lengths, valid)
        y: Tensor = self.mlp(self.attention_norm(x + self.dropout(attended)))
        return y


class DecoderLayer(nn.Module):
    """Queries look at one another, then at a few places of the memory around their segments."""

    def __init__(self, settings: TadTRSettings) -> None:
        super().__init__()
        width, dropout = settings.width, settings.dropout
        self.self_attention = nn.MultiheadAttention(width, settings.num_heads, dropout=dropout, batch_first=True)
        self.self_norm = nn.LayerNorm(width)
        self.attention = deformable(settings)
        self.attention_norm = nn.LayerNorm(width)
        self.mlp = MLP(settings)
        self.dropout = Dropout(dropout)

    def forward(
        self, x: Tensor, position: Tensor, memory: Tensor, reference: Tensor, lengths: Tensor, valid: Mask
    ) -> Tensor:
        """(B, Q, C) -> (B, Q, C); `position` tells queries apart, `reference` (B, Q, 1 or 2) is where they stand."""
        query = x + position
        compared = in_whole_batch(self._compared, query, x) if self.training else self._compared(query, x)
        x = self.self_norm(x + self.dropout(compared))
        attended = self.attention(x + position, memory, reference, lengths, valid)
        y: Tensor = self.mlp(self.attention_norm(x + self.dropout(attended)))
        return y

    def _compared(self, query: Tensor, x: Tensor) -> Tensor:
        attended: Tensor = self.self_attention(query, query, x, need_weights=False)[0]
        return attended


class MLP(nn.Module):
    """x + W2 relu(W1 x), normed."""

    def __init__(self, settings: TadTRSettings) -> None:
        super().__init__()
        self.expand = Linear(settings.width, settings.mlp_width)
        self.contract = Linear(settings.mlp_width, settings.width)
        self.norm = nn.LayerNorm(settings.width)
        self.dropout = Dropout(settings.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(B, L, C) -> (B, L, C)."""
        hidden = self.dropout(F.relu(self.expand(x)))
        y: Tensor = self.norm(x + self.dropout(self.contract(hidden)))
        return y


class Perceptron(nn.Module):
    """Linear maps with ReLU between them."""

    def __init__(self, *widths: int) -> None:
        super().__init__()
        self.hidden = nn.ModuleList([Linear(a, b) for a, b in pairwise(widths[:-1])])
        self.last = Linear(*widths[-2:])

    def forward(self, x: Tensor) -> Tensor:
        """(..., C_in) -> (..., C_out)."""
        for layer in self.hidden:
            x = F.relu(layer(x))
        y: Tensor = self.last(x)
        return y


def deformable(settings: TadTRSettings) -> DeformableAttention:
    """An attention of the settings' heads and points."""
    return DeformableAttention(settings.width, num_heads=settings.num_heads, num_points=settings.num_points)
