"""Speed and memory of all detectors in one run; writes benchmarks/results/family.*

    python benchmarks/family.py [--device cuda] [--quick] [--out FOLDER]

One sequence of 2,304 features of THUMOS14's shape forward, as a detector runs it and as the network is read, and a
training step on two. Detectors take turns, so that all see the same machine; times are medians. Peak memory is that of
a process of its own. With --quick sequences are short and nothing is repeated: to see that it runs.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from common import RESULTS, write_result
from floor import multiplications, seconds
from training import made_batch

import actionformer
from actionformer import Detector
from actionformer.core.memory import AnonymousPeak
from actionformer.inference.graphs import Graphs
from actionformer.training.loop import Trainer

PRESETS = {
    "actionformer": "thumos14_i3d",
    "tridet": "tridet_thumos14_i3d",
    "temporalmaxer": "temporalmaxer_thumos14_i3d",
}
LENGTH, REPEATS = 2304, 5
PARTS = ("forward", "plain forward", "training step")
Row = dict[str, Any]


def call(part: str, detector: Detector, length: int) -> Callable[[], object]:
    """What is timed of a detector, without gradients but in training."""
    if part == "training step":
        trainer = Trainer(detector.model, detector.config, steps_per_epoch=100, device=detector.device.type)
        batch = made_batch(2, length, detector.config.model.input_width)
        return lambda: trainer.step([batch])
    features = torch.randn(1, length, detector.config.model.input_width, device=detector.device)
    valid = torch.ones(1, length, dtype=torch.bool, device=detector.device)
    network: Callable[..., object] = detector.model
    if part == "forward":
        network = detector.runner.network if detector.device.type == "cpu" else Graphs(detector.model)

    def forward() -> None:
        with torch.inference_mode():
            network(features, valid)

    return forward


def timed(part: str, device: str, length: int, repeats: int) -> dict[str, list[float]]:
    """Milliseconds of every detector, in turns."""
    calls = {name: call(part, actionformer.build(preset, device=device), length) for name, preset in PRESETS.items()}
    times: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(repeats + 1):  # the first does not count
        for name, function in calls.items():
            taken = 1000 * seconds(function, device)
            if turn:
                times[name].append(taken)
    return times


def peak_mib(name: str, part: str, device: str, length: int) -> float | None:
    """Peak memory that one call adds to what the detector, or its trainer, holds before; in this process."""
    function = call(part, actionformer.build(PRESETS[name], device=device), length)
    if device == "cpu":
        with AnonymousPeak() as peak:
            before = peak.mib
            function()
        return None if peak.mib is None or before is None else peak.mib - before
    torch.cuda.synchronize()
    held = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    function()
    torch.cuda.synchronize()
    return (torch.cuda.max_memory_allocated() - held) / 2**20


def measure(device: str, length: int, repeats: int) -> list[Row]:
    """A row a part and detector."""
    rows: list[Row] = []
    for part in PARTS:
        times = timed(part, device, length, repeats)
        for name, taken in times.items():
            case = json.dumps([name, part, device, length])
            done = subprocess.run([sys.executable, __file__, "--peak", case], check=True, stdout=subprocess.PIPE)
            rows.append(
                {
                    "part": part,
                    "detector": name,
                    "ms": statistics.median(taken),
                    "least_ms": min(taken),
                    "times_faster": statistics.median(times["actionformer"]) / statistics.median(taken),
                    "peak_mib": json.loads(done.stdout),
                    **size(name, length),
                }
            )
            print(line(rows[-1]), end="", flush=True)
    return rows


def size(name: str, length: int) -> Row:
    """Weights, and multiplications of one forward pass."""
    detector = actionformer.build(PRESETS[name], device="meta")
    weights = sum(parameter.numel() for parameter in detector.model.parameters())
    return {"million_weights": weights / 1e6, "gmac": multiplications(detector.config, length) / 1e9}


HEAD = (
    "| part | detector | ms | ActionFormer's / this | more memory at the peak, MiB | weights, M | 10^9 products |\n"
    "|---|---|---|---|---|---|---|\n"
)


def line(row: Row) -> str:
    """One row of the table."""
    peak = "" if row["peak_mib"] is None else f"{row['peak_mib']:,.0f}"
    return (
        f"| {row['part']} | {row['detector']} | {row['ms']:.2f} | {row['times_faster']:.2f} | {peak} | "
        f"{row['million_weights']:.2f} | {row['gmac']:.1f} |\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--quick", action="store_true", help="short sequences, once: to see that it runs")
    parser.add_argument("--out", type=Path, help="where to write family.json and family.md")
    parser.add_argument("--peak", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak:
        print(json.dumps(peak_mib(*json.loads(options.peak))))
        return
    length, repeats = (96, 1) if options.quick else (LENGTH, REPEATS)
    rows = measure(options.device, length, repeats)
    if folder := options.out or (None if options.quick else RESULTS):
        name = "family" if options.device == "cpu" else f"family_{options.device}"
        write_result(name, {"threads": torch.get_num_threads(), "length": length, "rows": rows}, folder)
        (folder / f"{name}.md").write_text(HEAD + "".join(map(line, rows)), "utf-8")


if __name__ == "__main__":
    main()
