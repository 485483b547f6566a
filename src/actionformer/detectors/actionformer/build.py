"""From settings to a network: every choice of part and every width is made here."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import nn

from actionformer.core.errors import InputError
from actionformer.data.augmentation import FeatureJitter, SensorRotation
from actionformer.detectors.actionformer.network import ActionFormer, FeatureNormalizer
from actionformer.nn.attention import Attention
from actionformer.nn.heads import Head, OffsetActivation
from actionformer.nn.layers import Conv, LayerNorm, Linear
from actionformer.nn.position import PositionEncoding
from actionformer.nn.pyramid import (
    Block,
    ConvBlock,
    Embedding,
    FeaturePyramidNeck,
    IdentityNeck,
    Pyramid,
    TransformerBlock,
)
from actionformer.settings.config import ModelSettings

EMPTY_CLASS_PRIOR = 1e-6


def build_model(settings: ModelSettings) -> ActionFormer:
    """A network with fresh weights, drawn from torch's global generator.

    Raises:
        InputError: `input_dim` or `num_classes` is not set.
    """
    if settings.num_classes is None:
        raise InputError("model.num_classes is not set: give it, or let training count the classes of the annotations")
    position = None
    if settings.position != "none":
        position = PositionEncoding(
            max_length=settings.max_length,
            channels=settings.width,
            learned=settings.position == "learned",
            clean=_clean(settings),
        )
    rotation: SensorRotation | nn.Identity = nn.Identity()
    if settings.sensor_axes is not None and settings.sensor_rotation:
        rotation = SensorRotation(axes=settings.sensor_axes, degrees=settings.sensor_rotation)
    model = ActionFormer(
        rotation=rotation,
        normalizer=FeatureNormalizer(settings.input_width),
        jitter=FeatureJitter(
            shift=settings.feature_shift, noise=settings.feature_noise, dropout=settings.feature_dropout
        ),
        embedding=_embedding(settings),
        position=position,
        pyramid=_pyramid(settings),
        neck=_neck(settings),
        classifier=_head(settings, outputs=settings.num_classes),
        regressor=_head(settings, outputs=2),
        offset_activation=OffsetActivation(num_levels=settings.num_levels, softplus=settings.offsets == "softplus"),
    )
    set_class_prior(model, settings.prior)
    return model


def set_class_prior(model: ActionFormer, prior: float, classes: list[int] | None = None) -> None:
    """Let the classifier's bias give probability `prior`, to all classes or to those listed.

    -log((1 - p) / p), as in "Focal loss for dense object detection", section 4.1.
    """
    bias = model.classifier.output.bias
    assert bias is not None
    with torch.no_grad():
        bias[slice(None) if classes is None else classes] = -math.log((1 - prior) / prior)


def _clean(settings: ModelSettings) -> bool:
    return settings.padding == "clean"


def _norms(count: int, channels: int, settings: ModelSettings, *, wanted: bool) -> nn.ModuleList:
    return nn.ModuleList([LayerNorm(channels, clean=_clean(settings)) for _ in range(count if wanted else 0)])


def _convs(widths: list[int], kernel: int, *, bias: bool) -> nn.ModuleList:
    return nn.ModuleList([Conv(a, b, kernel, bias=bias) for a, b in pairwise(widths)])


def _embedding(settings: ModelSettings) -> Embedding:
    count, norm = settings.embedding_layers, settings.embedding_norm
    projections: list[Linear] = []
    width = settings.input_width
    if settings.projection is not None and isinstance(settings.input_dim, tuple):
        projections = [Linear(a, b) for a, b in zip(settings.input_dim, settings.projection, strict=True)]
        width = sum(settings.projection)
    convs = _convs([width] + [settings.width] * count, settings.embedding_kernel, bias=not norm)
    return Embedding(
        projections=projections,
        convs=convs,
        norms=_norms(count, settings.width, settings, wanted=norm),
    )


def _pyramid(settings: ModelSettings) -> Pyramid:
    windows = settings.windows
    stem = [_block(settings, window=windows[0], stride=1) for _ in range(settings.stem_blocks)]
    branch = [_block(settings, window=window, stride=2) for window in windows[1:]]
    return Pyramid(stem=stem, branch=branch, stem_levels=settings.stem_levels)


def _block(settings: ModelSettings, *, window: int, stride: int) -> Block:
    if settings.backbone == "convolution":
        return ConvBlock(settings.width, stride=stride)
    attention = Attention(
        settings.width,
        num_heads=settings.num_heads,
        window=window,
        stride=stride,
        relative_position=settings.relative_position,
        dropout=settings.dropout,
        clean=_clean(settings),
    )
    return TransformerBlock(
        attention=attention,
        channels=settings.width,
        drop_path=settings.drop_path,
        dropout=settings.dropout,
        clean=_clean(settings),
    )


def _neck(settings: ModelSettings) -> IdentityNeck | FeaturePyramidNeck:
    levels, norm = settings.num_levels, settings.neck_norm
    width = settings.neck_width or settings.width
    norms = _norms(levels, width, settings, wanted=norm)
    if settings.neck == "identity":
        return IdentityNeck(norms)
    laterals = [Conv(settings.width, width, 1, bias=not norm) for _ in range(levels)]
    convs = [Conv(width, width, 3, bias=not norm, depthwise=True) for _ in range(levels)]
    return FeaturePyramidNeck(
        laterals=nn.ModuleList(laterals),
        convs=nn.ModuleList(convs),
        norms=norms,
        repeats=[coarse // fine for fine, coarse in pairwise(settings.strides)],
        clean=_clean(settings),
    )


def _head(settings: ModelSettings, *, outputs: int) -> Head:
    hidden, norm = settings.head_layers - 1, settings.head_norm
    width = settings.head_width or settings.width
    entry = settings.neck_width or settings.width
    widths = [entry] + [width] * hidden
    return Head(
        convs=_convs(widths, settings.head_kernel, bias=not norm),
        norms=_norms(hidden, width, settings, wanted=norm),
        output=Conv(widths[-1], outputs, settings.head_kernel),
    )
