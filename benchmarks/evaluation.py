"""Time of the evaluation: published THUMOS14 detections, and a synthetic set of ActivityNet's size.

python benchmarks/evaluation.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from common import median_seconds, shared_folder, write_result

from actionformer.core.annotations import AnnotatedVideo, Annotations
from actionformer.core.detections import Detections
from actionformer.evaluation.report import score
from actionformer.formats.annotations import read_annotations

PUBLISHED_EVALUATOR_SECONDS = 12.9
"""Quoted: the published evaluator at THUMOS14 size on a 2-core CPU, mAP alone."""


def thumos14(folder: Path) -> tuple[Annotations, dict[str, Detections]]:
    annotations = read_annotations(folder / "thumos14.json")
    with np.load(folder / "published_detections.npz") as file:
        video, label, score = file["video"], file["label_id"], file["score"]
        segment = np.stack([file["start"], file["end"]], axis=1)
    rows = {name: video == name for name in np.unique(video)}
    detections = {
        str(name): Detections(segment[row], score[row], label[row], annotations.class_names)
        for name, row in rows.items()
    }
    return annotations, detections


def synthetic(
    num_videos: int = 4926, per_video: int = 100, num_classes: int = 200
) -> tuple[Annotations, dict[str, Detections]]:
    """Videos of 120 s with one or two actions of one class; detections scatter around them."""
    rng = np.random.default_rng(0)
    names = tuple(f"class {i}" for i in range(num_classes))
    videos, detections = {}, {}
    for number in range(num_videos):
        name, label = f"v_{number}", int(rng.integers(num_classes))
        truths = np.sort(rng.uniform(0, 120, (int(rng.integers(1, 3)), 2)), axis=1)
        segments = np.sort(truths[rng.integers(len(truths), size=per_video)] + rng.normal(0, 8, (per_video, 2)))
        labels = np.where(rng.random(per_video) < 0.5, label, rng.integers(num_classes, size=per_video))
        videos[name] = AnnotatedVideo(name, "validation", 120.0, None, truths, np.full(len(truths), label))
        detections[name] = Detections(segments, rng.random(per_video), labels, names)
    return Annotations(videos, names), detections


def main() -> None:
    annotations, detections = thumos14(shared_folder("data/thumos14") / "data" / "thumos14")
    report = score(annotations, detections, "test")
    seconds = median_seconds(lambda: score(annotations, detections, "test"))
    print(f"THUMOS14: mAP {[round(100 * value, 2) for value in report.map]}, {100 * report.average:.2f}")
    print(f"  {seconds * 1000:.0f} ms; the published evaluator is quoted with {PUBLISHED_EVALUATOR_SECONDS} s")
    many_annotations, many = synthetic()
    many_seconds = median_seconds(lambda: score(many_annotations, many, tiou="0.5:0.95:0.05"))
    print(f"ActivityNet size, {sum(map(len, many.values())):,} detections: {many_seconds * 1000:.0f} ms")
    figures = {
        "repeats": 7,
        "thumos14": {
            "videos": report.counts.videos,
            "detections": report.counts.detections,
            "map": report.map,
            "average": report.average,
            "seconds": seconds,
            "quoted_published_evaluator_seconds": PUBLISHED_EVALUATOR_SECONDS,
            "ratio_to_quoted": PUBLISHED_EVALUATOR_SECONDS / seconds,
        },
        "activitynet_size": {
            "videos": len(many),
            "detections": sum(map(len, many.values())),
            "thresholds": 10,
            "seconds": many_seconds,
        },
    }
    write_result("evaluation", figures)


if __name__ == "__main__":
    main()
