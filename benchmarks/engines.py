"""Engines in one run, on the network with THUMOS14's shape: writes benchmarks/results/engines.json

    python benchmarks/engines.py [--threads N] [--repeats N] [--lengths 300 2304 13824] [--published CHECKOUT]
    python benchmarks/engines.py --only accuracy [--run RUN] [--epochs N]

`ours` is what inference runs: packed, long sequences in chunks. `plain` is the network as it is read; `compile`,
`onnxruntime` and `openvino` are what `load(run, engine=...)` runs, each made once for sequences of any length.
--published adds the authors' code from a checkout of github.com/happyharrycn/actionformer_release, with the padding
that it asks for; all engines then have its random weights. Batch 1, the forward pass alone: the outputs of all levels,
not decoded.

Each engine first gives the same outputs as ours, to 1e-4 in float32, or this ends with an error. Then all take turns,
with the same number of threads. A ratio is an engine's fastest pass over our fastest one in the same type of numbers,
or in float32 where ours has none: above 1 it is slower than ours. The spread is the median over the fastest.

int8 is OpenVINO's model quantised by NNCF. What that costs is mAP on HAPT's `test` people: a model with derived
settings is trained, or is RUN, and quantised with the features of `training`; float32 in OpenVINO stands beside, to
show that the way there costs nothing. What is not installed is left out, saying so:
`pip install onnx onnxscript onnxruntime openvino nncf`. Only a whole run writes benchmarks/results/; with --only,
--epochs or --lengths figures are written where --out says, or nowhere. Run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from common import RESULTS, seconds_in_turns, write_result
from engine_accuracy import accuracy
from engine_calls import (
    ENGINES,
    LeftOutError,
    Outputs,
    Task,
    expected_of_published,
    ours,
    published_network,
)

from actionformer import Config, load_config
from actionformer.detectors.base import architecture_of
from actionformer.interop.actionformer import ACTIONFORMER
from actionformer.interop.published_weights import load_published_weights
from actionformer.nn.network import Network
from actionformer.settings.loading import published_shape

PRESET = "thumos14_i3d"
LENGTHS = (300, 2304, 13_824)
DTYPES = {"float32": tuple(ENGINES), "bfloat16": tuple(ENGINES), "int8": ("openvino",)}
"""Types of numbers, and the engines that are asked for them."""
MOST_DIFFERENCE = 1e-4
Row = dict[str, Any]


def built(checkout: Path | None) -> tuple[Network, Config, Any]:
    """The model, its settings and, where there is a checkout, the authors' network with equal weights."""
    config = load_config(PRESET, {"model": published_shape(PRESET) | {"offsets": "relu"}})
    torch.manual_seed(0)
    model = architecture_of(config).network().eval()
    theirs = published_network(checkout) if checkout else None
    with torch.no_grad():
        if theirs is not None:
            load_published_weights(model, theirs.state_dict(), str(checkout), ACTIONFORMER)
        for network in filter(None, (model, theirs)):
            for name, weight in network.named_parameters():
                if "drop_" in name:
                    weight.fill_(1)  # the initial 1e-4 hides every fault of a block
    return model, config, theirs


def difference(found: Outputs, expected: Outputs) -> float:
    """The largest of any moment; what is padded beyond the expected moments does not count."""
    pairs = zip(found, expected, strict=True)
    each = [(one[:, : other.shape[1]].float() - other).abs().max() for one, other in pairs]
    return torch.stack(each).max().item()  # NaN, if there is any


@torch.inference_mode()
def measure(task: Task, repeats: int) -> tuple[list[Row], dict[str, str]]:
    """A row an engine and type of numbers, and why others are left out."""
    expected = ours(task)()
    calls: dict[tuple[str, str], Callable[[], Outputs]] = {}
    differences: dict[tuple[str, str], float] = {}
    left_out: dict[str, str] = {}
    for dtype, names in DTYPES.items():
        for name in names:
            try:
                call = ENGINES[name](replace(task, dtype=dtype))
            except LeftOutError as reason:
                left_out[f"{name}, {dtype}"] = str(reason)
                continue
            found = difference(call(), expected_of_published(task) if name == "published" else expected)
            print(f"{task.features.shape[1]} features, {name}, {dtype}: differs by {found:.1e}", flush=True)
            if dtype == "float32" and not found <= MOST_DIFFERENCE:
                sys.exit(f"{name} gives other outputs than ours: they differ by {found:.1e}")
            calls[name, dtype], differences[name, dtype] = call, found
    return rows_of(seconds_in_turns(calls, repeats), differences, task.features.shape[1]), left_out


def rows_of(
    taken: Mapping[tuple[str, str], list[float]], differences: Mapping[tuple[str, str], float], length: int
) -> list[Row]:
    """What is told of each engine's times."""
    rows = []
    for (name, dtype), times in taken.items():
        fastest = min(times)
        of_ours = min(taken["ours", dtype if ("ours", dtype) in taken else "float32"])
        row = {"features": length, "engine": name, "dtype": dtype, "ratio": fastest / of_ours, "ms": 1000 * fastest}
        row |= {"spread": statistics.median(times) / fastest, "largest_difference": differences[name, dtype]}
        rows.append(row)
    return rows


def timed(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """All engines at all lengths."""
    model, config, theirs = built(options.published)
    rows: list[Row] = []
    left_out: dict[str, str] = {}
    for length in options.lengths:
        features, file = torch.randn(1, length, 2048), folder / f"{length}.onnx"
        more, reasons = measure(
            Task(model, config, features, "float32", options.threads, file, theirs), options.repeats
        )
        rows, left_out = rows + more, left_out | reasons
        for row in more:
            print("{features:6} {engine:12} {dtype:9} {ratio:5.2f} {ms:9.1f} ms, spread {spread:.2f}".format(**row))
    for name, reason in left_out.items():
        print(f"left out: {name}: {reason}")
    return {"rows": rows, "left_out": left_out}


def versions() -> dict[str, str]:
    """Of the packages that engines come from, where they are installed."""
    found = {}
    for name in ("onnx", "onnxscript", "onnxruntime", "openvino", "nncf"):
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="of every engine")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--lengths", type=int, nargs="+", default=LENGTHS, help="features of a sequence")
    parser.add_argument("--published", type=Path, help="a checkout of the authors' code")
    parser.add_argument("--only", choices=("time", "accuracy"), help="one part")
    parser.add_argument("--run", type=Path, help="a model that was trained on HAPT")
    parser.add_argument("--epochs", type=int, help="other epochs than the derived ones: to see that it runs")
    parser.add_argument("--out", type=Path, help="where to write engines.json")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    found: dict[str, Any] = {"threads": options.threads, "repeats": options.repeats, "versions": versions()}
    with tempfile.TemporaryDirectory() as folder:
        if options.only != "accuracy":
            found |= timed(options, Path(folder))
        if options.only != "time":
            try:
                found["hapt_map"] = accuracy(
                    Path(folder), run=options.run, epochs=options.epochs, threads=options.threads
                )
                print(found["hapt_map"])
            except LeftOutError as reason:
                print(f"left out: what int8 costs: {reason}")
    whole = not (options.only or options.epochs or tuple(options.lengths) != LENGTHS)
    if out := options.out or (RESULTS if whole else None):
        write_result("engines", found, out)


if __name__ == "__main__":
    main()
