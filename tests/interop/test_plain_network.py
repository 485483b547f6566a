"""The network against a plain one, for the variants that no stored case holds.

The plain one works on (B, C, T) with the published names and shapes of weights, and spells out the published masks.
"""

import math
from collections.abc import Mapping
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from published import published_weights
from torch import Tensor

from actionformer.detectors.actionformer.network import build_network
from actionformer.detectors.actionformer.settings import ActionFormerSettings
from actionformer.interop.actionformer import ACTIONFORMER
from actionformer.nn.pyramid_network import PyramidNetwork

VARIANTS: dict[str, dict[str, Any]] = {
    "relative position": {"relative_position": True, "window": 5},
    "relative position, windows by level": {"relative_position": True, "window": (5, 5, 7, 3, 1, -1)},
    "projections": {"input_dim": (3, 4), "projection": (6, 10)},
    "fpn": {"neck": "fpn", "neck_width": 24, "head_width": 20, "window": 5},
    "fpn without norms": {
        "neck": "fpn",
        "neck_norm": False,
        "head_norm": False,
        "embedding_norm": False,
        "window": 5,
    },
    "identity without norm": {"neck_norm": False, "head_norm": False, "window": 9},
    "position encoding": {"position": "sinusoidal", "window": 3},
    "no drop path": {"drop_path": 0.0, "window": 19},
    "eight levels": {"branch_blocks": 7, "regression_ranges": [[0, 4]] * 8, "window": 3, "max_length": 256},
    "other kernels and depths": {
        "embedding_kernel": 5,
        "embedding_layers": 1,
        "head_kernel": 1,
        "head_layers": 4,
        "stem_blocks": 3,
    },
}


