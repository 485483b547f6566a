"""ActionFormer's network: a pyramid of local-attention transformer blocks (Zhang, Wu & Li, ECCV 2022)."""

from __future__ import annotations

from actionformer.detectors.actionformer.settings import ActionFormerSettings
from actionformer.nn.attention import Attention
from actionformer.nn.blocks import Block, ConvBlock, MaxPoolBlock, TransformerBlock
from actionformer.nn.building import is_exact, pyramid_network
from actionformer.nn.pyramid import Pyramid
from actionformer.nn.pyramid_network import PyramidNetwork


def build_network(settings: ActionFormerSettings) -> PyramidNetwork:
    """A network with fresh weights, drawn from torch's global generator.

    Raises:
        InputError: `input_dim` or `num_classes` is not set.
    """
    return pyramid_network(settings, build_pyramid=lambda: build_pyramid(settings), position=settings.position)


def build_pyramid(settings: ActionFormerSettings) -> Pyramid:
    """Stem blocks at full length, then branch blocks that each halve it."""
    windows = settings.windows
    stem = [_block(settings, window=windows[0], stride=1) for _ in range(settings.stem_size)]
    branch = [_block(settings, window=window, stride=2) for window in windows[1:]]
    return Pyramid(stem=stem, branch=branch, stem_levels=settings.stem_levels)


def _block(settings: ActionFormerSettings, *, window: int, stride: int) -> Block:
    exact = is_exact(settings)
    if settings.block == "convolution":
        return ConvBlock(settings.width, stride=stride)
    if settings.block == "maxpool":
        return MaxPoolBlock(exact=exact)
    attention = Attention(
        settings.width,
        num_heads=settings.num_heads,
        window=window,
        stride=stride,
        relative_position=settings.relative_position,
        dropout=settings.dropout,
        exact=exact,
    )
    return TransformerBlock(
        attention=attention,
        channels=settings.width,
        drop_path=settings.drop_path,
        dropout=settings.dropout,
        exact=exact,
    )
