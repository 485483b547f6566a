"""The floor: the time that the machine's own matrix products take for the multiplications of a network.

Of several products of the network's own shapes the fastest counts, by `linear` and, where torch has it, by a weight
that was put into the processor's favourite order beforehand (`packed`). They are timed in turns with what they are
compared to, so that both see the same machine, and each right after a run of its own, so that its operands are near.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from actionformer.detectors.base import architecture_of
from actionformer.nn.layers import Conv
from actionformer.nn.packed import has_product
from actionformer.settings.config import Config

SHAPES = {
    "cpu": ((2304, 6144, 512), (2304, 1536, 512), (2304, 512, 2048), (2304, 2048, 512)),
    "cuda": ((16384, 6144, 512), (16384, 512, 2048), (8192, 8192, 8192)),
}
"""Rows, channels in, channels out."""


@dataclass(frozen=True)
class Product:
    """A matrix product to compare with."""

    run: Callable[[], object]
    gflop: float
    shape: tuple[int, int, int]


def multiplications(config: Config, length: int) -> int:
    """Multiplications of all convolutions and linear maps for `length` features, but for attention's own, under 1%.

    Counted on the plain network, so that it does not depend on how a fast path computes.
    """
    total = 0

    def count(module: nn.Module, _: Any, output: Tensor) -> None:
        nonlocal total
        assert isinstance(module.weight, Tensor)
        total += module.weight.numel() * output.shape[0] * output.shape[1]

    if "position" in type(config.model).model_fields:
        config = config.replace(model={"position": "none"})
    with torch.no_grad():  # trident boundaries do not run on the device `meta`
        model = architecture_of(config).network().eval()
        for module in model.modules():
            if isinstance(module, Conv | nn.Linear):
                module.register_forward_hook(count)
        model(torch.empty(1, length, config.model.input_width))
    return total


def fastest_products(precision: str, device: str) -> dict[str, Product]:
    """The fastest product of every kind that the device has."""
    dtype = getattr(torch, precision)
    best: dict[str, tuple[float, Product]] = {}
    for shape in SHAPES[device]:
        rows, inputs, outputs = shape
        x = torch.randn(rows, inputs, device=device, dtype=dtype)
        weight = torch.randn(outputs, inputs, device=device, dtype=dtype)
        gflop = 2e-9 * rows * inputs * outputs
        for kind, run in _kinds(x, weight).items():
            run()
            rate = gflop / min(seconds(run, device) for _ in range(5))
            if kind not in best or rate > best[kind][0]:
                best[kind] = rate, Product(run, gflop, shape)
    return {kind: product for kind, (_, product) in best.items()}


def _kinds(x: Tensor, weight: Tensor) -> dict[str, Callable[[], object]]:
    kinds: dict[str, Callable[[], object]] = {"linear": lambda: F.linear(x, weight)}
    if has_product(weight):
        ordered = torch.ops.mkldnn._reorder_linear_weight(weight, len(x))
        kinds["packed"] = lambda: torch.ops.mkldnn._linear_pointwise(x, ordered, None, "none", [], "none")
    return kinds


def seconds(function: Callable[[], object], device: str) -> float:
    """How long a call takes on a device: by the clock, or between two events of a GPU's queue."""
    if device == "cpu":
        begin = time.perf_counter()
        function()
        return time.perf_counter() - begin
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    function()
    end.record()
    end.synchronize()
    return float(start.elapsed_time(end)) / 1000


def in_turns(
    function: Callable[[], object], products: dict[str, Product], repeats: int, device: str
) -> tuple[float, dict[str, float]]:
    """Median seconds of a function, and the median rate of every product in GFLOP/s, run by turns."""
    calls: list[float] = []
    rates: dict[str, list[float]] = {kind: [] for kind in products}
    for _ in range(repeats):
        for kind, product in products.items():
            product.run()
            rates[kind].append(product.gflop / seconds(product.run, device))
        calls.append(seconds(function, device))
    return statistics.median(calls), {kind: statistics.median(values) for kind, values in rates.items()}
