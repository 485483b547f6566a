"""Calibration and thresholds on videos that were not used for them; writes benchmarks/results/calibration.json

    python benchmarks/calibration.py [--runs RUN ...]

Published detections of THUMOS14 (ActionFormer, AutoLoc) and ActivityNet 1.2 (AutoLoc), or with --runs those of trained
runs on their evaluation subset alone, put beside the figures that are there. The videos are cut into halves at random,
five times: what one half says of scores, precision and recall is compared with what is true in the other.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from common import read_result, shared_folder, write_result
from evaluation import thumos14

from actionformer.core.annotations import Annotations
from actionformer.core.detections import Detections
from actionformer.evaluation.calibration import calibrate, outcomes, reliability
from actionformer.formats.annotations import read_annotations
from actionformer.formats.detections import read_results
from actionformer.recipes.evaluate import search_subset

HALVINGS = 5
TIOU = 0.5
Found = Mapping[str, Detections]


def halves(annotations: Annotations, seed: int) -> list[Annotations]:
    """The videos in two parts of the same size."""
    order = np.random.default_rng(seed).permutation(sorted(annotations.videos))
    parts = order[::2], order[1::2]
    return [Annotations({str(id_): annotations.videos[id_] for id_ in ids}, annotations.class_names) for ids in parts]


def row(annotations: Annotations, detections: Found, seed: int) -> dict[str, float]:
    """What one half says, and what is true in the other."""
    first, second = halves(annotations, seed)
    measured = calibrate(first, detections, tiou=TIOU)
    held_out = outcomes(second, detections, TIOU)
    probabilities = measured.curve.probability(held_out.scores)
    least = np.append(measured.thresholds(annotations.class_names), measured.overall.threshold)[held_out.labels]
    shown = probabilities >= least
    right = int((shown & held_out.hits).sum())
    return {
        "error_before": reliability(held_out.scores, held_out.hits).error,
        "error_after": reliability(probabilities, held_out.hits).error,
        "precision_told": measured.overall.precision,
        "precision": right / max(int(shown.sum()), 1),
        "recall_told": measured.overall.recall,
        "recall": right / len(held_out.truths),
    }


def measure(annotations: Annotations, detections: Found) -> dict[str, Any]:
    """The mean over all halvings, and how far precision and recall were at most from what was told."""
    rows = [row(annotations, detections, seed) for seed in range(HALVINGS)]
    means = {name: float(np.mean([one[name] for one in rows])) for name in rows[0]}
    off = {
        f"{name}_off_at_most": max(abs(one[name] - one[f"{name}_told"]) for one in rows)
        for name in ("precision", "recall")
    }
    cross_fitted = calibrate(annotations, detections, tiou=TIOU)
    errors = {"error_before": cross_fitted.before.error, "error_after": cross_fitted.after.error}
    counts = {"videos": len(annotations), "actions": cross_fitted.actions}
    return {**counts, "halves": {**means, **off}, "cross_fitted": errors}


def published() -> dict[str, tuple[Annotations, Found]]:
    data = shared_folder("data/thumos14", "data/autoloc") / "data"
    annotations, detections = thumos14(data / "thumos14")
    sets: dict[str, tuple[Annotations, Found]] = {"ActionFormer THUMOS14": (annotations.subset("test"), detections)}
    for name, file in {"AutoLoc THUMOS14": "thumos14_test", "AutoLoc ActivityNet 1.2": "activitynet12_val"}.items():
        truth = read_annotations(data / "autoloc" / f"{file}_autoloc_gt.json")
        sets[name] = truth, read_results(data / "autoloc" / f"{file}_autoloc_results.json")
    return sets


def trained(runs: Sequence[Path]) -> dict[str, tuple[Annotations, Found]]:
    searched = {run.name: search_subset(run) for run in runs}
    return {name: (one.truth, one.detections) for name, one in searched.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, nargs="*", default=[], help="trained runs, named as their folders")
    runs = parser.parse_args().runs
    figures = {name: measure(*one) for name, one in (trained(runs) if runs else published()).items()}
    for name, one in figures.items():
        rounded = {key: round(value, 4) for key, value in one["halves"].items()}
        print(f"{name}: {one['videos']} videos, {one['actions']} actions: {rounded}")
    before = read_result("calibration").get("results", {})
    write_result("calibration", {"tiou": TIOU, "halvings": HALVINGS, "results": before | figures})


if __name__ == "__main__":
    main()
