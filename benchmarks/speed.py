"""Speed of the forward pass against the floor of its arithmetic; writes benchmarks/results/speed.json.

    python benchmarks/speed.py

The floor is the time that the machine's own matrix products would take for as many multiplications, measured in the
same run, in turns with what is timed. Run it on a quiet machine.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from common import write_result
from torch import Tensor, nn

import actionformer
from actionformer.model import ActionFormer
from actionformer.model.layers import Conv

LENGTHS = (300, 2304)
REPEATS = 15


def multiplications(model: ActionFormer, features: Tensor) -> int:
    """Multiplications of all convolutions and linear maps in a forward pass, but for attention's own, under 1%."""
    total = 0

    def count(module: nn.Module, _: Any, output: Tensor) -> None:
        nonlocal total
        assert isinstance(module.weight, Tensor)
        total += module.weight.numel() * output.shape[0] * output.shape[1]

    hooks = [m.register_forward_hook(count) for m in model.modules() if isinstance(m, Conv | nn.Linear)]
    model(features)
    for hook in hooks:
        hook.remove()
    return total


def seconds(function: Callable[[], object]) -> float:
    begin = time.perf_counter()
    function()
    return time.perf_counter() - begin


def forward(model: ActionFormer, length: int) -> dict[str, float]:
    """Medians of the forward pass and of a matrix product, timed in turns."""
    features = torch.randn(1, length, 2048)
    left, right = torch.randn(2304, 2048), torch.randn(2048, 512)
    gflop = 2 * multiplications(model, features) / 1e9
    for _ in range(3):
        model(features)
    passes, products = [], []
    for _ in range(REPEATS):
        products.append(seconds(lambda: left @ right))
        passes.append(seconds(lambda: model(features)))
    rate = 2 * left.shape[0] * right.numel() / statistics.median(products) / 1e9
    floor = gflop / rate
    measured = statistics.median(passes)
    return {
        "length": length,
        "gflop": gflop,
        "matrix_product_gflops": rate,
        "floor_ms": 1000 * floor,
        "forward_ms": 1000 * measured,
        "times_floor": measured / floor,
    }


@torch.inference_mode()
def main() -> None:
    config = actionformer.load_config("thumos14_i3d", {"model": {"input_dim": 2048, "num_classes": 20}})
    model = actionformer.build(config).model
    rows = [forward(model, length) for length in LENGTHS]
    for row in rows:
        print({name: round(value, 2) for name, value in row.items()})
    write_result("speed", {"model": "thumos14_i3d", "precision": "float32", "forward": rows})


if __name__ == "__main__":
    main()
