"""Sound events in noise, and how fast sound becomes features: writes benchmarks/results/sounds.json.

    python benchmarks/sounds.py [logmel] [yamnet] [--seeds 0 1 2] [--weights PATH]

Makes tones, clapping and speech-like sound under noise (`demo.sounds`), trains what `train auto --videos` trains on
them, and scores the recordings of `test` once, at the end. Ten minutes of stereo AAC are decoded and encoded. A seed is
that of data and of training. What is in the results is not measured again: a run that was stopped is simply made again.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from common import read_result, shared_folder, write_result
from recordings import write_noise

from actionformer.backbones import load_backbone
from actionformer.core.memory import AnonymousPeak
from actionformer.demo.sounds import make
from actionformer.recipes.extract import extract
from actionformer.recipes.train import train
from actionformer.settings.config import Changes
from actionformer.sound import SoundReader

BACKBONES = ("logmel", "yamnet")
MINUTES = 10


def accuracy(backbone: str, weights: tuple[Path, ...], seed: int, folder: Path) -> dict[str, Any]:
    """mAP, as shares of 1, of a model on the recordings that it did not learn from."""
    data = make(folder / "data", seed=seed)
    settings: Changes = {"data": {"test_subset": ["test"]}, "training": {"seed": seed, "evaluate_every": 0}}
    begun = time.process_time()
    train(
        "auto", data.annotations, videos=data.recordings, backbone=backbone, weights=weights,
        out=folder / "run", settings=settings,
    )  # fmt: skip
    found = json.loads((folder / "run" / "evaluation.json").read_text("utf-8"))
    return {
        "seed": seed,
        "tiou": found["tiou"],
        "map": [round(value, 4) for value in found["map"]],
        "processor_minutes": round((time.process_time() - begun) / 60, 1),
    }


def speed(backbone: str, weights: tuple[Path, ...], folder: Path) -> dict[str, Any]:
    """Processor seconds for an hour of sound, of reading alone and of all, and the memory that reading takes."""
    path = write_noise(folder / "noise.m4a", MINUTES)
    begun = time.process_time()
    with AnonymousPeak() as peak, SoundReader(path) as sound:
        before = peak.mib
        for _ in sound.samples():
            pass
    read, begun = time.process_time() - begun, time.process_time()
    extract(path, load_backbone(backbone, weights), folder / "features", workers=0)
    return {
        "reading_processor_seconds_per_hour": round(60 / MINUTES * read, 1),
        "all_processor_seconds_per_hour": round(60 / MINUTES * (time.process_time() - begun), 1),
        "reading_mib": None if before is None or peak.mib is None else round(peak.mib - before, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("backbones", nargs="*", help=f"{', '.join(BACKBONES)}; by default both")
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2], help="none: speed alone")
    parser.add_argument("--weights", type=Path, help="of yamnet; by default those of ../shared")
    options = parser.parse_args()
    for backbone in options.backbones or BACKBONES:
        weights: tuple[Path, ...] = ()
        if backbone == "yamnet":
            weights = (options.weights or shared_folder("data/weights") / "data" / "weights",)
        if "speed" not in kept(backbone):
            with tempfile.TemporaryDirectory() as folder:
                keep(backbone, speed=speed(backbone, weights, Path(folder)))
        for seed in options.seeds:
            done = kept(backbone).get("accuracy", [])
            if seed not in {row["seed"] for row in done}:
                with tempfile.TemporaryDirectory() as folder:
                    row = accuracy(backbone, weights, seed, Path(folder))
                keep(backbone, accuracy=sorted([*done, row], key=lambda one: int(one["seed"])))


def kept(backbone: str | None = None) -> dict[str, Any]:
    """What was measured before, of all or of one."""
    found: dict[str, Any] = read_result("sounds").get("results", {})
    return found if backbone is None else found.get(backbone, {})


def keep(backbone: str, **measured: Any) -> None:
    """Puts figures of a backbone beside those that are there."""
    results = kept()
    results[backbone] = results.get(backbone, {}) | measured
    write_result("sounds", {"results": results})
    print(json.dumps({backbone: measured}), flush=True)


if __name__ == "__main__":
    main()
