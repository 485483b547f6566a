"""Training steps of detectors that take one length, beside their matrix products; writes benchmarks/results/steps.json

    python benchmarks/steps.py [PRESET ...] [--repeats N] [--threads N] [--quick] [--out FOLDER]

Windows with 6 actions each, of the shape that a preset was published or made for. The floor is the same products in
plain torch: of each linear map and convolution the forward one, and in the backward pass those for its weight and its
input. Step and products take turns, so that both see the same machine; times are medians. --quick takes thin networks
and few windows: to see that it runs.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from common import RESULTS, write_result
from floor import seconds
from torch import Tensor, nn

from actionformer import load_config
from actionformer.data.dataset import Batch
from actionformer.detectors.base import architecture_of
from actionformer.nn.segment_map.vectors import SegmentVectors
from actionformer.settings.config import Config
from actionformer.settings.loading import published_shape
from actionformer.training.loop import Trainer

PRESETS = ("tadtr_thumos14_i3d", "tadtr_hapt", "bmn_hapt", "gtad_hapt", "afsd_hapt")
ACTIONS = 6
MOST_ROWS = 16_384
"""Of a product: more are done in several."""


class Shape(NamedTuple):
    """Of a product."""

    rows: int
    inputs: int
    outputs: int

    @property
    def products(self) -> int:
        """Multiplications."""
        return self.rows * self.inputs * self.outputs


def settings(preset: str, *, quick: bool) -> Config:
    """Those of a preset."""
    config = load_config(preset, {"model": published_shape(preset)})
    return config.replace(model={"width": 32}, training={"batch_size": 2}, data={"window": 32}) if quick else config


def batch(config: Config) -> Batch:
    """Random features, and actions of up to a sixth of a window."""
    length, count, drawn = config.data.window or 0, config.training.batch_size, torch.Generator().manual_seed(0)
    features = torch.randn(count, length, config.model.input_width, generator=drawn)
    starts = 0.8 * length * torch.rand(count, ACTIONS, generator=drawn)
    lengths = 2 + length / 6 * torch.rand(count, ACTIONS, generator=drawn)
    labels = torch.randint(config.model.num_classes or 1, (count, ACTIONS), generator=drawn)
    return Batch(features, [length] * count, list(torch.stack((starts, starts + lengths), dim=-1)), list(labels))


def products_of(model: nn.Module, features: Tensor) -> list[Shape]:
    """The products of all linear maps and convolutions of a forward pass, those of self-attention included."""
    found: list[Shape] = []

    def count(module: nn.Module, inputs: tuple[Tensor, ...], output: Any) -> None:
        if isinstance(module, nn.MultiheadAttention):
            found.append(Shape(inputs[0].shape[:-1].numel(), module.embed_dim, 4 * module.embed_dim))
        elif isinstance(module, SegmentVectors):
            outputs, bins, channels = module.weight.shape
            found.append(Shape(inputs[0].shape[:-1].numel(), channels, bins * outputs))
        elif isinstance(weight := getattr(module, "weight", None), Tensor) and weight.ndim > 1:
            outputs = weight.shape[0]
            found.append(Shape(output.numel() // outputs, weight.numel() // outputs, outputs))

    handles = [module.register_forward_hook(count) for module in model.modules()]
    model(features)
    for handle in handles:
        handle.remove()
    return found


def floor(shapes: list[Shape]) -> Callable[[], None]:
    """All products of a step: y = x W, and back dW = x^T dy and dx = dy W^T."""
    operands = []
    for rows, k, n in shapes:
        times = -(-rows // MOST_ROWS)
        part = -(-rows // times)
        operands.append((times, torch.randn(part, k), torch.randn(k, n), torch.randn(part, n)))

    def run() -> None:
        for times, x, weight, y in operands:
            for _ in range(times):
                x @ weight
                x.T @ y
                y @ weight.T

    return run


def measure(preset: str, repeats: int, *, quick: bool) -> dict[str, Any]:
    """Milliseconds of a step and of its products, how many times its products a step takes, seconds to build."""
    config = settings(preset, quick=quick)
    torch.manual_seed(0)
    begun = time.perf_counter()
    network = architecture_of(config).network()
    built = time.perf_counter() - begun
    trainer = Trainer(network, config, steps_per_epoch=1000)
    data = batch(config)
    shapes = products_of(trainer.model, data.features)
    products, taken = floor(shapes), []
    for turn in range(repeats + 1):  # the first does not count
        pair = seconds(products, "cpu"), seconds(lambda: trainer.step([data]), "cpu")
        taken += [pair] * (turn > 0)
    return {
        "windows": len(data.features),
        "length": data.features.shape[1],
        "gmac_forward": sum(one.products for one in shapes) / 1e9,
        "build_ms": 1e3 * built,
        "products_ms": 1e3 * statistics.median(one for one, _ in taken),
        "step_ms": 1e3 * statistics.median(other for _, other in taken),
        "times_products": statistics.median(other / one for one, other in taken),
    }


def main() -> None:
    """Measures, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("presets", nargs="*", default=PRESETS)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    rows = {name: measure(name, options.repeats, quick=options.quick) for name in options.presets}
    for name, row in rows.items():
        print(
            f"{name}: built in {row['build_ms']:.0f} ms, step {row['step_ms']:.0f} ms, "
            f"products {row['products_ms']:.0f} ms: {row['times_products']:.2f} times"
        )
    write_result("steps", {"threads": options.threads, "quick": options.quick, **rows}, folder=options.out)


if __name__ == "__main__":
    main()
