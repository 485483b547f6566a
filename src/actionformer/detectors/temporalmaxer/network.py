"""TemporalMaxer's network: a pyramid of max pooling (Tang, Kim & Sohn, arXiv 2303.09055, section 3)."""

from __future__ import annotations

from torch import nn

from actionformer.detectors.temporalmaxer.settings import GROUPS, TemporalMaxerSettings
from actionformer.nn.blocks import MaxPoolBlock
from actionformer.nn.building import is_exact, pyramid_network
from actionformer.nn.layers import GroupNorm, LayerNorm
from actionformer.nn.pyramid import Pyramid
from actionformer.nn.pyramid_network import PyramidNetwork


def build_network(settings: TemporalMaxerSettings) -> PyramidNetwork:
    """A network with fresh weights, drawn from torch's global generator.

    Raises:
        InputError: `input_dim` or `num_classes` is not set.
    """
    return pyramid_network(settings, build_pyramid=lambda: build_pyramid(settings), norms=_shared_norm(settings))


def build_pyramid(settings: TemporalMaxerSettings) -> Pyramid:
    """Max pooling alone, level by level."""
    blocks = [MaxPoolBlock(exact=is_exact(settings)) for _ in range(settings.branch_blocks)]
    return Pyramid(stem=[], branch=blocks, stem_levels=False)


def _shared_norm(settings: TemporalMaxerSettings) -> nn.ModuleList:
    """The one norm of all levels, if there is any."""
    width, exact = settings.neck_width or settings.width, is_exact(settings)
    if not settings.neck_norm:
        return nn.ModuleList()
    if settings.level_norm == "layernorm":
        return nn.ModuleList([LayerNorm(width, exact=exact)])
    return nn.ModuleList([GroupNorm(width, groups=GROUPS, exact=exact, affine=False)])
