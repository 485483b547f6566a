"""BMN's map of 128 features: time and memory of the layer and its convolutions; writes benchmarks/results/bmn.json

    python benchmarks/bmn.py [--repeats N] [--threads N] [--out FOLDER]

Beside it in the same run: the published way, which samples by one matrix of (T, 32 * T * T). The two take turns, so
that both see the same machine; times are medians. Peak memory is that of a process of its own.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from common import RESULTS, write_result
from torch import Tensor

from actionformer import build, load_config
from actionformer.core.memory import AnonymousPeak
from actionformer.detectors.bmn.architecture import BMN
from actionformer.detectors.bmn.matching import sampling
from actionformer.detectors.bmn.network import BMNNetwork

PRESET = "bmn_thumos14_i3d"
WAYS = ("gathers", "matrix")
MATRIX_REPEATS = 5
"""A matrix product takes ten times as long, and others wait for it."""


def network() -> BMNNetwork:
    """OpenTAD's widths, 128 features, segments of every length."""
    config = load_config(PRESET, {"model": {"input_dim": 2048, "max_duration": 128}})
    model = build(config).model
    assert isinstance(model, BMNNetwork)
    return model.eval()


def by_gathers(model: BMNNetwork) -> Callable[[Tensor], Any]:
    """Features that are sampled -> the map, as the detector does it."""
    return lambda x: model.map(model.matching(x))


def by_matrix(model: BMNNetwork) -> Callable[[Tensor], Any]:
    """The same as published: all samples of all segments by one matrix product, then a map of each."""
    settings = load_config(PRESET, {"model": {"input_dim": 2048, "max_duration": 128}})
    architecture = BMN(settings)
    cells, layer = architecture.cells, model.matching
    _, bins, channels = layer.weight.shape
    cell, column, weight = sampling(cells, 128, architecture.rules, bins=bins, per_bin=3)
    matrix = torch.zeros(128, bins, cells.size)
    matrix.index_put_((column // bins, column % bins, cells.index[cell]), weight.float(), accumulate=True)
    chosen = torch.cat((cells.index, torch.tensor([cells.size - 1])))  # the last place of the map is no segment
    flat, kernel = matrix.flatten(1), layer.weight.flatten(1)

    def forward(x: Tensor) -> Any:
        samples = (x[0].T @ flat).view(channels, bins, cells.size)  # (C, bins, cells)
        mapped = F.linear(samples.permute(2, 1, 0).flatten(1), kernel, layer.bias)
        return model.map(F.relu(mapped)[None, chosen])

    return forward


def made(way: str, model: BMNNetwork) -> Callable[[Tensor], Any]:
    """What is timed."""
    return {"gathers": by_gathers, "matrix": by_matrix}[way](model)


@torch.inference_mode()
def peak(way: str) -> float | None:
    """Most memory in MiB of one map, what it takes to build included, beyond what the program holds before."""
    x = torch.rand(1, 128, 128)
    with AnonymousPeak() as memory:
        before = memory.mib
        made(way, network())(x)
    return None if memory.mib is None or before is None else memory.mib - before


@torch.inference_mode()
def times(repeats: int) -> dict[str, list[float]]:
    """Milliseconds of each way."""
    model, x = network(), torch.rand(1, 128, 128)
    ways = {way: made(way, model) for way in WAYS}
    first, second = (ways[way](x) for way in WAYS)
    assert all(torch.allclose(one, other, atol=1e-4) for one, other in zip(first, second, strict=True))
    taken: dict[str, list[float]] = {way: [] for way in WAYS}
    for turn in range(repeats):
        for way, forward in ways.items():
            if way == "matrix" and turn >= MATRIX_REPEATS:
                continue
            begun = time.perf_counter()
            forward(x)
            taken[way].append(1e3 * (time.perf_counter() - begun))
    return taken


def main() -> None:
    """Measures, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--peak", choices=WAYS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.peak:
        print(json.dumps(peak(options.peak)))
        return
    command = [sys.executable, __file__, "--threads", str(options.threads), "--peak"]
    memory = {way: json.loads(subprocess.check_output([*command, way])) for way in WAYS}
    milliseconds = times(options.repeats)
    rows = {
        way: {"ms": statistics.median(taken), "least_ms": min(taken), "peak_mib": memory[way]}
        for way, taken in milliseconds.items()
    }
    for way, row in rows.items():
        print(f"{way}: {row['ms']:.0f} ms (least {row['least_ms']:.0f}), at most {row['peak_mib']:.0f} MiB")
    write_result("bmn", {"threads": options.threads, "map of 128 features": rows}, folder=options.out)


if __name__ == "__main__":
    main()
