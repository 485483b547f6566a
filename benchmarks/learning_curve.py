"""mAP against the share of labelled training videos: writes benchmarks/results/learning_curve.json, .md and a picture.

    python benchmarks/learning_curve.py [hapt] [salads] [gtea] [--detectors temporalmaxer ...] [--seeds 0 1 2]
        [--shares 5 10 25 50 100] [--work FOLDER]

A seed draws which videos are labelled, whole people first (on HAPT two recordings are of one person), and what a share
has, larger ones have too. Settings are those that `train auto` derives from them; `test` is scored once a run, at the
end. What is in the results is not trained again, so that a call that was stopped goes on. The picture is
docs/learning-curve.svg. With --epochs N it trains N epochs and writes nothing: to see that it runs.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from itertools import product
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from accuracy import DATA, TIOU
from common import RESULTS, first_stages, shared_folder, write_result

from actionformer import train
from actionformer.data.groups import groups_of
from actionformer.formats.annotations import read_annotations
from actionformer.model_directory import load_settings

SHARES = (5, 10, 25, 50, 100)
PICTURE = Path(__file__).resolve().parents[1] / "docs" / "learning-curve.svg"
COLOURS = ("#0072B2", "#E69F00", "#009E73")  # safe for colour-blind readers
MARKS = ("o", "s", "^")
Rows = list[dict[str, Any]]


def labelled(annotations: Path, share: int, seed: int, file: Path) -> int:
    """Writes annotations with a share of the training videos, at least one; returns how many these are."""
    every = read_annotations(annotations)
    training = list(every.subset("training").videos)
    people = groups_of(every).numbers(training)
    place = np.random.default_rng(seed).permutation(people.max() + 1)[people]
    drawn = [training[i] for i in np.argsort(place, kind="stable")]
    kept = set(drawn[: max(round(share / 100 * len(drawn)), 1)])
    content = json.loads(annotations.read_text("utf-8"))
    content["database"] = {n: v for n, v in content["database"].items() if n not in training or n in kept}
    file.write_text(json.dumps(content), "utf-8")
    return len(kept)


def measure(name: str, detector: str, share: int, seed: int, work: Path, epochs: int | None) -> dict[str, Any]:
    """Trains on a share of the videos; returns its row, in percent."""
    started = time.perf_counter()
    source, folder = shared_folder() / "data" / name, work / "features" / name
    if not folder.is_dir():
        folder.mkdir(parents=True)
        DATA[name].features(source, folder)
    whole = DATA[name].annotations(source, work / f"{name}.json")
    annotations = work / f"{name}_{share}_{seed}.json"
    videos = labelled(whole, share, seed, annotations)
    training = {"evaluate_every": 0, "seed": seed} | ({"epochs": epochs, "warmup_epochs": 0} if epochs else {})
    settings: dict[str, Any] = {"training": training, "model": {"detector": detector}}
    run = work / f"{name}_{detector}_{share}_{seed}"
    train("auto", annotations, folder, run, settings=settings, overwrite=True)
    metrics = load_settings(run)[1].metrics
    figures = {tiou: 100 * metrics[f"map@{tiou}"] for tiou in TIOU} | {"average": 100 * metrics["map"]}
    minutes = (time.perf_counter() - started) / 60
    place = {"data": name, "detector": detector, "share": share, "seed": seed, "videos": videos}
    return {**place, **figures, "minutes": minutes}


def means(rows: Rows, name: str, detector: str) -> dict[int, tuple[float, float, int, int]]:
    """Share -> mean and deviation over seeds of average mAP, labelled videos, seeds."""
    found = {}
    for share in sorted({row["share"] for row in rows}):
        own = [row for row in rows if (row["data"], row["detector"], row["share"]) == (name, detector, share)]
        if own:
            values = np.array([row["average"] for row in own])
            deviation = float(values.std(ddof=1)) if len(values) > 1 else 0.0
            found[share] = float(values.mean()), deviation, own[0]["videos"], len(own)
    return found


def pairs(rows: Rows) -> list[tuple[str, str]]:
    """The data sets and detectors of some rows, in the order of the benchmarks."""
    known = {(row["data"], row["detector"]) for row in rows}
    return [pair for pair in product(DATA, first_stages()) if pair in known]


def table(rows: Rows) -> str:
    """Markdown: a row a data set and detector, a column a share."""
    shares = sorted({row["share"] for row in rows})
    lines = [
        "| data | detector | " + " | ".join(f"{share}%" for share in shares) + " |",
        "|---" * (2 + len(shares)) + "|",
    ]
    for name, detector in pairs(rows):
        found = means(rows, name, detector)
        cells = [
            f"{mean:.1f} ± {deviation:.1f} ({videos} videos, {seeds})"
            for mean, deviation, videos, seeds in found.values()
        ]
        lines.append(f"| {name} | {detector} | " + " | ".join(cells) + " |")
    return (
        "\n".join(lines)
        + "\n\nAverage mAP over tIoU 0.3 to 0.7, in percent; ±: deviation over seeds; labelled videos, seeds.\n"
    )


def draw(rows: Rows) -> None:
    """A panel a data set, a line a detector."""
    known = pairs(rows)
    names = [name for name in DATA if name in {name for name, _ in known}]
    figure, panels = plt.subplots(1, len(names), figsize=(3.4 * len(names), 2.9), squeeze=False, layout="constrained")
    for panel, name in zip(panels[0], names, strict=True):
        for number, detector in enumerate(detector for one, detector in known if one == name):
            found = means(rows, name, detector)
            videos = [one[2] for one in found.values()]
            centre, spread = (np.array([one[i] for one in found.values()]) for i in (0, 1))
            style = {"color": COLOURS[number % len(COLOURS)], "marker": MARKS[number % len(MARKS)], "markersize": 4}
            panel.plot(videos, centre, label=detector, linewidth=1.5, **style)
            panel.fill_between(videos, centre - spread, centre + spread, color=style["color"], alpha=0.15, linewidth=0)
        panel.set_xscale("log")
        panel.set_xticks(videos, [str(one) for one in videos])
        panel.minorticks_off()
        panel.set_ylim(0, 100)
        panel.set_title(name, loc="left", fontsize=9)
        panel.set_xlabel("labelled videos")
        panel.grid(alpha=0.25)
    panels[0][0].set_ylabel("average mAP, %")
    panels[0][0].legend(fontsize=8, frameon=False, loc="lower right")
    figure.savefig(PICTURE, metadata={"Date": None})


def read() -> Rows:
    """What was measured before."""
    path = RESULTS / "learning_curve.json"
    found: Rows = json.loads(path.read_text("utf-8"))["results"] if path.exists() else []
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="*", help=f"{', '.join(DATA)}; by default all")
    parser.add_argument("--detectors", nargs="+", choices=first_stages(), default=["temporalmaxer"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--shares", type=int, nargs="+", default=list(SHARES), help="percent")
    parser.add_argument("--work", type=Path, help="where runs are kept; by default they are not")
    parser.add_argument("--epochs", type=int, help="other epochs than the derived ones; nothing is written")
    options = parser.parse_args()
    names = options.data or list(DATA)
    shared_folder(*(f"data/{name}" for name in names))
    todo = product(options.seeds, names, options.detectors, options.shares)
    with tempfile.TemporaryDirectory() as temporary:
        for seed, name, detector, share in todo:
            here = {"data": name, "detector": detector, "share": share, "seed": seed}
            if not options.epochs and any(here.items() <= row.items() for row in read()):
                continue
            row = measure(name, detector, share, seed, options.work or Path(temporary), options.epochs)
            print(json.dumps(row), flush=True)
            if not options.epochs:
                rows = [*read(), row]
                write_result("learning_curve", {"results": rows})
                (RESULTS / "learning_curve.md").write_text(table(rows), "utf-8")
                draw(rows)


if __name__ == "__main__":
    main()
