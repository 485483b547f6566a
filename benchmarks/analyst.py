"""From three label files to subtitles in three commands, against settings that people guess; writes
benchmarks/results/analyst.json.

    python benchmarks/analyst.py [--seed 0] [--only auto default guessed]

Makes 14 short videos with about 180 actions and as many test videos, and spreads the labels over a spreadsheet, ELAN
files and a Label Studio export. Then, with no option chosen:

    actionformer import labels.csv elan/ tasks.json --videos videos/ --out annotations.json
    actionformer train auto --annotations annotations.json --videos videos/ --out run
    actionformer detect run test/ --format srt --out subtitles/

The same videos with `extract --backbone motion --stride 4` and 35 epochs of `small` (the former way) and with
`--stride 2` and 100 epochs (a good guess) are what it is compared with. Both train on all 14 videos; auto holds some of
them out, to measure thresholds. Precision and recall that training prints are compared with those on the test videos.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from common import read_result, write_result
from numpy.typing import NDArray

from actionformer.core.annotations import AnnotatedVideo, Annotations
from actionformer.core.detections import Detections
from actionformer.core.segments import tiou
from actionformer.demo.reels import FPS, draw_frames, write_video
from actionformer.demo.synthetic import CLASS_NAMES, LIGHT, draw_schedule, drift
from actionformer.evaluation.report import score
from actionformer.formats import elan, label_studio
from actionformer.formats.annotations import write_annotations
from actionformer.formats.rows import VideoRows
from actionformer.inference.loading import load
from actionformer.model_directory import load_settings

VIDEOS, FRAMES = 14, 430
"""Labelled videos, and as many test videos; frames of each."""
WAYS = {"default": (4, 35), "guessed": (2, 100)}
"""Frames between features and epochs, warm-up included, of those who choose by hand."""
WARMUP = 5
"""Epochs of the preset's warm-up."""


def make(folder: Path, subset: str, seed: int) -> Annotations:
    """Writes videos; returns what happens in them."""
    videos: dict[str, AnnotatedVideo] = {}
    for number in range(VIDEOS):
        rng = np.random.default_rng([seed, number, subset == "test"])
        schedule = draw_schedule(rng)
        kept = schedule.actions[schedule.actions[:, 1] < FRAMES]
        name = f"{subset}{number:02d}"
        light = LIGHT * drift(rng, FRAMES)
        write_video(folder / f"{name}.mp4", draw_frames(schedule.turned[:FRAMES], light, rng))
        videos[name] = AnnotatedVideo(name, subset, FRAMES / FPS, FPS, kept[:, :2] / FPS, kept[:, 2])
    return Annotations(videos, CLASS_NAMES)


def write_labels(labels: Annotations, folder: Path) -> list[Path]:
    """Spreads labels over a spreadsheet, ELAN files and a Label Studio export; returns what `import` is given."""
    names = list(labels.videos)
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("video", "start", "end", "label"))
        for name in names[:5]:
            video = labels.videos[name]
            for (start, end), label in zip(video.segments, video.labels, strict=True):
                table.writerow((f"{name}.mp4", f"{start:.3f}", f"{end:.3f}", CLASS_NAMES[label]))
    (folder / "elan").mkdir()
    for name in names[5:10]:
        text = elan.video_text(as_detections(labels.videos[name]), f"{name}.mp4")
        (folder / "elan" / f"{name}.eaf").write_text(text.replace(" 1.00</ANNOTATION", "</ANNOTATION"), "utf-8")
    rows = [VideoRows(name, as_detections(labels.videos[name]).to_dict(), f"{name}.mp4", FPS) for name in names[10:]]
    tasks = json.loads("".join(label_studio.results_text(rows)))
    for task in tasks:  # what a person draws is an annotation, what a model says a prediction
        task["annotations"] = [{"result": task.pop("predictions")[0]["result"]}]
    (folder / "tasks.json").write_text(json.dumps(tasks), "utf-8")
    return [folder / "labels.csv", folder / "elan", folder / "tasks.json"]


def as_detections(video: AnnotatedVideo) -> Detections:
    return Detections(video.segments, np.ones(len(video.labels)), video.labels, CLASS_NAMES)


