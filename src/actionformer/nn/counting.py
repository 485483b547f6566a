"""How much a network computes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.modules.module import register_module_forward_hook
from torch.utils.flop_counter import FlopCounterMode

from actionformer.nn import winograd
from actionformer.nn.packed import WinogradConv


def multiply_adds(run: Callable[[], object]) -> int:
    """Multiply-adds of all matrix products, convolutions and attention while something runs, packed or not.

    Those of a convolution are counted as of the direct one. What runs makes no gradients.
    """
    known = {name: count for name, count in _COUNTS.items() if name is not None}
    saved = 0

    def add(module: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        nonlocal saved
        if isinstance(module, WinogradConv):
            saved += winograd.saved_products(inputs[0], module.weight_sums)

    hook = register_module_forward_hook(add)
    try:
        with torch.no_grad(), FlopCounterMode(display=False, custom_mapping=known) as counter:
            run()
    finally:
        hook.remove()
    return int(counter.get_total_flops()) // 2 + saved


def _of_product(rows: Sequence[int], *_: Any, out_shape: Sequence[int], **__: Any) -> int:
    """Of a packed product (..., C_in) -> (..., C_out)."""
    return 2 * math.prod(rows) * out_shape[-1]


def _of_attention(query: Sequence[int], key: Sequence[int], value: Sequence[int], *_: Any, **__: Any) -> int:
    """Of queries (..., T, C) that attend to S keys and values."""
    return 2 * math.prod(query[:-1]) * key[-2] * (query[-1] + value[-1])


def _operation(path: str) -> Any:
    """An operation of torch, None where this build lacks it."""
    found: Any = torch.ops
    for name in path.split("."):
        if not hasattr(found, name):
            return None
        found = getattr(found, name)
    return found


_COUNTS = {
    _operation("mkldnn._linear_pointwise"): _of_product,
    _operation("aten._scaled_dot_product_flash_attention_for_cpu"): _of_attention,
}
"""Operations that torch's counter does not know -> twice their multiply-adds."""
