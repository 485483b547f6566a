"""mAP against the share of labelled training videos: writes benchmarks/results/learning_curve.json, .md and a picture.

    python benchmarks/learning_curve.py [hapt] [salads] [gtea] [--detectors temporalmaxer ...] [--seeds 0 1 2]
        [--shares 5 10 25 50 100] [--ways labelled self-trained] [--work FOLDER]

A seed draws which videos are labelled, whole people first (on HAPT two recordings are of one person), and what a share
has, larger ones have too. Settings are those that `train auto` derives from them; `test` is scored once a run, at the
end. `self-trained` is a second run, on the same labels and on what the first finds in the other training videos: scores
of 0.3 or more, one action at a time. What is in the results is not trained again, so that a call that was stopped goes
on. The picture is docs/learning-curve.svg. With --epochs N it trains N epochs and writes nothing: to see that it runs.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from accuracy import DATA, in_percent
from common import RESULTS, first_stages, read_result, shared_folder, write_result

from actionformer import load, train
from actionformer.data.groups import groups_of
from actionformer.formats.annotations import read_annotations
from actionformer.inference.caps import SHOWN_SCORE
from actionformer.inference.overlap import without_overlap
from actionformer.model_directory import load_settings

WAYS = ("labelled", "self-trained")
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


def measure(name: str, detector: str, share: int, seed: int, ways: Sequence[str], options: argparse.Namespace) -> Rows:
    """Trains on a share of the videos, each way; returns its rows, in percent."""
    work: Path = options.work
    source, folder = shared_folder() / "data" / name, work / "features" / name
    if not folder.is_dir():
        folder.mkdir(parents=True)
        DATA[name].features(source, folder)
    whole = DATA[name].annotations(source, work / f"{name}.json")
    annotations = work / f"{name}_{share}_{seed}.json"
    place = {"data": name, "detector": detector, "share": share, "seed": seed}
    place["videos"] = labelled(whole, share, seed, annotations)
    training = {"evaluate_every": 0, "seed": seed}
    if options.epochs:
        training |= {"epochs": options.epochs, "warmup_epochs": 0}
    settings: dict[str, Any] = {"training": training, "model": {"detector": detector}}
    rows = []
    for way in WAYS if "self-trained" in ways else ways:
        started = time.perf_counter()
        run = work / f"{name}_{detector}_{share}_{seed}_{way}"
        if way == "self-trained":
            annotations = with_found(whole, annotations, work / f"{name}_{detector}_{share}_{seed}_labelled", folder)
        train("auto", annotations, folder, run, settings=settings, overwrite=True)
        figures = in_percent(load_settings(run)[1].metrics)
        rows.append({**place, "way": way, **figures, "minutes": (time.perf_counter() - started) / 60})
    return rows


def with_found(whole: Path, annotations: Path, run: Path, features: Path) -> Path:
    """Annotations in which the training videos that nobody has labelled have what a run finds in them."""
    content = json.loads(annotations.read_text("utf-8"))
    detector = load(run)
    for name, video in read_annotations(whole).subset("training").videos.items():
        if name not in content["database"]:
            found = detector.detect(features / f"{name}.npy", duration=video.duration)
            sure = without_overlap(found.above(SHOWN_SCORE), "none")
            content["database"][name] = {
                "subset": "training",
                "duration": video.duration,
                "annotations": [
                    {"segment": segment, "label": detector.class_names[label]}
                    for segment, label in zip(sure.segments.tolist(), sure.labels.tolist(), strict=True)
                ],
            }
    file = annotations.with_name(f"{annotations.stem}_found.json")
    file.write_text(json.dumps(content), "utf-8")
    return file


Line = tuple[str, str, str]
"""A data set, a detector, a way."""


def means(rows: Rows, line: Line) -> dict[int, tuple[float, float, int, int]]:
    """Share -> mean and deviation over seeds of average mAP, labelled videos, seeds."""
    found = {}
    for share in sorted({row["share"] for row in rows}):
        own = [row for row in rows if _line(row) == line and row["share"] == share]
        if own:
            values = np.array([row["average"] for row in own])
            deviation = float(values.std(ddof=1)) if len(values) > 1 else 0.0
            found[share] = float(values.mean()), deviation, own[0]["videos"], len(own)
    return found


def _line(row: dict[str, Any]) -> Line:
    return row["data"], row["detector"], row["way"]


def _key(row: dict[str, Any]) -> tuple[str, str, str, int, int]:
    return *_line(row), row["share"], row["seed"]


def lines_of(rows: Rows) -> list[Line]:
    """What there are rows of, in the order of the benchmarks."""
    known = {_line(row) for row in rows}
    return [line for line in product(DATA, first_stages(), WAYS) if line in known]


def table(rows: Rows) -> str:
    """Markdown: a row a data set, detector and way, a column a share."""
    shares = sorted({row["share"] for row in rows})
    lines = ["| data | detector | trained on | " + " | ".join(f"{share}%" for share in shares) + " |"]
    lines.append("|---" * (3 + len(shares)) + "|")
    for line in lines_of(rows):
        found = means(rows, line)
        cells = [_cell(*found[share]) if share in found else "" for share in shares]
        lines.append("| " + " | ".join([*line, *cells]) + " |")
    told = "Average mAP over tIoU 0.3 to 0.7, in percent; ±: deviation over seeds; labelled videos, seeds."
    return "\n".join([*lines, "", told, ""])


def _cell(mean: float, deviation: float, videos: int, seeds: int) -> str:
    return f"{mean:.1f} ± {deviation:.1f} ({videos} {'video' if videos == 1 else 'videos'}, {seeds})"


def draw(rows: Rows) -> None:
    """A panel a data set, a line a detector and way."""
    known = lines_of(rows)
    names = [name for name in DATA if name in {name for name, _, _ in known}]
    figure, panels = plt.subplots(1, len(names), figsize=(3.4 * len(names), 2.9), squeeze=False, layout="constrained")
    for panel, name in zip(panels[0], names, strict=True):
        ticks: dict[int, int] = {}
        for number, line in enumerate(one for one in known if one[0] == name):
            found = means(rows, line)
            videos = [one[2] for one in found.values()]
            ticks |= dict(zip(found, videos, strict=True))
            centre, spread = (np.array([one[i] for one in found.values()]) for i in (0, 1))
            style = {"color": COLOURS[number % len(COLOURS)], "marker": MARKS[number % len(MARKS)], "markersize": 4}
            panel.plot(videos, centre, label=", ".join(line[1:]), linewidth=1.5, **style)
            panel.fill_between(videos, centre - spread, centre + spread, color=style["color"], alpha=0.15, linewidth=0)
        panel.set_xscale("log")
        panel.set_xticks(list(ticks.values()), [str(one) for one in ticks.values()])
        panel.minorticks_off()
        panel.set_ylim(0, 100)
        panel.set_title(name, loc="left", fontsize=9)
        panel.set_xlabel("labelled videos")
        panel.grid(alpha=0.25)
    panels[0][0].set_ylabel("average mAP, %")
    panels[0][0].legend(fontsize=7, frameon=False, loc="lower right")
    figure.savefig(PICTURE, metadata={"Date": None})
    plt.close(figure)


def read() -> Rows:
    """What was measured before."""
    found: Rows = read_result("learning_curve").get("results", [])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="*", help=f"{', '.join(DATA)}; by default all")
    parser.add_argument("--detectors", nargs="+", choices=first_stages(), default=["temporalmaxer"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--shares", type=int, nargs="+", default=list(SHARES), help="percent")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--work", type=Path, help="where runs are kept; by default they are not")
    parser.add_argument("--epochs", type=int, help="other epochs than the derived ones; nothing is written")
    options = parser.parse_args()
    names = options.data or list(DATA)
    shared_folder(*(f"data/{name}" for name in names))
    todo = product(options.seeds, names, options.detectors, options.shares)
    with tempfile.TemporaryDirectory() as temporary:
        options.work = options.work or Path(temporary)
        for seed, name, detector, share in todo:
            ways = [way for way in options.ways if way == "labelled" or share < 100]
            wanted = {(name, detector, way, share, seed) for way in ways}
            if not options.epochs and wanted <= set(map(_key, read())):
                continue
            made = measure(name, detector, share, seed, ways, options)
            print("\n".join(map(json.dumps, made)), flush=True)
            if not options.epochs:
                rows = [row for row in read() if _key(row) not in set(map(_key, made))] + made
                write_result("learning_curve", {"results": rows})
                (RESULTS / "learning_curve.md").write_text(table(rows), "utf-8")
                draw(rows)


if __name__ == "__main__":
    main()
