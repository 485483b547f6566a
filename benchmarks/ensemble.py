"""Ensembles against their members, on videos held out of `training`; writes benchmarks/results/ensemble.*

    python benchmarks/ensemble.py [hapt] [salads] [gtea] [--detectors temporalmaxer ...] [--seeds 3] [--work FOLDER]

Settings are those that `train auto` derives. The evaluation subset is not looked at: a quarter of the training videos
is held out, the same for all seeds. With --work runs are kept there, and a call that was stopped goes on.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from accuracy import DATA
from common import RESULTS, read_result, write_result
from rivals import prepared

from actionformer import ensemble, evaluate, train
from actionformer.core.run_files import METRICS, OVERVIEW
from actionformer.data.split import split
from actionformer.formats.annotations import read_annotations

HELD_OUT = 0.25
Rows = dict[str, dict[str, Any]]
"""Data -> detector -> mAP of each seed and of all together, in percent."""


def divided(annotations: Path, file: Path) -> Path:
    """Annotations whose videos to evaluate on are held out of `training`; those of `test` are left out."""
    held_out = set(split(read_annotations(annotations).subset("training"), HELD_OUT, seed=0).held_out)
    content = json.loads(annotations.read_text("utf-8"))
    kept = {name: one for name, one in content["database"].items() if one["subset"].lower() == "training"}
    for name, video in kept.items():
        video["subset"] = "validation" if name in held_out else "training"
    file.write_text(json.dumps({"database": kept}), "utf-8")
    return file


def measure(name: str, detector: str, seeds: int, folder: Path) -> dict[str, Any]:
    """mAP of each seed and of their ensemble."""
    given = prepared(name, folder)
    annotations = divided(given["annotations"], folder / f"{name}_split.json")
    runs, each = [folder / name / detector / f"seed{seed}" for seed in range(seeds)], []
    for seed, run in enumerate(runs):
        if not all((run / file).is_file() for file in (METRICS, OVERVIEW)):
            settings: dict[str, dict[str, Any]] = {
                "model": {"detector": detector},
                "training": {"seed": seed, "evaluate_every": 0},
            }
            train("auto", annotations, given["features"], run, resume=run.is_dir(), settings=settings)
        each.append(100 * evaluate(run).average)
    together = ensemble(runs, folder / name / detector / "together", overwrite=True)
    assert together.config.model.model_dump()["members"] == seeds
    return {"seeds": each, "ensemble": 100 * evaluate(folder / name / detector / "together").average}


def table(rows: Rows) -> str:
    """Markdown: a row a data set and detector."""
    lines = ["| data | detector | seeds | mean | ensemble |", "|---|---|---|---|---|"]
    for name, of in rows.items():
        for detector, row in of.items():
            each = ", ".join(f"{value:.1f}" for value in row["seeds"])
            lines.append(f"| {name} | {detector} | {each} | {np.mean(row['seeds']):.1f} | {row['ensemble']:.1f} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="*", help=f"{', '.join(DATA)}; by default all")
    parser.add_argument("--detectors", nargs="+", default=["temporalmaxer"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--work", type=Path, help="where runs are kept; by default they are not")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        for name in options.data or list(DATA):
            for detector in options.detectors:
                row = measure(name, detector, options.seeds, options.work or Path(temporary))
                rows: Rows = read_result("ensemble").get("results", {})
                rows.setdefault(name, {})[detector] = row
                write_result("ensemble", {"results": rows})
                (RESULTS / "ensemble.md").write_text(table(rows), "utf-8")
                print(table({name: {detector: row}}), flush=True)


if __name__ == "__main__":
    main()
