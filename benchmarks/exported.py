"""Exported files and engines against the detector itself, on HAPT: writes benchmarks/results/exported.json

    python benchmarks/exported.py [--run RUN] [--epochs N] [--out FOLDER]

A small model is trained on HAPT's training people, three levels of 64 channels for --epochs epochs, or is RUN: that
files say the same counts here, not how good they are. It is exported to every runtime, and each file looks at the
recordings of the `test` people, alone. What it finds is compared with what the detector finds, one by one: a detection
is missing where none of its class has its score and its segment to 1e-4. `load(run, engine=...)` is compared likewise,
and what each engine says of every moment, by the largest difference. Counts are of all detections of all recordings.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import RESULTS, write_result
from rivals import prepared

import actionformer
from actionformer import Detections, Detector, read_annotations
from actionformer.engines.engine import ENGINES, Engine
from actionformer.engines.graph import lengths_of
from actionformer.standalone.files import ENDINGS, TargetName, files_of

TOLERANCE = 1e-4
"""Of scores, and of segments in seconds."""
Arrays = list[np.ndarray]
SMALL = {"model": {"width": 64, "branch_blocks": 2, "regression_ranges": [[0, 4], [4, 8], [8, 10_000]]}}
SHORT = {"warmup_epochs": 0, "evaluate_every": 0}
Given = dict[str, np.ndarray]
Call = Callable[[Given], Arrays]


def onnx_file(path: Path) -> Call:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return lambda given: session.run(None, given)


def openvino_file(path: Path) -> Call:
    import openvino

    core = openvino.Core()
    model = core.compile_model(core.read_model(path), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return lambda given: [np.array(one) for one in model(given).values()]


def torch_file(path: Path) -> Call:
    module = torch.export.load(path).module(check_guards=False)

    def call(given: Given) -> Arrays:
        with torch.no_grad():
            return [one.numpy() for one in module(*map(torch.from_numpy, given.values()))]

    return call


FILES: dict[TargetName, Callable[[Path], Call]] = {"onnx": onnx_file, "openvino": openvino_file, "torch": torch_file}


def inputs(features: np.ndarray, padded: int) -> dict[str, np.ndarray]:
    """One sequence with zeros behind it, and its mask."""
    rows = np.pad(features, ((0, padded - len(features)), (0, 0)))
    return {"features": rows[None], "valid": np.arange(padded)[None] < len(features)}


def differing(found: Detections, expected: Detections) -> int:
    """How many of those expected are missing."""
    left = list(range(len(found)))
    missing = 0
    for segment, score, label in zip(expected.segments, expected.scores, expected.labels, strict=True):
        same = (
            row
            for row in left
            if found.labels[row] == label
            and abs(found.scores[row] - score) <= TOLERANCE
            and np.abs(found.segments[row] - segment).max() <= TOLERANCE
        )
        if (row := next(same, None)) is None:
            missing += 1
        else:
            left.remove(row)
    return missing


def alone(call: Call, sequence: Any, padded: int, detector: Detector) -> Detections:
    """What a file finds in a recording, cut to where that ends."""
    segments, scores, labels = (one[0] for one in call(inputs(sequence.features[:], padded)))
    there = scores > 0
    return Detections(segments[there].clip(0, sequence.duration), scores[there], labels[there], detector.class_names)


def compared(found: Mapping[str, Detections], expected: Mapping[str, Detections]) -> dict[str, Any]:
    """Counts, and the largest difference where both found as many in the same order of classes."""
    pairs = [(found[name], one) for name, one in expected.items()]
    alike = [
        max(np.abs(one.scores - other.scores).max(), np.abs(one.segments - other.segments).max())
        for one, other in pairs
        if len(one) == len(other) > 0 and (one.labels == other.labels).all()
    ]
    return {
        "recordings": len(pairs),
        "detections": sum(len(one) for _, one in pairs),
        "found": sum(len(one) for one, _ in pairs),
        "missing": sum(differing(one, other) for one, other in pairs),
        "recordings_in_the_same_order": len(alike),
        "largest_difference_of_these": float(max(alike, default=0)),
    }


@torch.inference_mode()
def largest_difference(engine: Engine, detector: Detector, sequences: Mapping[str, Any]) -> float:
    """Of the logits and offsets of all recordings."""
    worst = 0.0
    for sequence in sequences.values():
        features = torch.from_numpy(sequence.features[:])[None]
        for part, expected in zip(engine(features, None), detector.model(features).parts(), strict=True):
            for one, its in zip(part[2:4], expected[2:4], strict=True):
                worst = max(worst, (one[:, : its.shape[1]] - its).abs().max().item())
    return worst


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, help="a model that was trained on HAPT")
    parser.add_argument("--epochs", type=int, default=5, help="of the training")
    parser.add_argument("--out", type=Path, default=RESULTS, help="where to write exported.json")
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = prepared("hapt", folder)
        run = options.run or folder / "run"
        if options.run is None:
            config = actionformer.load_config("hapt", SMALL | {"training": {"epochs": options.epochs} | SHORT})
            actionformer.train(config, data["annotations"], data["features"], run)
        detector = actionformer.load(run)
        every = read_annotations(data["annotations"])
        files = {video: data["features"] / f"{video}.npy" for video in every.subset(["test"]).videos}
        sequences = {video: detector.placed(file, {}) for video, file in files.items()}
        expected = detector.detect_many(files)
        lengths = lengths_of(detector.runner.architecture, detector.model)
        for target, opened in FILES.items():
            path = folder / f"detections{ENDINGS[target]}"
            actionformer.export(run, to=target, out=path)
            row: dict[str, Any] = {"file": target}
            row["mib"] = sum(one.stat().st_size for one in files_of(path, target)) / 2**20
            call = opened(path)
            found = {
                name: alone(call, sequence, lengths.padded(len(sequence)), detector)
                for name, sequence in sequences.items()
            }
            rows.append(row | compared(found, expected))
            print(json.dumps(rows[-1]), flush=True)
        for name in ENGINES:
            other = actionformer.load(run, engine=name)
            assert other.runner.engine is not None
            row = {"engine": name, "largest_difference": largest_difference(other.runner.engine, detector, sequences)}
            rows.append(row | compared(other.detect_many(files), expected))
            print(json.dumps(rows[-1]), flush=True)
    write_result("exported", {"epochs": options.epochs, "rows": rows}, options.out)
    wrong = [row for row in rows if row.get("missing") or row.get("largest_difference", 0) > TOLERANCE]
    sys.exit(f"{len(wrong)} rows differ by more than {TOLERANCE:g}" if wrong else None)


if __name__ == "__main__":
    main()
