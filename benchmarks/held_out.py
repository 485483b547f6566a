"""Changes of settings, judged on people held out of `training`: writes benchmarks/results/held_out.json and held_out.md

    python benchmarks/held_out.py [hapt_1 ... gtea salads_4 salads_5] [--detector temporalmaxer] [--seeds 0 1]
        [--change data.center_videos=true ...] [--work FOLDER]

No `test` video is looked at, so that settings can be chosen here. Without --change, derived settings as they are. What
is held out has never been seen, also by what made the features:

    hapt_1, hapt_2, hapt_3   every third person of `training`, from the first, second or third on
    gtea                     the second person, found by a model of the third and fourth; features of split 2
    salads_4, salads_5       those of split 1's training videos that split 4, or 5, tests on; its features

Beside the mean of all classes is that of classes with four actions or more among the held-out ones: a class with a
single one, of which GTEA has two, moves the mean of ten classes by up to ten points. What is in the results is not
trained again.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
import warnings
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import tomlkit
from accuracy import DATA
from common import RESULTS, first_stages, read_result, shared_folder, write_result
from people import person_of
from protocols import PROTOCOLS

from actionformer import score, train
from actionformer.core.run_files import DETECTIONS
from actionformer.formats.annotations import read_annotations
from actionformer.formats.detections import read_results
from actionformer.settings.config import merged

FOLDS = ("hapt_1", "hapt_2", "hapt_3", "gtea", "salads_4", "salads_5")
FEW = 4
"""Actions of a class below which its average precision is luck."""
Database = dict[str, Any]


def prepared(fold: str, folder: Path) -> tuple[Path, Sequence[Path]]:
    """Annotations with the subsets `training` and `validation`, and features."""
    name, _, number = fold.partition("_")
    source = shared_folder() / "data" / name
    if name == "hapt":
        features = [folder / "hapt"]
        if not features[0].is_dir():
            features[0].mkdir(parents=True)
            DATA[name].features(source, features[0])
        videos = _database(source / "annotations.json")
        people = sorted({person_of(video) for video, one in videos.items() if one["subset"] == "training"})
        held_out = {video for video in videos if person_of(video) in people[int(number) - 1 :: 3]}
    else:
        protocol, split = PROTOCOLS[name], number or "2"
        features = protocol.features(source, split, folder)
        videos = _database(protocol.annotations(source, "1", folder))
        tested = _database(protocol.annotations(source, split, folder))
        held_out = {video for video in videos if tested[video]["subset"] == "test"}
    content = {
        video: one | {"subset": "validation" if video in held_out else "training"}
        for video, one in videos.items()
        if one["subset"] == "training"
    }
    file = folder / f"{fold}.json"
    file.write_text(json.dumps({"database": content}), "utf-8")
    return file, features


def _database(file: Path) -> Database:
    content: Database = json.loads(file.read_text("utf-8"))["database"]
    return content


def settings_of(detector: str, seed: int, changes: Sequence[str]) -> dict[str, Any]:
    """What is given of a training's settings."""
    settings: dict[str, Any] = {"training": {"evaluate_every": 0, "seed": seed}, "model": {"detector": detector}}
    for change in changes:
        settings = merged(settings, tomlkit.parse(change).unwrap())
    return settings


def measure(fold: str, detector: str, seed: int, changes: Sequence[str], work: Path) -> dict[str, Any]:
    """Trains once; returns its row, in percent."""
    started = time.perf_counter()
    annotations, features = prepared(fold, work)
    run = work / "run"
    train("auto", annotations, features, run, settings=settings_of(detector, seed, changes), overwrite=True)
    truth = read_annotations(annotations).subset("validation")
    found = score(truth, read_results(run / DETECTIONS))
    counts = np.bincount(
        np.concatenate([one.labels for one in truth.videos.values()]), minlength=len(truth.class_names)
    )
    frequent = [found.per_class[name] for name, count in zip(truth.class_names, counts, strict=True) if count >= FEW]
    return {
        "fold": fold,
        "detector": detector,
        "seed": seed,
        "changes": sorted(changes),
        "average": 100 * found.average,
        "frequent": 100 * float(np.mean(frequent)),
        "minutes": (time.perf_counter() - started) / 60,
    }


def read() -> list[dict[str, Any]]:
    """What was measured before."""
    found: list[dict[str, Any]] = read_result("held_out").get("results", [])
    return found


def table(rows: list[dict[str, Any]]) -> str:
    """Markdown: a row a detector and changes, a column a fold; mean of the seeds, of all classes / of frequent ones."""
    folds = [fold for fold in FOLDS if fold in {row["fold"] for row in rows}]
    lines = ["| detector | changes | " + " | ".join(folds) + " |", "|---" * (2 + len(folds)) + "|"]
    kinds = sorted({(row["detector"], tuple(row["changes"])) for row in rows})
    for detector, changes in kinds:
        cells = []
        for fold in folds:
            own = [
                row
                for row in rows
                if (row["detector"], tuple(row["changes"]), row["fold"]) == (detector, changes, fold)
            ]
            all_, frequent = ([row[name] for row in own] for name in ("average", "frequent"))
            cells.append(f"{np.mean(all_):.1f} / {np.mean(frequent):.1f} ({len(own)})" if own else "")
        lines.append(f"| {detector} | {', '.join(changes) or 'none'} | " + " | ".join(cells) + " |")
    told = (
        f"Average mAP over tIoU 0.3 to 0.7, mean of seeds (how many): all classes / those with {FEW} or more actions."
    )
    return "\n".join([*lines, "", told, ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folds", nargs="*", help=f"{', '.join(FOLDS)}; by default all")
    parser.add_argument("--detector", choices=first_stages(), default="temporalmaxer")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--change", nargs="+", default=[], help="section.setting=value, as a TOML file has it")
    parser.add_argument("--work", type=Path, help="where features are kept; by default they are not")
    options = parser.parse_args()
    changes = sorted(options.change)
    with tempfile.TemporaryDirectory() as temporary:
        for seed, fold in product(options.seeds, options.folds or FOLDS):
            key = {"fold": fold, "detector": options.detector, "seed": seed, "changes": changes}
            if any(key.items() <= row.items() for row in read()):
                continue
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of these data sets, known
                row = measure(fold, options.detector, seed, changes, options.work or Path(temporary))
            print(json.dumps(row), flush=True)
            rows = [*read(), row]
            write_result("held_out", {"results": rows})
            (RESULTS / "held_out.md").write_text(table(rows), "utf-8")


if __name__ == "__main__":
    main()
