"""Derived settings against the best hand-set ones: writes benchmarks/results/auto.json and auto.md.

    python benchmarks/auto.py [demo] [gtea] [hapt] [salads] [--seeds 0 1 2]

Trains what `train auto` trains, with no option but the seed, and scores `test` once a seed, at the end. The rules were
chosen on videos held out of `training` (docs/accuracy.md). Hand-set figures are those of benchmarks/accuracy.py; the
demo's settings (`recipes.demo.CONFIG`) are trained here, on the demo's own videos. What is in the results is not
trained again: a run that was stopped is simply made again.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from accuracy import DATA, run
from common import RESULTS, read_result, shared_folder, write_result

from actionformer.advice.advised import Advised
from actionformer.demo.synthetic import make
from actionformer.recipes.advise import advise
from actionformer.recipes.demo import BACKBONE, CONFIG, NUM_FRAMES, STRIDE
from actionformer.recipes.extract import extract

Rows = dict[str, list[dict[str, Any]]]
"""Data -> a row a seed."""
DEMO = "demo"


def prepared(name: str, folder: Path) -> tuple[Path, Path]:
    """Annotations and features of a data set."""
    features = folder / name
    features.mkdir()
    if name == DEMO:
        data = make(folder / "made")
        extract(data.videos, BACKBONE, features, stride=STRIDE, num_frames=NUM_FRAMES, workers=os.cpu_count())
        return data.annotations, features
    source = shared_folder(f"data/{name}") / "data" / name
    DATA[name].features(source, features)
    return DATA[name].annotations(source, folder / f"{name}.json"), features


def derived(annotations: Path, features: Path, seed: int) -> Advised:
    """The settings of `train auto`, for a seed, without evaluation on the way."""
    return advise(annotations, features=features, settings={"training": {"seed": seed, "evaluate_every": 0}})


def keep(kind: str, name: str, row: dict[str, Any], settings: dict[str, str] | None = None) -> None:
    """Puts a row beside those that are there now."""
    before = read_result("auto")
    results: dict[str, Rows] = before.get("results", {"auto": {}, "hand": {}})
    rows = [one for one in results[kind].get(name, []) if one["seed"] != row["seed"]] + [row]
    results[kind][name] = sorted(rows, key=lambda one: int(one["seed"]))
    said = before.get("settings", {}) | ({name: settings} if settings else {})
    write_result("auto", {"results": results, "settings": said})
    (RESULTS / "auto.md").write_text(table(results["auto"], hand_set() | results["hand"]), "utf-8")


def hand_set() -> Rows:
    """The rows of the presets."""
    found: Rows = read_result("accuracy")["results"]["actionformer"]
    return found


def table(auto: Rows, hand: Rows) -> str:
    """A row a data set: mean and deviation of the seeds that both have."""
    lines = ["| data | seeds | hand-set | auto | difference |", "|---|---|---|---|---|"]
    for name, rows in auto.items():
        seeds = sorted({one["seed"] for one in rows} & {one["seed"] for one in hand.get(name, [])})
        if not seeds:
            continue
        both = [np.array([one["average"] for one in side if one["seed"] in seeds]) for side in (hand[name], rows)]
        spread = [f" ± {one.std(ddof=1):.1f}" if len(seeds) > 1 else "" for one in both]
        cells = [f"{one.mean():.1f}{deviation}" for one, deviation in zip(both, spread, strict=True)]
        difference = both[1].mean() - both[0].mean()
        lines.append(f"| {name} | {', '.join(map(str, seeds))} | {' | '.join(cells)} | {difference:+.1f} |")
    return "\n".join(lines) + "\n"


def measure(name: str, seeds: list[int], folder: Path) -> None:
    """Trains the seeds that are missing."""
    results = read_result("auto").get("results", {"auto": {}, "hand": {}})
    done = {kind: {row["seed"] for row in results[kind].get(name, [])} for kind in ("auto", "hand")}
    if set(seeds) <= done["auto"] & (done["hand"] if name == DEMO else done["auto"]):
        return
    annotations, features = prepared(name, folder)
    for seed in seeds:
        if seed not in done["auto"]:
            said = derived(annotations, features, seed)
            row = run(said.config, annotations, features, folder / f"auto_{name}_{seed}")
            keep("auto", name, row, {one.name: str(one.value) for one in said.advice})
            print(json.dumps({"auto": name, **row}), flush=True)
        if name == DEMO and seed not in done["hand"]:
            config = CONFIG.replace(training={"seed": seed, "evaluate_every": 0})
            row = run(config, annotations, features, folder / f"hand_{name}_{seed}")
            keep("hand", name, row)
            print(json.dumps({"hand": name, **row}), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="*", help=f"{DEMO}, {', '.join(DATA)}; by default all")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options = parser.parse_args()
    for name in options.data or [DEMO, *DATA]:
        with tempfile.TemporaryDirectory() as folder:
            measure(name, options.seeds, Path(folder))
    print((RESULTS / "auto.md").read_text("utf-8"))


if __name__ == "__main__":
    main()
