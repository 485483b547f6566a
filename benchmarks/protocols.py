"""The splits of 50 Salads and GTEA: segments by mAP, frames by F1@k, edit score and accuracy; writes protocols.*

    python benchmarks/protocols.py [salads] [salads+accelerometers] [gtea] [--detectors temporalmaxer ...]
        [--seeds 0 1 2] [--work FOLDER] [--again]

Splits 1, 4 and 5 of 50 Salads and 1 and 2 of GTEA, each with the features of a network that was trained on its
training videos. Settings are derived from those videos, as `train auto` does; `test` is looked at once a seed, at the
end. Frames have the labels of what scores 0.3 or more, one action at a time. ED-TCN's figures beside them are made of
its published predictions, on the same splits. What is in the results is not trained again (--again does), so that a
call that was stopped goes on. With --epochs N it trains N epochs and writes nothing: to see that it runs.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from accuracy import TIOU, gtea_annotations, in_percent, unpack
from common import RESULTS, first_stages, read_result, shared_folder, write_result

from actionformer import diagnose, train
from actionformer.core.run_files import DETECTIONS
from actionformer.datasets import gtea, salads
from actionformer.evaluation.framewise import FramewiseScores, framewise_scores
from actionformer.features import FeatureSpec
from actionformer.model_directory import load_settings

FIGURES = (*TIOU, "average", "F1@10", "F1@25", "F1@50", "edit", "accuracy")


@dataclass(frozen=True)
class Protocol:
    """Splits of a data set, and what was published of them."""

    folder: str
    """Among the reference data."""
    splits: tuple[str, ...]
    archives: tuple[str, ...]
    """Of features, joined by channel; `{split}` is what the name says of the split."""
    spec: FeatureSpec
    predictions: str
    """ED-TCN's, before the number of the split."""

    def features(self, source: Path, split: str, folder: Path) -> list[Path]:
        """Folders of feature files, made where they are not there."""
        names = [archive.format(split=_marked(self.folder, split)) for archive in self.archives]
        folders = [folder / Path(name).stem for name in names]
        for name, made in zip(names, folders, strict=True):
            if not made.is_dir():
                made.mkdir(parents=True)
                unpack(source / name, made, self.spec)
        return folders

    def annotations(self, source: Path, split: str, folder: Path) -> Path:
        """The annotation file of a split."""
        if self.folder == "gtea":
            return gtea_annotations(source, folder / f"gtea_{split}.json", split)
        return source / f"annotations{_marked(self.folder, split)}.json"


def _marked(folder: str, split: str) -> str:
    """What the names of files say of a split: of 50 Salads nothing for the first."""
    return f"split{split}" if folder == "gtea" else f"_split{split}" if split != "1" else ""


SALADS = "spatialcnn_3hz{split}_fp16.npz"
SALADS_PREDICTIONS = "50Salads__mid__mid_video_ED-TCN_L2_C15"
PROTOCOLS = {
    "salads": Protocol("salads", ("1", "4", "5"), (SALADS,), salads.SPEC, SALADS_PREDICTIONS),
    "salads+accelerometers": Protocol(
        "salads", ("1", "4", "5"), (SALADS, "accelerometers_3hz.npz"), salads.SPEC, SALADS_PREDICTIONS
    ),
    "gtea": Protocol("gtea", ("1", "2"), ("gtea_spatialcnn_{split}_fp16.npz",), gtea.SPEC, "GTEA__video_ED-TCN_L2_C25"),
}
Results = dict[str, dict[str, dict[str, list[dict[str, Any]]]]]
"""Protocol -> detector -> split -> a row a seed, in percent."""


def row_of(run: Path, annotations: Path, started: float) -> dict[str, Any]:
    """The figures of a run on its test videos."""
    found = diagnose(run / DETECTIONS, annotations=annotations, subset="test", draws=1)
    assert found.framewise is not None
    return {
        **in_percent(load_settings(run)[1].metrics),
        **of_frames(found.framewise),
        "minutes": (time.perf_counter() - started) / 60,
    }


def of_frames(found: FramewiseScores) -> dict[str, float]:
    """Means over videos, in percent."""
    f1 = {f"F1@{k}": 100 * value for k, value in found.f1.items()}
    return {**f1, "edit": 100 * found.edit, "accuracy": 100 * found.accuracy}


