"""ActionFormer's network: a pyramid of local-attention transformer blocks (Zhang, Wu & Li, ECCV 2022)."""

from __future__ import annotations

from actionformer.detectors.actionformer.settings import ActionFormerSettings
from actionformer.nn.attention import Attention
from actionformer.nn.blocks import Block, ConvBlock, MaxPoolBlock, TransformerBlock
from actionformer.nn.building import (
    boundary,
    build_neck,
    classifier,
    embedding,
    is_exact,
    offset_activation,
    position_encoding,
    regressor,
)
from actionformer.nn.normalizer import FeatureNormalizer
from actionformer.nn.pyramid import Pyramid
from actionformer.nn.pyramid_network import PyramidNetwork


def build_network(settings: ActionFormerSettings) -> PyramidNetwork:
    """A network with fresh weights, drawn from torch's global generator.

    Raises:
        InputError: `input_dim` or `num_classes` is not set.
    """
    network = PyramidNetwork(
        position=position_encoding(settings, settings.position),
        normalizer=FeatureNormalizer(settings.input_width),
        embedding=embedding(settings),
        pyramid=build_pyramid(settings),
        neck=build_neck(settings),
        classifier=classifier(settings),
        regressor=regressor(settings),
        offset_activation=offset_activation(settings),
        boundary=boundary(settings),
    )
    network.set_class_prior(settings.class_prior)
    return network


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
