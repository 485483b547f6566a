"""Each person of HAPT's recordings in turn is found by a model of the 29 others; writes benchmarks/results/people.*

    python benchmarks/people.py [--detectors actionformer tridet ...] [--work FOLDER] [--people 1 2 ...] [--epochs N]

The protocol of the published comparison of detectors on inertial data (there the data set is called SBHAR), with the
settings that `train auto` derives: the three axes of the accelerometer alone, windows of 50 samples every 25, 150
channels. mAP at tIoU 0.3 to 0.7 is of each person, then their mean; normalised mAP (DETAD) is of what all models find
in the people they have not seen, pooled, in all and by the length of actions. A run a person is kept in --work, and a
call that was stopped goes on. With --people, or with other epochs than the derived ones, it writes nothing: to see that
it runs.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from collections.abc import Container, Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from accuracy import TIOU
from common import RESULTS, first_stages, read_result, shared_folder, write_result

from actionformer import train
from actionformer.core.annotations import Annotations
from actionformer.core.detections import Detections
from actionformer.core.run_files import DETECTIONS, OVERVIEW
from actionformer.datasets import hapt
from actionformer.detectors.index import SETTINGS
from actionformer.evaluation.report import score
from actionformer.evaluation.sensitivity import find
from actionformer.features import write_sidecar
from actionformer.formats.annotations import read_annotations
from actionformer.formats.detections import read_results

AXES = 3
"""Of the accelerometer, which come first."""
BANDS = (0, 3, 6, 12, 18, np.inf)
"""Seconds between which the lengths of actions lie that are looked at together."""
PUBLISHED: dict[str, tuple[float, list[float]]] = {
    "actionformer": (94.32, [63.8, 74.2, 79.0, 97.0, 98.0]),
    "tridet": (93.98, [75.7, 72.9, 77.8, 96.3, 97.9]),
    "temporalmaxer": (93.87, []),
}
"""Normalised mAP as published, in percent: of all actions, and by length where that was published."""


def features(source: Path, folder: Path) -> Path:
    """Windows of the accelerometer, flattened axis by axis: (T, 150)."""
    if not folder.is_dir():
        folder.mkdir(parents=True)
        with np.load(source / "raw_50hz_acc_gyro.npz") as recordings:
            for name, samples in recordings.items():
                np.save(folder / f"{name}.npy", hapt.windows(samples[:, :AXES]))
                write_sidecar(folder / f"{name}.npy", hapt.SPEC)
    return folder


def person_of(recording: str) -> int:
    """Who wears the phone in a recording such as `exp01_user01`."""
    return int(re.fullmatch(r"exp\d+_user(\d+)", recording)[1])  # type: ignore[index]


def of_people(every: Annotations, people: Container[int]) -> Annotations:
    """The recordings of some people."""
    return replace(every, videos={name: one for name, one in every.videos.items() if person_of(name) in people})


def without(source: Path, person: int, file: Path) -> Path:
    """Annotations in which the recordings of one person are `test`, and all others `training`."""
    content = json.loads((source / "annotations.json").read_text("utf-8"))
    for name, video in content["database"].items():
        video["subset"] = "test" if person_of(name) == person else "training"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content), "utf-8")
    return file


def found_in(detector: str, person: int, source: Path, work: Path, epochs: int | None) -> dict[str, Detections]:
    """What a model of the others finds in one person's recordings."""
    run = work / (f"{detector}_{epochs}" if epochs else detector) / f"person_{person:02d}"
    if not (run / OVERVIEW).is_file():  # what a run writes last of its model
        training = {"evaluate_every": 0} | ({"epochs": epochs, "warmup_epochs": 0} if epochs else {})
        settings: dict[str, Any] = {"training": training, "model": {"detector": detector}}
        annotations = without(source, person, work / "annotations" / f"person_{person:02d}.json")
        own = features(source, work / "features")
        train("auto", annotations, own, run, settings=settings, resume=run.is_dir())
    return read_results(run / DETECTIONS)


def figures(every: Annotations, found: Mapping[int, Mapping[str, Detections]]) -> dict[str, Any]:
    """mAP of each person and its mean, and normalised mAP of all together, in percent."""
    thresholds = [float(one) for one in TIOU]
    people = {}
    for person, own in found.items():
        report = score(of_people(every, [person]), own, tiou=thresholds)
        people[person] = {**dict(zip(TIOU, report.map, strict=True)), "average": report.average}
    columns = (*TIOU, "average")
    pooled = find(every, {name: one for own in found.values() for name, one in own.items()}, np.array(thresholds))
    lengths = pooled.truths.segments[:, 1] - pooled.truths.segments[:, 0]
    bands = [(lengths >= low) & (lengths < high) for low, high in pairwise(BANDS)]
    return {
        "people": {person: {name: 100 * row[name] for name in columns} for person, row in people.items()},
        "mean": {name: 100 * float(np.mean([row[name] for row in people.values()])) for name in columns},
        "normalised": 100 * pooled.normalized_map(),
        "normalised_by_length": [100 * pooled.normalized_map(band) for band in bands],
        "actions_by_length": [int(band.sum()) for band in bands],
    }


def table(results: Mapping[str, Any]) -> str:
    """Markdown: a row a detector, with the published figures beside."""
    bands = pairwise(BANDS[1:-1])
    names = [f"under {BANDS[1]} s", *(f"{low} to {high} s" for low, high in bands), f"over {BANDS[-2]} s"]
    columns = ["detector", "whose", "mAP, mean of people", "normalised mAP", *names]
    lines = ["| " + " | ".join(columns) + " |", "|---" * len(columns) + "|"]
    for detector, one in results.items():
        cells = [f"{one['mean']['average']:.1f}", f"{one['normalised']:.2f}"]
        lines.append(_row([detector, "ours", *cells, *(f"{value:.1f}" for value in one["normalised_by_length"])]))
        if detector in PUBLISHED:
            overall, by_length = PUBLISHED[detector]
            cells = [f"{value:.1f}" for value in by_length] or [""] * len(names)
            lines.append(_row([detector, "published", "", f"{overall:.2f}", *cells]))
    return "\n".join(lines) + "\n"


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--detectors", nargs="+", choices=first_stages(), default=["actionformer"])
    parser.add_argument("--people", type=int, nargs="+", help="by default all 30")
    parser.add_argument("--work", type=Path, help="where runs are kept; by default they are not")
    parser.add_argument("--epochs", type=int, help="other epochs than the derived ones")
    options = parser.parse_args()
    source = shared_folder("data/hapt") / "data" / "hapt"
    every = read_annotations(source / "annotations.json")
    people = options.people or sorted({person_of(name) for name in every.videos})
    every = of_people(every, people)
    results: dict[str, Any] = read_result("people").get("results", {})
    with tempfile.TemporaryDirectory() as temporary:
        work = options.work or Path(temporary)
        for detector in options.detectors:
            found = {}
            for person in people:
                found[person] = found_in(detector, person, source, work, options.epochs)
                print(f"{detector}: person {person} is done ({len(found)} of {len(people)})", flush=True)
            results[detector] = figures(every, found)
            print(table({detector: results[detector]}), flush=True)
    if not (options.people or options.epochs):
        results = {one: results[one] for one in SETTINGS if one in results}
        write_result("people", {"results": results})
        (RESULTS / "people.md").write_text(table(results), "utf-8")


if __name__ == "__main__":
    main()
