"""How far published inference pads a sequence, and how much of that can matter."""

from __future__ import annotations

from actionformer.nn.settings import PyramidSettings


def padded_to(length: int, settings: PyramidSettings, divisor: int) -> int:
    """`max_length` if that is enough for a sequence of `length` features, else the next multiple of `divisor`."""
    return settings.max_length if length <= settings.max_length else -(-length // divisor) * divisor


def length_that_matters(length: int, padded: int, settings: PyramidSettings) -> int:
    """The length to compute for a sequence so that its outputs are those of one padded to `padded`.

    Published padding reaches valid moments only where a convolution or pooling reads it: what it gives there is masked,
    so the next one reads the same at every padded moment, and a level needs no more of them than half a kernel. That
    holds where nothing looks at a sequence as a whole.
    """
    coarsest = settings.strides[-1]
    seen = max(settings.embedding_kernel, settings.head_kernel, settings.boundary_kernel, 3) // 2
    return min(padded, (-(-length // coarsest) + seen) * coarsest)
