"""Accuracy on real data: trains on `training`, scores `test` once a seed, writes benchmarks/results/accuracy.*

    python benchmarks/accuracy.py [hapt] [salads] [gtea] [--detector actionformer tridet ...] [--seeds 0 1 2]

With --time it trains the first seed alone, scores nothing and writes benchmarks/results/minutes.json (quiet machine).
With --epochs N it trains N epochs and writes nothing: to see that it runs.

Settings are those of the presets; they were chosen with people held out of `training` (docs/accuracy.md). All detectors
have the same budget: width, epochs, batches, rate and augmentation. Figures are written after every data set, so that
detectors can run at the same time.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import RESULTS, first_stages, machine, read_result, shared_folder, write_result

from actionformer import Config, load_config, train
from actionformer.datasets import gtea, hapt, salads
from actionformer.detectors.index import SETTINGS
from actionformer.features import FeatureSpec, write_sidecar
from actionformer.model_directory import load_settings

TIOU = ("0.3", "0.4", "0.5", "0.6", "0.7")
Results = dict[str, dict[str, list[dict[str, Any]]]]
"""Detector -> data -> a row a seed."""


def hapt_features(source: Path, folder: Path) -> None:
    """Windows of 50 samples every 25, flattened axis-major: (T, 300) at fps 50, stride 25, num_frames 50."""
    with np.load(source / "raw_50hz_acc_gyro.npz") as recordings:
        for name, samples in recordings.items():
            np.save(folder / f"{name}.npy", hapt.windows(samples))
            write_sidecar(folder / f"{name}.npy", hapt.SPEC)


def salads_features(source: Path, folder: Path) -> None:
    """The published SpatialCNN features, (T, 128) at 3 Hz."""
    unpack(source / "spatialcnn_3hz_fp16.npz", folder, salads.SPEC)


def gtea_features(source: Path, folder: Path) -> None:
    """The published SpatialCNN features of split 1, (T, 128) at 15 Hz."""
    unpack(source / "gtea_spatialcnn_split1_fp16.npz", folder, gtea.SPEC)


def unpack(archive: Path, folder: Path, spec: FeatureSpec) -> None:
    """A feature file of each array of an archive, with its sidecar."""
    with np.load(archive) as videos:
        for name, features in videos.items():
            np.save(folder / f"{name}.npy", features)
            write_sidecar(folder / f"{name}.npy", spec)


def gtea_annotations(source: Path, file: Path, number: str = "1") -> Path:
    """Those of a split: in the first the first person is `test`, and so on."""
    content = json.loads((source / "annotations.json").read_text("utf-8"))
    split = content["splits"][number]
    subsets = {
        name: subset for subset, names in (("training", split["train"]), ("test", split["test"])) for name in names
    }
    database = {name: {**video, "subset": subsets[name]} for name, video in content["database"].items()}
    file.write_text(json.dumps({"database": database}), "utf-8")
    return file


@dataclass(frozen=True)
class Data:
    """A data set of the benchmark."""

    features: Callable[[Path, Path], None]
    """From where it lies to a folder of features."""
    annotations: Callable[[Path, Path], Path] = lambda source, _: source / "annotations.json"
    """From where it lies and a file that may be written to the annotations."""
    preset: str = ""
    """Whose preset, with the name of a detector before it, is used; by default its own."""
    changes: Mapping[str, Mapping[str, Any]] | None = None
    """Of that preset."""


DATA = {
    "hapt": Data(hapt_features),
    "salads": Data(salads_features),
    # Features of the same kind, for a similar number of videos; nothing was chosen on GTEA.
    "gtea": Data(gtea_features, gtea_annotations, preset="salads", changes={"data": {"fps": 15}}),
}


def settings(detector: str, name: str, **training: Any) -> Config:
    """The preset of a detector for a data set."""
    preset = DATA[name].preset or name
    config = load_config(preset if detector == "actionformer" else f"{detector}_{preset}", DATA[name].changes)
    return config.replace(training=training)


def run(config: Config, annotations: Path, features: Path, out: Path) -> dict[str, Any]:
    """Trains one seed; returns the minutes it took and, if there is something to score, test figures in percent."""
    started, busy = time.perf_counter(), time.process_time()
    train(config, annotations, features, out)
    taken = {
        "minutes": (time.perf_counter() - started) / 60,
        "core_minutes": (time.process_time() - busy) / 60,
        "threads": torch.get_num_threads(),
    }
    metrics = load_settings(out)[1].metrics
    return {"seed": config.training.seed, **(in_percent(metrics) if metrics else {}), **taken}


def in_percent(metrics: Mapping[str, float]) -> dict[str, float]:
    """mAP at every tIoU and on average, as a model's card has it."""
    return {tiou: 100 * metrics[f"map@{tiou}"] for tiou in TIOU} | {"average": 100 * metrics["map"]}


