"""Finished runs without their weights, kept among the results: the tables of `rivals.py` are made of them.

So a table holds runs of several days and machines, its intervals and tests are of all of them, and anybody can compute
it again. Detections are rounded to a millisecond and five digits of a score, which is a tenth of their size.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from common import RESULTS

from actionformer import read_annotations, read_results, score
from actionformer.core.run_files import CARD, CONFIG, DETECTIONS, METRICS, REPORT, WEIGHTS
from actionformer.model_directory import load_settings

RUNS = RESULTS / "runs"
ENDING = ".tar.xz"


def pack(run: Path, name: str) -> Path:
    """Keeps what a comparison reads of a run NAME/ENTRY/seedN, as `runs/NAME/ENTRY_seedN.tar.xz`; returns its path."""
    packed = RUNS / name / f"{run.parent.name}_{run.name}{ENDING}"
    packed.parent.mkdir(parents=True, exist_ok=True)
    card, detections = (json.loads((run / file).read_text("utf-8")) for file in (CARD, DETECTIONS))
    contents = {
        CONFIG: (run / CONFIG).read_bytes(),
        METRICS: (run / METRICS).read_bytes(),
        CARD: _compact(card | {"training": _without_folders(card["training"])}),
        DETECTIONS: _compact(_rounded(detections)),
    }
    with tarfile.open(packed, "w:xz") as archive:
        for file, content in contents.items():
            entry = tarfile.TarInfo(file)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return packed


def unpack(name: str, folder: Path, annotations: Path, there: Sequence[Path] = ()) -> list[Path]:
    """The kept runs that are not `there` as well, as run directories in a folder: evaluated, their weights empty."""
    known = {(run.parent.name, run.name) for run in there}
    found = []
    for packed in sorted((RUNS / name).glob(f"*{ENDING}")):
        entry, _, seed = packed.name.removesuffix(ENDING).rpartition("_")
        if (entry, seed) in known:
            continue
        run = folder / entry / seed
        run.mkdir(parents=True, exist_ok=True)
        with tarfile.open(packed) as archive:
            archive.extractall(run, filter="data")
        (run / WEIGHTS).touch()
        _evaluate(run, annotations)
        found.append(run)
    return found


def _evaluate(run: Path, annotations: Path) -> None:
    config, _ = load_settings(run)
    truth = read_annotations(annotations).subset(config.data.test_subset)
    report = score(truth, read_results(run / DETECTIONS), tiou=config.evaluation.tiou)
    (run / REPORT).write_text(json.dumps({"tiou": config.evaluation.tiou, "map": report.map}), "utf-8")


def _rounded(detections: dict[str, Any]) -> dict[str, Any]:
    rows = {
        video: [
            one | {"score": round(one["score"], 5), "segment": [round(second, 3) for second in one["segment"]]}
            for one in of_video
        ]
        for video, of_video in detections["results"].items()
    }
    return detections | {"results": rows}


def _without_folders(training: dict[str, Any]) -> dict[str, Any]:
    """What a card says of a training, its files and folders without the places where they lay."""
    changed: dict[str, Any] = {}
    for key in ("annotations", "features", "proposals"):
        match training.get(key):
            case str(path):
                changed[key] = Path(path).name
            case [*paths]:
                changed[key] = [Path(path).name for path in paths]
    return training | changed


def _compact(content: Any) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()