def command(*arguments: Any) -> float:
    """Runs the command line; returns the minutes it took."""
    started = time.perf_counter()
    subprocess.run([Path(sys.executable).with_name("actionformer"), *map(str, arguments)], check=True)
    return (time.perf_counter() - started) / 60


def by_auto(folder: Path, labels: list[Path]) -> float:
    """The three commands, as anybody would give them."""
    minutes = command("import", *labels, "--videos", folder / "videos", "--out", folder / "annotations.json")
    run = folder / "auto"
    minutes += command("train", "auto", "--annotations", folder / "annotations.json", "--videos", folder / "videos",
                       "--out", run)  # fmt: skip
    return minutes + command("detect", run, folder / "test", "--format", "srt", "--out", folder / "subtitles")


def by_hand(folder: Path, name: str) -> float:
    """What was done before: a stride, a preset and a number of epochs."""
    stride, epochs = WAYS[name]
    features = folder / f"{name}_features"
    minutes = command("extract", folder / "videos", "--backbone", "motion", "--stride", stride, "--out", features)
    return minutes + command("train", "small", "--annotations", folder / "annotations.json", "--features", features,
                             "--out", folder / name, "--training.epochs", epochs - WARMUP)  # fmt: skip


def judged(run: Path, test: Annotations, videos: Path) -> dict[str, float]:
    """Test figures of a run, in percent: mAP, and precision and recall of what it shows to people."""
    detector = load(run)
    found = {name: detector.detect_video(videos / f"{name}.mp4") for name in test.videos}
    report = score(test, found)
    shown = {name: detector.shown(one) for name, one in found.items()}
    right = sum(hits(shown[name], video) for name, video in test.videos.items())
    figures = {"map": 100 * report.average, "precision": 100 * right / max(sum(map(len, shown.values())), 1),
               "recall": 100 * right / sum(len(one.labels) for one in test.videos.values())}  # fmt: skip
    measured = load_settings(run)[1].calibration
    if measured is not None:
        figures["said_precision"] = 100 * measured.overall.precision
        figures["said_recall"] = 100 * measured.overall.recall
    return figures


def hits(found: Detections, video: AnnotatedVideo) -> int:
    """Detections that find a ground truth of their class with tIoU 0.5, the best first, each one its own."""
    overlap = tiou(found.segments, video.segments)
    names, wanted = np.array(found.class_names)[found.labels], np.array(CLASS_NAMES)[video.labels]
    overlap[names[:, None] != wanted[None]] = 0
    right = 0
    free: NDArray[np.bool_] = np.ones(len(video.labels), dtype=bool)
    for row in np.argsort(-found.scores, kind="stable"):
        best = int(np.where(free, overlap[row], 0).argmax()) if free.any() else 0
        if free[best] and overlap[row, best] >= 0.5:
            free[best], right = False, right + 1
    return right


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0, help="of the videos")
    parser.add_argument("--only", nargs="+", choices=["auto", *WAYS], default=["auto", *WAYS])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        labels = make(folder / "videos", "training", options.seed)
        test = make(folder / "test", "test", options.seed)
        files = write_labels(labels, folder)
        write_annotations(folder / "annotations.json", labels)
        rows: dict[str, dict[str, float]] = {}
        for name in options.only:
            if name == "auto":
                (folder / "annotations.json").unlink()
            minutes = by_auto(folder, files) if name == "auto" else by_hand(folder, name)
            rows[name] = {**judged(folder / name, test, folder / "test"), "minutes": minutes}
            print(json.dumps({name: rows[name]}), flush=True)
            keep(options.seed, name, rows[name], sum(len(one.labels) for one in labels.videos.values()))


def keep(seed: int, name: str, row: dict[str, float], actions: int) -> None:
    """Puts a row beside those that are there now."""
    seeds: dict[str, Any] = read_result("analyst").get("seeds", {})
    seeds.setdefault(str(seed), {"actions": actions})[name] = row
    write_result("analyst", {"videos": VIDEOS, "seeds": seeds})


if __name__ == "__main__":
    main()