class PlainNetwork:
    """x (B, C, T) and mask (B, 1, T), as numbers 0 and 1."""

    def __init__(self, weights: Mapping[str, Tensor], settings: ActionFormerSettings) -> None:
        self.weights = weights
        self.settings = settings

    def __call__(self, x: Tensor, mask: Tensor) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
        levels, masks = self.backbone(self.embedding(x, mask), mask)
        inputs = self.neck(levels, masks)
        logits = [self.head(x, m, "cls_head", "cls_head") for x, m in zip(inputs, masks, strict=True)]
        distances = [self.head(x, m, "reg_head", "offset_head") for x, m in zip(inputs, masks, strict=True)]
        scales = [self.weights[f"reg_head.scale.{level}.scale"] for level in range(len(levels))]
        return logits, [F.relu(x * scale) for x, scale in zip(distances, scales, strict=True)], levels

    def conv(self, x: Tensor, name: str, stride: int = 1, groups: int = 1) -> Tensor:
        weight = self.weights[f"{name}.weight"]
        return F.conv1d(x, weight, self.weights.get(f"{name}.bias"), stride, weight.shape[-1] // 2, groups=groups)

    def norm(self, x: Tensor, name: str) -> Tensor:
        centred = x - x.mean(1, keepdim=True)
        standard = centred / torch.sqrt(centred.square().mean(1, keepdim=True) + 1e-5)
        return standard * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]

    def embedding(self, x: Tensor, mask: Tensor) -> Tensor:
        settings = self.settings
        if settings.projection is not None and isinstance(settings.input_dim, tuple):
            sources = x.split(list(settings.input_dim), 1)
            x = torch.cat([self.conv(part, f"backbone.proj.{i}.conv") * mask for i, part in enumerate(sources)], 1)
        for layer in range(settings.embedding_layers):
            x = self.conv(x, f"backbone.embd.{layer}.conv") * mask
            x = F.relu(self.norm(x, f"backbone.embd_norm.{layer}") if settings.embedding_norm else x)
        return x + self.position(x.shape[-1]) * mask if settings.position == "sinusoidal" else x

    def position(self, length: int) -> Tensor:
        channels = self.settings.width
        table = torch.empty(channels, self.settings.max_length)
        for channel in range(channels):
            angle = torch.arange(table.shape[1]) / 10000 ** (channel // 2 * 2 / channels)
            table[channel] = (angle.cos() if channel % 2 else angle.sin()) / math.sqrt(channels)
        return F.interpolate(table[None], length, mode="linear", align_corners=False)

    def backbone(self, x: Tensor, mask: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        for block in range(self.settings.stem_blocks):
            x, mask = self.block(x, mask, f"backbone.stem.{block}", self.settings.windows[0], stride=1)
        levels, masks = [x], [mask]
        for block, window in enumerate(self.settings.windows[1:]):
            x, mask = self.block(x, mask, f"backbone.branch.{block}", window, stride=2)
            levels.append(x)
            masks.append(mask)
        return levels, masks

    def block(self, x: Tensor, mask: Tensor, name: str, window: int, stride: int) -> tuple[Tensor, Tensor]:
        shorter = mask[:, :, ::stride]
        attended = self.attention(self.norm(x, f"{name}.ln1"), shorter, f"{name}.attn", window, stride)
        pooled = F.max_pool1d(x, 3, 2, 1) if stride == 2 else x
        x = pooled * shorter + self.scaled(attended, f"{name}.drop_path_attn")
        hidden = F.gelu(self.conv(self.norm(x, f"{name}.ln2"), f"{name}.mlp.0"))
        return x + self.scaled(self.conv(hidden, f"{name}.mlp.3") * shorter, f"{name}.drop_path_mlp"), shorter

    def scaled(self, x: Tensor, name: str) -> Tensor:
        return x * self.weights[f"{name}.scale"] if self.settings.drop_path else x

    def attention(self, x: Tensor, mask: Tensor, name: str, window: int, stride: int) -> Tensor:
        batch, channels, heads = len(x), x.shape[1], self.settings.num_heads
        query, key, value = (
            self.conv(
                self.norm(self.conv(x, f"{name}.{part}_conv.conv", stride, channels) * mask, f"{name}.{part}_norm"),
                f"{name}.{part}",
            ).view(batch, heads, channels // heads, -1)
            for part in ("query", "key", "value")
        )
        logits = query.mT @ key / math.sqrt(channels // heads)
        seen = mask[:, :, None, :].bool().expand_as(logits)
        if window > 1:
            step = torch.arange(logits.shape[-1]) - torch.arange(logits.shape[-1])[:, None]  # key - query
            seen = seen & (step.abs() <= window // 2)
            for entry in range(window if self.settings.relative_position else 0):
                bias = self.weights[f"{name}.rel_pe"][0, 0, :, entry].view(-1, 1, 1)
                logits = logits + bias * (step == entry - window // 2)
        attended = value @ logits.masked_fill(~seen, -1e30).softmax(-1).mT
        return self.conv(attended.reshape(batch, channels, -1), f"{name}.proj") * mask

    def neck(self, levels: list[Tensor], masks: list[Tensor]) -> list[Tensor]:
        if self.settings.neck == "fpn":
            pairs = list(zip(levels, masks, strict=True))
            levels = [self.conv(x, f"neck.lateral_convs.{i}.conv") * m for i, (x, m) in enumerate(pairs)]
            for level in range(len(levels) - 1, 0, -1):
                levels[level - 1] = levels[level - 1] + F.interpolate(levels[level], scale_factor=2, mode="nearest")
            levels = [
                self.conv(x, f"neck.fpn_convs.{i}.conv", groups=x.shape[1]) * m
                for i, (x, m) in enumerate(zip(levels, masks, strict=True))
            ]
        if not self.settings.neck_norm:
            return levels
        return [self.norm(x, f"neck.fpn_norms.{level}") for level, x in enumerate(levels)]

    def head(self, x: Tensor, mask: Tensor, name: str, output: str) -> Tensor:
        for layer in range(self.settings.head_layers - 1):
            x = self.conv(x, f"{name}.head.{layer}.conv") * mask
            x = F.relu(self.norm(x, f"{name}.norm.{layer}") if self.settings.head_norm else x)
        return self.conv(x, f"{name}.{output}.conv") * mask


def build(variant: str) -> tuple[PyramidNetwork, ActionFormerSettings]:
    common = {"input_dim": 7, "width": 16, "num_classes": 3, "max_length": 64, "mask_padding": "published"}
    settings = ActionFormerSettings(**{**common, "offsets": "relu", **VARIANTS[variant]})
    torch.manual_seed(0)
    model = build_network(settings).eval()
    with torch.no_grad():  # scales near 1: the initial 1e-4 hides every fault
        for name, parameter in model.named_parameters():
            if "drop_" in name:
                parameter.fill_(1)
            if parameter.dim() < 2 or "relative_bias" in name:
                parameter.add_(0.3 * torch.randn_like(parameter))
    return model, settings


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("times", [1, 2])
@torch.no_grad()
def test_variants(variant: str, times: int) -> None:
    """Sequences padded to max_length, and longer ones, two of other lengths in a batch."""
    model, settings = build(variant)
    length = times * settings.max_length
    valid = torch.arange(length) < torch.tensor([[length - 27], [length // 3]])
    features = torch.randn(2, length, 7) * valid[..., None]
    found = model(features, valid)
    expected = PlainNetwork(published_weights(model, ACTIONFORMER), settings)(features.mT, valid[:, None].float())
    for one, plain in zip((found.logits, found.offsets, found.pyramid), expected, strict=True):
        for level, other in zip(one, plain, strict=True):
            torch.testing.assert_close(level, other.mT, atol=1e-5, rtol=1e-5)
