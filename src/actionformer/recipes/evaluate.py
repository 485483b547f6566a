"""Evaluation of a model directory on the videos of a subset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from actionformer.checks import check_actions, tell
from actionformer.core.detections import Detections
from actionformer.core.devices import Precision
from actionformer.core.errors import InputError, warn
from actionformer.core.files import version_of
from actionformer.core.run_files import DETECTIONS, REPORT, WEIGHTS
from actionformer.data.collection import FeaturedVideo, Paths, collect, with_classes
from actionformer.evaluation.report import Report, parse_tiou, score
from actionformer.formats.annotations import read_annotations
from actionformer.formats.detections import write_results
from actionformer.inference.detector import Detector
from actionformer.inference.loading import load
from actionformer.model_directory import load_settings
from actionformer.settings.config import Changes


def detect_videos(detector: Detector, videos: Sequence[FeaturedVideo]) -> dict[str, Detections]:
    """Detections of annotated videos, with their own timing and duration."""
    return detector.detect_many((video.video.id, _arguments(video)) for video in videos)


def _arguments(video: FeaturedVideo) -> dict[str, Any]:
    grid = video.grid
    return {
        "features": video.features,
        "fps": grid.fps,
        "stride": grid.stride,
        "num_frames": grid.num_frames,
        "start": grid.start,
        "duration": video.duration,
    }


def evaluate(
    run: str | Path,
    *,
    annotations: str | Path | None = None,
    features: Paths | None = None,
    subset: str | Sequence[str] | None = None,
    tiou: str | Sequence[float] | None = None,
    skip_missing: bool = False,
    other_timing: bool = False,
    device: str = "cpu",
    precision: Precision = "float32",
    settings: Changes | None = None,
) -> Report:
    """Detects in the evaluation subset and scores that; leaves detections.json and evaluation.json in the run.

    Detections of any other origin are for `score`.

    Args:
        run: a model directory.
        annotations: ground truth, ActivityNet JSON; by default what it was trained with.
        features: folders of feature files; by default those it was trained with.
        subset: subsets to evaluate on; by default the evaluation subset of its settings.
        tiou: tIoU thresholds, start:stop:step or a list a,b,c; by default those of its settings.
        skip_missing: go on without videos that have no features.
        other_timing: take features of another stride, window or rate than those that the model was trained on.
        device: where to compute: cpu, cuda, cuda:1, ...
        precision: number format of the arithmetic.
        settings: of decoding, suppression and live, where they are not to be the run's.

    Raises:
        InputError: no model directory, features that are missing or of other timing, or an unknown subset.
    """
    run = Path(run)
    if run.is_file():
        raise InputError(
            f"{run}: is a file, but evaluate takes a model directory; to evaluate a file of detections, use score"
        )
    config, card = load_settings(run)
    thresholds = parse_tiou(tiou or config.evaluation.tiou)
    annotations = annotations or card.training.get("annotations")
    features = features or card.training.get("features")
    if annotations is None or features is None:
        raise InputError(f"{run}: does not say what it was trained on: give --annotations and --features")
    names = card.class_names if len(card.class_names) > 1 else None
    truth = with_classes(read_annotations(annotations, class_names=names), config.model.num_classes)
    truth = truth.subset(subset or config.data.test_subset)
    collection = collect(
        truth,
        features,
        config.data,
        width=config.model.input_width,
        made_for=card.features,
        skip_missing=skip_missing,
        other_timing=other_timing,
    )
    tell(check_actions(collection.videos), truth.source)
    weights = version_of(run / WEIGHTS)
    detections = detect_videos(
        load(run, device=device, precision=precision, settings=settings, other_timing=other_timing), collection.videos
    )
    report = score(truth, detections, tiou=thresholds, recall_at=config.evaluation.recall_at)
    if collection.missing:
        counts = replace(
            report.counts,
            skipped_videos=len(collection.missing),
            skipped_ground_truths=collection.missing_actions,
        )
        report = replace(report, counts=counts)
    if version_of(run / WEIGHTS) == weights:
        write_results(run / DETECTIONS, detections)
        report.to_json(run / REPORT)
    else:
        warn(f"{run}: was trained further meanwhile: neither {DETECTIONS} nor {REPORT} is written", stacklevel=2)
    return report
