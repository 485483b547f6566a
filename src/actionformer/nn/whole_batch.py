"""Random numbers of training that do not depend on how many processes share a batch.

A process that computes some sequences of a batch draws the numbers of the whole batch and uses those of its own
sequences. So all processes draw from the same generator in the same order, and a process alone draws the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch.nn.functional as F  # noqa: N812
from torch import Tensor

_SHARE: ContextVar[tuple[range, int] | None] = ContextVar("share", default=None)


@contextmanager
def rows_of_batch(rows: range, size: int) -> Iterator[None]:
    """Within it tensors (B, ...) are these rows of a batch of `size` sequences."""
    token = _SHARE.set(None if len(rows) == size else (rows, size))
    try:
        yield
    finally:
        _SHARE.reset(token)


def in_whole_batch(draw: Callable[..., Tensor], *inputs: Tensor) -> Tensor:
    """What a function that draws makes of some rows of a batch, with the numbers that it draws for the whole batch.

    Args:
        draw: tensors (B, ...) -> (B, ...), row by row but for the random numbers.
        inputs: some rows of each, all the same; the function sees zeros in the others.
    """
    share = _SHARE.get()
    if share is None:
        return draw(*inputs)
    rows, size = share
    around = (rows.start, size - rows.stop)
    whole = draw(*(F.pad(one, (0, 0) * (one.ndim - 1) + around) for one in inputs))
    return whole[rows.start : rows.stop]
