"""How far published inference pads a sequence, and how much of that can matter."""

from __future__ import annotations

from actionformer.settings.config import ModelSettings


def published_length(length: int, settings: ModelSettings) -> int:
    """The length that published inference pads a sequence of `length` features to.

    `max_length` if that is enough, else the next multiple of the largest stride_l * 2 * (W_l // 2), where a
    global window counts as the stride alone.
    """
    if length <= settings.max_length:
        return settings.max_length
    steps = zip(settings.strides, settings.level_windows, strict=True)
    divisor = max(stride * 2 * (window // 2) if window > 1 else stride for stride, window in steps)
    return -(-length // divisor) * divisor


def computed_length(length: int, settings: ModelSettings) -> int:
    """The length to compute for a sequence of `length` features, so that its outputs are those of the padding rule.

    Clean padding is never seen. Published padding reaches valid moments only where a convolution reads it: what it
    gives there is masked, so the next one reads the same at every padded moment, and a level needs no more of them
    than half a kernel. Interpolated positions depend on the whole length.
    """
    if settings.padding == "clean":
        return length
    padded = published_length(length, settings)
    if settings.position != "none" and padded > settings.max_length:
        return padded
    coarsest = settings.strides[-1]
    seen = max(settings.embedding_kernel, settings.head_kernel, 3) // 2
    return min(padded, (-(-length // coarsest) + seen) * coarsest)
