"""A training step of TadTR beside its matrix products; writes benchmarks/results/tadtr.json

    python benchmarks/tadtr.py [--repeats N] [--threads N] [--quick] [--out FOLDER]

16 windows of 128 features of THUMOS14's shape with 6 actions each, as published. The floor is the same products in
plain torch: each linear map's forward, and in the backward pass those for its weight and its input. Step and products
take turns, so that both see the same machine; times are medians. --quick takes a thin network: to see that it runs.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from common import RESULTS, write_result
from floor import seconds
from torch import Tensor, nn

from actionformer import load_config
from actionformer.data.dataset import Batch
from actionformer.detectors.base import architecture_of
from actionformer.settings.config import Config
from actionformer.training.loop import Trainer

WINDOWS, LENGTH, ACTIONS = 16, 128, 6
THIN = {"width": 32, "mlp_width": 32, "encoder_layers": 1, "decoder_layers": 1}
Shape = tuple[int, int, int]
"""Rows, channels in, channels out."""


def batch(config: Config) -> Batch:
    """Random features, and actions of 2 to 22 features."""
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(WINDOWS, LENGTH, config.model.input_width, generator=generator)
    starts = 100 * torch.rand(WINDOWS, ACTIONS, generator=generator)
    lengths = 2 + 20 * torch.rand(WINDOWS, ACTIONS, generator=generator)
    labels = torch.randint(20, (WINDOWS, ACTIONS), generator=generator)
    return Batch(features, [LENGTH] * WINDOWS, list(torch.stack((starts, starts + lengths), dim=-1)), list(labels))


def products_of(model: nn.Module, features: Tensor) -> list[Shape]:
    """The products of all linear maps of a forward pass, those of self-attention included."""
    found: list[Shape] = []

    def count(module: nn.Module, inputs: tuple[Tensor, ...], _: Any) -> None:
        rows = inputs[0].shape[:-1].numel()
        if isinstance(module, nn.MultiheadAttention):
            found.append((rows, module.embed_dim, 4 * module.embed_dim))
        elif isinstance(module, nn.Linear):
            found.append((rows, module.in_features, module.out_features))

    handles = [module.register_forward_hook(count) for module in model.modules()]
    model(features)
    for handle in handles:
        handle.remove()
    return found


def floor(shapes: list[Shape]) -> Callable[[], None]:
    """All products of a step: y = x W, and back dW = x^T dy and dx = dy W^T."""
    operands = [(torch.randn(m, k), torch.randn(k, n), torch.randn(m, n)) for m, k, n in shapes]

    def run() -> None:
        for x, weight, y in operands:
            x @ weight
            x.T @ y
            y @ weight.T

    return run


def measure(repeats: int, *, quick: bool) -> dict[str, Any]:
    """Milliseconds of both, and how many times its products a step takes."""
    shape = {"input_dim": 2048, "num_classes": 20, **(THIN if quick else {})}
    config = load_config("tadtr_thumos14_i3d", {"model": shape})
    torch.manual_seed(0)
    trainer = Trainer(architecture_of(config).network(), config, steps_per_epoch=1000)
    data = batch(config)
    shapes = products_of(trainer.model, data.features)
    products, taken = floor(shapes), []
    for turn in range(repeats + 1):  # the first does not count
        pair = seconds(products, "cpu"), seconds(lambda: trainer.step([data]), "cpu")
        taken += [pair] * (turn > 0)
    return {
        "windows": WINDOWS,
        "length": LENGTH,
        "gmac_forward": sum(m * k * n for m, k, n in shapes) / 1e9,
        "products_ms": 1e3 * statistics.median(one for one, _ in taken),
        "step_ms": 1e3 * statistics.median(other for _, other in taken),
        "times_products": statistics.median(other / one for one, other in taken),
    }


def main() -> None:
    """Measures, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    found = measure(options.repeats, quick=options.quick)
    print(
        f"step {found['step_ms']:.0f} ms, products {found['products_ms']:.0f} ms: {found['times_products']:.2f} times"
    )
    write_result("tadtr", {"threads": options.threads, "quick": options.quick, **found}, folder=options.out)


if __name__ == "__main__":
    main()