def published(protocol: Protocol, shared: Path) -> dict[str, float]:
    """ED-TCN's figures of frames, mean over the splits of a protocol."""
    rows = []
    for split in protocol.splits:
        with np.load(shared / "data" / "tcn_predictions" / f"{protocol.predictions}__{split}.npz") as arrays:
            ids = [key.removesuffix(".truth") for key in arrays.files if key.endswith(".truth")]
            videos = [(arrays[f"{i}.predicted"].ravel(), arrays[f"{i}.truth"].ravel()) for i in ids]
        rows.append(of_frames(framewise_scores(videos, background=0)))
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def table(results: Results, shared: Path) -> str:
    """Markdown: a row a split, mean over seeds; then the mean of the splits, and ED-TCN's."""
    columns = (*FIGURES, "minutes")
    lines = ["| data | detector | split | seeds | " + " | ".join(columns) + " |", "|---" * (4 + len(columns)) + "|"]
    for name, detectors in results.items():
        for detector, splits in detectors.items():
            means = {
                split: {c: float(np.mean([row[c] for row in rows])) for c in columns} for split, rows in splits.items()
            }
            for split, mean in means.items():
                lines.append(_line([name, detector, split, str(len(splits[split]))], [mean[c] for c in columns]))
            if len(means) == len(PROTOCOLS[name].splits):
                every = [float(np.mean([mean[c] for mean in means.values()])) for c in columns]
                lines.append(_line([name, detector, "mean", ""], every))
        frames = published(PROTOCOLS[name], shared)
        lines.append(_line([name, "ED-TCN, published predictions", "mean", ""], [frames.get(c) for c in columns]))
    return "\n".join(lines) + "\n"


def _line(words: Sequence[str], values: Sequence[float | None]) -> str:
    return "| " + " | ".join([*words, *("" if value is None else f"{value:.1f}" for value in values)]) + " |"


def read() -> Results:
    """What was measured before."""
    found: Results = read_result("protocols").get("results", {})
    return found


def keep(name: str, detector: str, split: str, row: dict[str, Any], shared: Path) -> None:
    """Puts a row among the results, which another call may have changed meanwhile."""
    results = read()
    rows = results.setdefault(name, {}).setdefault(detector, {}).setdefault(split, [])
    rows[:] = sorted([*(one for one in rows if one["seed"] != row["seed"]), row], key=lambda one: one["seed"])
    results = {
        one: {d: dict(sorted(s.items())) for d, s in results[one].items()} for one in PROTOCOLS if one in results
    }
    write_result("protocols", {"results": results})
    (RESULTS / "protocols.md").write_text(table(results, shared), "utf-8")


def measure(name: str, detector: str, split: str, seed: int, work: Path, epochs: int | None) -> dict[str, Any]:
    """Trains one seed; returns its row."""
    protocol = PROTOCOLS[name]
    source = shared_folder() / "data" / protocol.folder
    started = time.perf_counter()
    features = protocol.features(source, split, work / "features")
    annotations = protocol.annotations(source, split, work / "features")
    training = {"evaluate_every": 0, "seed": seed} | ({"epochs": epochs, "warmup_epochs": 0} if epochs else {})
    settings: dict[str, Any] = {"training": training, "model": {"detector": detector}}
    run = work / f"{name}_{detector}_{split}_{seed}"
    train("auto", annotations, features, run, settings=settings, overwrite=True)
    row = {"seed": seed, **row_of(run, annotations, started)}
    print(json.dumps({"data": name, "detector": detector, "split": split, **row}), flush=True)
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="*", help=f"{', '.join(PROTOCOLS)}; by default all")
    parser.add_argument("--detectors", nargs="+", choices=first_stages(), default=["temporalmaxer", "actionformer"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--work", type=Path, help="where runs are kept; by default they are not")
    parser.add_argument("--again", action="store_true", help="train what is in the results, too")
    parser.add_argument("--epochs", type=int, help="other epochs than the derived ones; nothing is written")
    options = parser.parse_args()
    names = options.data or list(PROTOCOLS)
    shared = shared_folder("data/tcn_predictions", *(f"data/{PROTOCOLS[name].folder}" for name in names))
    todo = [
        (seed, name, detector, split)
        for seed, name, detector in product(options.seeds, names, options.detectors)
        for split in PROTOCOLS[name].splits
    ]
    with tempfile.TemporaryDirectory() as temporary:
        for seed, name, detector, split in todo:
            before = read().get(name, {}).get(detector, {}).get(split, [])
            if any(row["seed"] == seed for row in before) and not (options.again or options.epochs):
                continue
            row = measure(name, detector, split, seed, options.work or Path(temporary), options.epochs)
            if not options.epochs:
                keep(name, detector, split, row, shared)


if __name__ == "__main__":
    main()