def table(results: Results) -> str:
    """Markdown: a row a seed, then mean and standard deviation."""
    columns = (*TIOU, "average", "minutes")
    lines = ["| detector | data | seed | " + " | ".join(columns) + " |", "|---" * (3 + len(columns)) + "|"]
    for (detector, name), rows in {
        (one, name): rows for one, of in results.items() for name, rows in of.items()
    }.items():
        begin = f"| {detector} | {name} |"
        lines += [f"{begin} {r['seed']} | " + " | ".join(f"{r[c]:.1f}" for c in columns) + " |" for r in rows]
        values = np.array([[row[c] for c in columns] for row in rows])
        spread = values.std(axis=0, ddof=1) if len(rows) > 1 else np.zeros(len(columns))
        cells = (f"{mean:.1f} ± {deviation:.1f}" for mean, deviation in zip(values.mean(axis=0), spread, strict=True))
        lines.append(f"{begin} mean | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def keep(detector: str, name: str, rows: list[dict[str, Any]]) -> None:
    """Puts the figures of a detector on a data set beside those that are there now."""
    results: Results = read_result("accuracy").get("results", {})
    results.setdefault(detector, {})[name] = rows
    results = {one: dict(sorted(results[one].items())) for one in SETTINGS if one in results}
    write_result("accuracy", {"results": results})
    (RESULTS / "accuracy.md").write_text(table(results), "utf-8")


def measure(detector: str, name: str, options: argparse.Namespace, data: Path, folder: Path) -> list[dict[str, Any]]:
    """A row a seed of one detector on one data set."""
    annotations = DATA[name].annotations(data / name, folder / f"{name}.json")
    training = {"evaluate_every": 0} | ({"epochs": options.epochs, "warmup_epochs": 0} if options.epochs else {})
    rows = []
    for seed in options.seeds[: 1 if options.time else None]:
        config = settings(detector, name, seed=seed, **training)
        if options.time:
            config = config.replace(data={"test_subset": ["nothing"]})
        rows.append(run(config, annotations, folder / name, folder / f"{detector}_{name}_{seed}"))
        print(json.dumps({"detector": detector, "data": name, **rows[-1]}), flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="*", help=f"{', '.join(DATA)}; by default all")
    parser.add_argument("--detector", nargs="+", choices=first_stages(), default=first_stages(), help="by default all")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--time", action="store_true", help="only how long training takes")
    parser.add_argument("--epochs", type=int, help="other epochs than the preset's; nothing is written")
    options = parser.parse_args()
    names = options.data or list(DATA)
    data = shared_folder(*(f"data/{name}" for name in names)) / "data"
    taken: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name in names:
            (folder / name).mkdir()
            DATA[name].features(data / name, folder / name)
            for detector in options.detector:
                rows = measure(detector, name, options, data, folder)
                taken += [{"detector": detector, "data": name, **row} for row in rows]
                if not (options.time or options.epochs):
                    keep(detector, name, rows)
    if options.time and not options.epochs:
        write_result("minutes", {"training": taken})
    print(machine())


if __name__ == "__main__":
    main()
