"""TemporalMaxer's network: a pyramid of max pooling (Tang, Kim & Sohn, arXiv 2303.09055, section 3)."""

from __future__ import annotations

from torch import nn

from actionformer.detectors.temporalmaxer.settings import GROUPS, TemporalMaxerSettings
from actionformer.nn.blocks import MaxPoolBlock
from actionformer.nn.building import (
    boundary,
    build_neck,
    classifier,
    embedding,
    is_exact,
    offset_activation,
    regressor,
)
from actionformer.nn.layers import GroupNorm, LayerNorm
from actionformer.nn.normalizer import FeatureNormalizer
from actionformer.nn.pyramid import Pyramid
from actionformer.nn.pyramid_network import PyramidNetwork


def build_network(settings: TemporalMaxerSettings) -> PyramidNetwork:
    """A network with fresh weights, drawn from torch's global generator.

    Raises:
        InputError: `input_dim` or `num_classes` is not set.
    """
    blocks = [MaxPoolBlock(exact=is_exact(settings)) for _ in range(settings.branch_blocks)]
    network = PyramidNetwork(
        normalizer=FeatureNormalizer(settings.input_width),
        embedding=embedding(settings),
        position=None,
        pyramid=Pyramid(stem=[], branch=blocks, stem_levels=False),
        neck=build_neck(settings, norms=_shared_norm(settings)),
        classifier=classifier(settings),
        regressor=regressor(settings),
        offset_activation=offset_activation(settings),
        boundary=boundary(settings),
    )
    network.set_class_prior(settings.class_prior)
    return network


def _shared_norm(settings: TemporalMaxerSettings) -> nn.ModuleList:
    """The one norm of all levels, if there is any."""
    width, exact = settings.neck_width or settings.width, is_exact(settings)
    if not settings.neck_norm:
        return nn.ModuleList()
    if settings.level_norm == "layernorm":
        return nn.ModuleList([LayerNorm(width, exact=exact)])
    return nn.ModuleList([GroupNorm(width, groups=GROUPS, exact=exact, affine=False)])
