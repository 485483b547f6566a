"""Networks written a second time, plainly: on (B, C, T), with the published names and shapes of weights and masks."""

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from actionformer.detectors.actionformer.settings import ActionFormerSettings
from actionformer.detectors.tridet.settings import TriDetSettings
from actionformer.nn.settings import PyramidSettings

Levels = tuple[list[Tensor], list[Tensor]]


class PlainParts:
    """What detectors share; x (B, C, T) and mask (B, 1, T), as numbers 0 and 1."""

    def __init__(self, weights: Mapping[str, Tensor], settings: PyramidSettings) -> None:
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
        return x + self.position(x.shape[-1]) * mask if getattr(settings, "position", "none") == "sinusoidal" else x

    def position(self, length: int) -> Tensor:
        channels = self.settings.width
        table = torch.empty(channels, self.settings.max_length)
        for channel in range(channels):
            angle = torch.arange(table.shape[1]) / 10000 ** (channel // 2 * 2 / channels)
            table[channel] = (angle.cos() if channel % 2 else angle.sin()) / math.sqrt(channels)
        return F.interpolate(table[None], length, mode="linear", align_corners=False)

    def backbone(self, x: Tensor, mask: Tensor) -> Levels:
        raise NotImplementedError

    def scaled(self, x: Tensor, name: str) -> Tensor:
        return x * self.weights[f"{name}.scale"] if f"{name}.scale" in self.weights else x

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


class PlainActionFormer(PlainParts):
    """Blocks of local attention."""

    settings: ActionFormerSettings

    def backbone(self, x: Tensor, mask: Tensor) -> Levels:
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


class PlainTriDet(PlainParts):
    """SGP blocks, and distances from bins beside each moment."""

    settings: TriDetSettings

    def __call__(self, x: Tensor, mask: Tensor) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
        logits, bins, levels = super().__call__(x, mask)
        if self.settings.boundary == "plain":
            return logits, bins, levels
        _, masks = self.backbone(self.embedding(x, mask), mask)
        ends = zip(self.neck(levels, masks), masks, bins, strict=True)
        return logits, [self.distances(*one) for one in ends], levels

    def distances(self, x: Tensor, mask: Tensor, bins: Tensor) -> Tensor:
        """(B, 2, K, T), moment by moment and bin by bin."""
        starts, ends = (self.head(x, mask, name, "cls_head") for name in ("start_head", "end_head"))
        count, length = self.settings.boundary_bins, x.shape[-1]
        before, after = bins[:, None, : count + 1], bins[:, None, count + 1 :]  # (B, 1, bins + 1, T)
        found = torch.zeros(len(x), 2, starts.shape[1], length)
        for t in range(length):
            left = torch.stack([starts[..., t - count + j] if t - count + j >= 0 else starts[..., 0] * 0
                                for j in range(count + 1)], -1)  # fmt: skip
            right = torch.stack([ends[..., t + j] if t + j < length else ends[..., 0] * 0
                                 for j in range(count + 1)], -1)  # fmt: skip
            for j in range(count + 1):
                found[:, 0, :, t] += (count - j) * (left + before[..., t]).softmax(-1)[..., j]
                found[:, 1, :, t] += j * (right + after[..., t]).softmax(-1)[..., j]
        return found

    def backbone(self, x: Tensor, mask: Tensor) -> Levels:
        levels, masks = [], []
        for block in range(self.settings.stem_blocks):
            x = self.block(x, mask, f"backbone.stem.{block}")
        levels.append(x)
        masks.append(mask)
        for block in range(self.settings.branch_blocks):
            mask = mask[:, :, ::2]
            x = self.block(self.halved(x, f"backbone.branch.{block}"), mask, f"backbone.branch.{block}")
            levels.append(x)
            masks.append(mask)
        return levels, masks

    def halved(self, x: Tensor, name: str) -> Tensor:
        if self.settings.downsampling == "max":
            return F.max_pool1d(x, 3, 2, 1)
        return self.conv(F.avg_pool1d(x, 2), f"{name}.downsample.1")

    def block(self, x: Tensor, mask: Tensor, name: str) -> Tensor:
        o, channels = self.norm(x, f"{name}.ln"), x.shape[1]
        psi, fc, narrow, wide = (self.conv(o, f"{name}.{part}", groups=channels) for part in PARTS)
        phi = F.relu(self.conv(o.mean(-1, keepdim=True), f"{name}.global_fc", groups=channels))
        x = x * mask + self.scaled(fc * phi + (narrow + wide) * psi + o, f"{name}.drop_path_out")
        normed = F.group_norm(x, 16, self.weights[f"{name}.gn.weight"], self.weights[f"{name}.gn.bias"])
        hidden = F.gelu(self.conv(normed, f"{name}.mlp.0"))
        return x + self.scaled(self.conv(hidden, f"{name}.mlp.2"), f"{name}.drop_path_mlp")


PARTS = ("psi", "fc", "convw", "convkw")
