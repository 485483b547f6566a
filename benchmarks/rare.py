"""Whether repeating videos with rare classes helps: HAPT in pieces of half a minute, one class with three actions.

    python benchmarks/rare.py [--seeds 0 1] [--epochs 5]

Recordings of the training subset are cut into pieces, and pieces with the class are left out until three of its actions
remain. A small network learns from the others, with and without `training.repeat_rare`, for about as many steps: where
epochs are longer there are fewer. Scored are the recordings of the test subset, whole. Every run is written to
benchmarks/results/rare.json when it is done, and runs that are there are not made again.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from accuracy import hapt_features
from common import read_result, shared_folder, write_result

from actionformer import Config, load_config, train
from actionformer.data.rarity import repeat_factors
from actionformer.datasets import hapt
from actionformer.features import write_sidecar
from actionformer.formats.annotations import read_annotations

RARE, LEFT = "STAND_TO_LIE", 3
PIECE = 64
"""Features, half a second each."""
THRESHOLDS = (0.0, 0.3)


def thinned(source: Path, folder: Path) -> tuple[Path, list[Any]]:
    """Writes features and annotations of the thinned data; returns the annotations and the classes of each piece."""
    whole, features = folder / "whole", folder / "features"
    for made in (whole, features):
        made.mkdir()
    hapt_features(source, whole)
    every = read_annotations(source / "annotations.json")
    rare, left = every.class_names.index(RARE), LEFT
    database: dict[str, Any] = {}
    labels: list[Any] = []
    for id_, video in every.videos.items():
        array = np.load(whole / f"{id_}.npy")
        training = video.subset == "training"
        for first in range(0, len(array), PIECE) if training else [0]:
            rows = array[first : first + PIECE] if training else array
            offset, end = 0.5 * first, 0.5 * (first + len(rows))
            inside = video.segments.clip(offset, end) - offset
            lengths = np.diff(video.segments)[:, 0]
            kept = np.diff(inside)[:, 0] >= 0.5 * lengths
            if training:
                count = int((video.labels[kept] == rare).sum())
                if len(rows) < PIECE // 2 or count > left:
                    continue
                left -= count
                labels.append(video.labels[kept])
            name = f"{id_}_{first}"
            np.save(features / f"{name}.npy", rows)
            write_sidecar(features / f"{name}.npy", hapt.SPEC)
            actions = zip(inside[kept].tolist(), video.labels[kept].tolist(), strict=True)
            database[name] = {
                "subset": video.subset,
                "annotations": [{"segment": one, "label": every.class_names[i], "label_id": i} for one, i in actions],
            }
    file = folder / "annotations.json"
    file.write_text(json.dumps({"database": database}), "utf-8")
    return file, labels


def settings(threshold: float, seed: int, epochs: int) -> Config:
    """A quarter of the preset's width, which learns this in minutes."""
    training = {"epochs": epochs, "warmup_epochs": 2, "batch_size": 8, "evaluate_every": 0, "seed": seed}
    model = {"width": 64, "max_length": 1536}
    return load_config("hapt", {"model": model, "training": training | {"repeat_rare": threshold}})


def run(threshold: float, seed: int, epochs: int, folder: Path, annotations: Path, labels: list[Any]) -> dict[str, Any]:
    """Trains one seed; figures in percent."""
    longer = float(repeat_factors(labels, threshold).mean())
    out = folder / f"run_{threshold:g}_{seed}"
    train(settings(threshold, seed, round(epochs / longer)), annotations, folder / "features", out)
    report = json.loads((out / "evaluation.json").read_text("utf-8"))
    ap = {name: 100 * float(np.mean(values)) for name, values in report["per_class"].items()}
    others = float(np.mean([value for name, value in ap.items() if name != RARE]))
    return {"repeat_rare": threshold, "seed": seed, "rare": ap[RARE], "others": others, "map": 100 * report["average"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--epochs", type=int, default=5)
    options = parser.parse_args()
    source = shared_folder("data/hapt") / "data" / "hapt"
    runs = {(one["repeat_rare"], one["seed"]): one for one in read_result("rare").get("runs", [])}
    with tempfile.TemporaryDirectory() as temporary:
        annotations, labels = thinned(source, Path(temporary))
        for seed in options.seeds:
            for threshold in THRESHOLDS:
                if (threshold, seed) not in runs:
                    runs[threshold, seed] = run(threshold, seed, options.epochs, Path(temporary), annotations, labels)
                    content = {"rare": RARE, "actions": LEFT, "pieces": len(labels), "epochs": options.epochs}
                    write_result("rare", {**content, "runs": list(runs.values())})
                    print(runs[threshold, seed], flush=True)
    for threshold in THRESHOLDS:
        rows = [one for key, one in runs.items() if key[0] == threshold]
        means = ", ".join(f"{name} {np.mean([one[name] for one in rows]):.1f}" for name in ("rare", "others", "map"))
        print(f"repeat_rare {threshold:g}: {means} ({len(rows)} seeds)")


if __name__ == "__main__":
    main()
