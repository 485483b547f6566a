"""From settings to a network around a feature pyramid, which a detector builds for itself: widths are chosen here."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from torch import nn

from actionformer.core.errors import InputError
from actionformer.nn.heads import Head, OffsetActivation, TridentBoundary
from actionformer.nn.layers import Conv, LayerNorm, Linear
from actionformer.nn.necks import FeaturePyramidNeck, IdentityNeck
from actionformer.nn.normalizer import FeatureNormalizer
from actionformer.nn.position import PositionEncoding
from actionformer.nn.pyramid import Embedding, Pyramid
from actionformer.nn.pyramid_network import PyramidNetwork
from actionformer.nn.settings import PyramidSettings


def pyramid_network(
    settings: PyramidSettings,
    *,
    build_pyramid: Callable[[], Pyramid],
    position: str = "none",
    norms: nn.ModuleList | None = None,
) -> PyramidNetwork:
    """A network with fresh weights, drawn from torch's global generator: part after part as they stand here.

    Args:
        settings: widths, kernels, neck, heads.
        build_pyramid: draws the pyramid, once the embedding is drawn.
        position: none, sinusoidal or learned.
        norms: of the neck, by default a LayerNorm per level.

    Raises:
        InputError: `input_dim` or `num_classes` is not set.
    """
    network = PyramidNetwork(
        position=_position(settings, position),
        normalizer=FeatureNormalizer(settings.input_width),
        embedding=_embedding(settings),
        pyramid=build_pyramid(),
        neck=_neck(settings, norms),
        classifier=_classifier(settings),
        regressor=_regressor(settings),
        offset_activation=_offset_activation(settings),
        boundary=_boundary(settings),
    )
    network.set_class_prior(settings.class_prior)
    return network


def _position(settings: PyramidSettings, kind: str) -> PositionEncoding | None:
    """What adds positions to the embedding; `kind` is none, sinusoidal or learned."""
    if kind == "none":
        return None
    exact, learned = is_exact(settings), kind == "learned"
    return PositionEncoding(max_length=settings.max_length, channels=settings.width, learned=learned, exact=exact)


def _embedding(settings: PyramidSettings) -> Embedding:
    """Projections of the sources, if any, and the convolutions of the embedding."""
    count, norm = settings.embedding_layers, settings.embedding_norm
    projections: list[Linear] = []
    width = settings.input_width
    if settings.projection is not None and isinstance(settings.input_dim, tuple):
        projections = [Linear(a, b) for a, b in zip(settings.input_dim, settings.projection, strict=True)]
        width = sum(settings.projection)
    convs = _convs([width] + [settings.width] * count, settings.embedding_kernel, bias=not norm)
    norms = _norms(count, settings.width, settings, wanted=norm)
    return Embedding(projections=projections, convs=convs, norms=norms)


def _neck(settings: PyramidSettings, norms: nn.ModuleList | None) -> IdentityNeck | FeaturePyramidNeck:
    """Nothing but norms, or a top-down feature pyramid before them; by default a LayerNorm per level."""
    levels, norm = settings.num_levels, settings.neck_norm
    width = settings.neck_width or settings.width
    if norms is None:
        norms = _norms(levels, width, settings, wanted=norm)
    if settings.neck == "identity":
        return IdentityNeck(norms)
    laterals = [Conv(settings.width, width, 1, bias=not norm) for _ in range(levels)]
    convs = [Conv(width, width, 3, bias=not norm, groups=width) for _ in range(levels)]
    return FeaturePyramidNeck(
        laterals=nn.ModuleList(laterals),
        convs=nn.ModuleList(convs),
        norms=norms,
        repeats=[coarse // fine for fine, coarse in pairwise(settings.strides)],
        exact=is_exact(settings),
    )


def _classifier(settings: PyramidSettings) -> Head:
    """The head that says what happens: an output per class."""
    return _head(settings, outputs=_classes(settings), kernel=settings.head_kernel)


def _regressor(settings: PyramidSettings) -> Head:
    """The head that says how far the ends are: two distances, or for a trident boundary two rows of bins."""
    outputs = 2 * (settings.boundary_bins + 1) if settings.boundary == "trident" else 2
    return _head(settings, outputs=outputs, kernel=settings.head_kernel)


def _offset_activation(settings: PyramidSettings) -> OffsetActivation:
    """What makes distances positive."""
    return OffsetActivation(num_levels=settings.num_levels, softplus=settings.offsets == "softplus")


def _boundary(settings: PyramidSettings) -> TridentBoundary | None:
    """The heads that find starts and ends, if the settings ask for them."""
    if settings.boundary == "plain":
        return None
    outputs, kernel = _classes(settings), settings.boundary_kernel
    start, end = (_head(settings, outputs=outputs, kernel=kernel) for _ in range(2))
    return TridentBoundary(start=start, end=end, bins=settings.boundary_bins)


def _head(settings: PyramidSettings, *, outputs: int, kernel: int) -> Head:
    hidden, norm = settings.head_layers - 1, settings.head_norm
    width = settings.head_width or settings.width
    widths = [settings.neck_width or settings.width] + [width] * hidden
    return Head(
        convs=_convs(widths, kernel, bias=not norm),
        norms=_norms(hidden, width, settings, wanted=norm),
        output=Conv(widths[-1], outputs, kernel),
    )


def _classes(settings: PyramidSettings) -> int:
    if settings.num_classes is None:
        raise InputError("model.num_classes is not set: give it, or let training count the classes of the annotations")
    return settings.num_classes


def is_exact(settings: PyramidSettings) -> bool:
    """Whether padding never changes a result."""
    return settings.mask_padding == "exact"


def _norms(count: int, channels: int, settings: PyramidSettings, *, wanted: bool) -> nn.ModuleList:
    return nn.ModuleList([LayerNorm(channels, exact=is_exact(settings)) for _ in range(count if wanted else 0)])


def _convs(widths: list[int], kernel: int, *, bias: bool) -> nn.ModuleList:
    return nn.ModuleList([Conv(a, b, kernel, bias=bias) for a, b in pairwise(widths)])
