"""What regressing only the moments that decoding keeps could save; writes benchmarks/results/regressed.json

    python benchmarks/regressed.py RUN FEATURES... [--repeats N] [--threads N]

Distances are read at moments alone whose class probability decoding keeps. Of a trained run and feature files that it
has not learned from, this tells which share of the regression head's rows they need, neighbours of its convolutions
included, under the run's own thresholds and under higher ones; and which share of a forward pass the head takes, of
that run and of THUMOS14's model. The product of what is not needed and that share is the most that could be saved.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from common import fastest_seconds, write_result
from torch import Tensor, nn

import actionformer
from actionformer import Detector
from actionformer.detectors.base import architecture_of
from actionformer.nn.network import Network
from actionformer.nn.pyramid_network import PyramidNetwork
from actionformer.settings.loading import published_shape

PROBABILITIES = (0.0, 0.01, 0.05, 0.3)
"""Least class probabilities beside the run's own, which counts where it is higher."""
LENGTHS = (300, 2304)
PUBLISHED = "thumos14_i3d"


def kept(detector: Detector, file: Path, probability: float) -> Iterator[tuple[int, Tensor]]:
    """Of each level of a video how many moments it has, and (n,) those that decoding keeps."""
    sequence = detector.placed(file, {})
    config = detector.config.replace(decoding={"min_probability": probability, "min_length": 0.0})
    decoder = architecture_of(config).decoder()
    with torch.inference_mode():
        outputs = list(detector.runner.outputs([sequence]))
        for one in outputs:
            decoder.add(one)
        (found,) = decoder.candidates()
    for level in range(len(detector.runner.strides)):
        stop = max(one.stop for one in outputs if one.level == level)
        yield stop, found.moments[found.levels == level].unique()


def rows_needed(moments: Tensor, length: int, radius: int) -> int:
    """How many of `length` moments lie within `radius` of any of these."""
    near = moments[:, None] + torch.arange(-radius, radius + 1)
    return int(near[(near >= 0) & (near < length)].unique().numel())


def shares(detector: Detector, files: Sequence[Path], probability: float) -> dict[str, float]:
    """Of all moments of all levels: those kept, and rows of the head's hidden layers that they need."""
    network = detector.model
    assert isinstance(network, PyramidNetwork)
    probability = max(detector.config.decoding.min_probability, probability)
    hidden = len(network.regressor.convs)
    every = asked = rows = 0
    for file in files:
        for length, moments in kept(detector, file, probability):
            every += length
            asked += len(moments)
            rows += sum(rows_needed(moments, length, radius) for radius in range(1, hidden + 1))
    return {"least probability": probability, "moments": asked / every, "rows": rows / (hidden * every)}


class NoDistances(nn.Module):
    """In the place of the regression head: two numbers a moment that cost nothing."""

    def forward(self, x: Tensor, _: Tensor | None) -> Tensor:
        """(B, T, C) -> (B, T, 2)."""
        return x[..., :2]


def share_of_pass(network: Network, length: int, channels: int, repeats: int) -> float:
    """Share of a forward pass that the regression head takes."""
    assert isinstance(network, PyramidNetwork)
    head, x = network.regressor, torch.randn(1, length, channels)

    def run(regressor: Any) -> None:
        network.regressor = regressor
        network(x)

    with torch.inference_mode():
        taken = fastest_seconds({"with": partial(run, head), "without": partial(run, NoDistances())}, repeats)
    network.regressor = head
    return 1 - taken["without"] / taken["with"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("features", nargs="+", type=Path)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    detector = actionformer.load(options.run)
    large = actionformer.build(actionformer.load_config(PUBLISHED, {"model": published_shape(PUBLISHED)}))
    heads = {
        f"{name}, {length} features": share_of_pass(
            one.runner.network, length, one.config.model.input_width, options.repeats
        )
        for name, one in (("the run", detector), (PUBLISHED, large))
        for length in LENGTHS
    }
    result: dict[str, Any] = {
        "threads": options.threads,
        "share of a forward pass in the regression head": heads,
        "needed of the head": [shares(detector, options.features, one) for one in PROBABILITIES],
    }
    print(result)
    write_result("regressed", result)


if __name__ == "__main__":
    main()
