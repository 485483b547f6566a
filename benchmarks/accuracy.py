"""Accuracy on real data: trains on `training`, scores `test` once a seed, writes benchmarks/results/accuracy.*

    python benchmarks/accuracy.py [hapt] [salads] [--seeds 0 1 2] [--time]

With --time it trains the first seed alone, scores nothing and writes benchmarks/results/minutes.json (quiet machine).

Settings are those of the presets; they were chosen with people held out of `training` (docs/accuracy.md).
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import RESULTS, machine, shared_folder, write_result
from numpy.lib.stride_tricks import sliding_window_view

from actionformer import load_config, train
from actionformer.features import FeatureSpec, write_sidecar
from actionformer.model_directory import load_settings

TIOU = ("0.3", "0.4", "0.5", "0.6", "0.7")


def hapt_features(source: Path, folder: Path) -> None:
    """Windows of 50 samples every 25, flattened axis-major: (T, 300) at fps 50, stride 25, num_frames 50."""
    with np.load(source / "raw_50hz_acc_gyro.npz") as recordings:
        for name, samples in recordings.items():
            windows = sliding_window_view(samples, 50, axis=0)[::25]  # (T, 6, 50)
            np.save(folder / f"{name}.npy", windows.reshape(len(windows), -1))
            write_sidecar(folder / f"{name}.npy", FeatureSpec(fps=50, stride=25, num_frames=50))


def salads_features(source: Path, folder: Path) -> None:
    """The published SpatialCNN features, (T, 128) at 3 Hz."""
    with np.load(source / "spatialcnn_3hz_fp16.npz") as videos:
        for name, features in videos.items():
            np.save(folder / f"{name}.npy", features)
            write_sidecar(folder / f"{name}.npy", FeatureSpec(fps=3, stride=1, num_frames=1))


DATA: dict[str, Callable[[Path, Path], None]] = {"hapt": hapt_features, "salads": salads_features}


def run(name: str, seed: int, source: Path, work: Path) -> dict[str, Any]:
    """Trains one seed and returns its test figures in percent."""
    config = load_config(name, {"training": {"seed": seed, "evaluate_every": 0}})
    out = work / f"{name}_{seed}"
    started, busy = time.perf_counter(), time.process_time()
    train(config, source / "annotations.json", work / name, out)
    minutes, core_minutes = (time.perf_counter() - started) / 60, (time.process_time() - busy) / 60
    metrics = load_settings(out)[1].metrics
    row = {tiou: 100 * metrics[f"map@{tiou}"] for tiou in TIOU}
    return {"seed": seed, **row, "average": 100 * metrics["map"], "minutes": minutes, "core_minutes": core_minutes}


def minutes(name: str, seed: int, source: Path, work: Path) -> dict[str, Any]:
    """Minutes that training takes, and processor minutes; `test` is left alone."""
    config = load_config(name, {"training": {"seed": seed}, "data": {"test_subset": ["nothing"]}})
    started, busy = time.perf_counter(), time.process_time()
    train(config, source / "annotations.json", work / name, work / f"{name}_{seed}")
    taken = (time.perf_counter() - started) / 60, (time.process_time() - busy) / 60
    return {
        "data": name,
        "seed": seed,
        "minutes": taken[0],
        "core_minutes": taken[1],
        "threads": torch.get_num_threads(),
    }


def table(results: dict[str, list[dict[str, Any]]]) -> str:
    """Markdown: a row a seed, then mean and standard deviation."""
    columns = (*TIOU, "average", "minutes")
    lines = ["| data | seed | " + " | ".join(columns) + " |", "|---" * (2 + len(columns)) + "|"]
    for name, rows in results.items():
        lines += [f"| {name} | {r['seed']} | " + " | ".join(f"{r[c]:.1f}" for c in columns) + " |" for r in rows]
        values = np.array([[row[c] for c in columns] for row in rows])
        spread = values.std(axis=0, ddof=1) if len(rows) > 1 else np.zeros(len(columns))
        cells = (f"{mean:.1f} ± {deviation:.1f}" for mean, deviation in zip(values.mean(axis=0), spread, strict=True))
        lines.append(f"| {name} | mean | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="*", help="hapt, salads; by default both")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--time", action="store_true", help="only how long training takes")
    options = parser.parse_args()
    data = shared_folder("data/hapt", "data/salads") / "data"
    previous = RESULTS / "accuracy.json"
    results: dict[str, list[dict[str, Any]]] = json.loads(previous.read_text())["results"] if previous.exists() else {}
    taken: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for name in options.data or sorted(DATA):
            (Path(folder) / name).mkdir()
            DATA[name](data / name, Path(folder) / name)
            if options.time:
                taken.append(minutes(name, options.seeds[0], data / name, Path(folder)))
                print(taken[-1], flush=True)
                continue
            results[name] = []
            for seed in options.seeds:
                results[name].append(run(name, seed, data / name, Path(folder)))
                print(json.dumps({"data": name, **results[name][-1]}), flush=True)
    if options.time:
        write_result("minutes", {"training": taken})
        return
    write_result("accuracy", {"results": results})
    (RESULTS / "accuracy.md").write_text(table(results))
    print(table(results), machine())


if __name__ == "__main__":
    main()
