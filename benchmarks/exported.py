"""Exported files and engines against the detector itself, on HAPT: writes benchmarks/results/exported.json

    python benchmarks/exported.py [--run RUN] [--epochs N] [--out FOLDER]

A model with settings derived from HAPT's training people is trained, for all of its epochs or --epochs, or is RUN. It
is exported to every runtime with every kind of outputs. Each file then looks at the recordings of the `test` people,
alone, and what it says is compared with what the detector says: numbers by their largest difference, detections one by
one. `load(run, engine=...)` is compared likewise. A detection differs where another one of its class, its score and
its segment to 1e-4 is missing. Counts are of all detections of all recordings.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import RESULTS, write_result
from engine_accuracy import trained
from rivals import prepared

import actionformer
from actionformer import Detections, Detector, read_annotations
from actionformer.engines.engine import ENGINES
from actionformer.export.files import ENDINGS, files_of

TOLERANCE = 1e-4
"""Of scores, and of segments in seconds."""
Arrays = list[np.ndarray]
Call = Callable[[np.ndarray], Arrays]


def onnx_file(path: Path) -> Call:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return lambda features: session.run(None, inputs(features))


def openvino_file(path: Path) -> Call:
    import openvino

    core = openvino.Core()
    model = core.compile_model(core.read_model(path), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return lambda features: [np.array(one) for one in model(inputs(features)).values()]


def torch_file(path: Path) -> Call:
    module = torch.export.load(path).module()

    def call(features: np.ndarray) -> Arrays:
        with torch.no_grad():
            return [one.numpy() for one in module(*map(torch.from_numpy, inputs(features).values()))]

    return call


FILES: dict[str, Callable[[Path], Call]] = {"onnx": onnx_file, "openvino": openvino_file, "torch": torch_file}


def inputs(features: np.ndarray) -> dict[str, np.ndarray]:
    """One sequence, of which nothing is padding."""
    return {"features": features[None], "valid": np.ones((1, len(features)), dtype=bool)}


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


def as_detections(arrays: Arrays, detector: Detector, end: float) -> Detections:
    """What a file gives, cut to where the recording ends."""
    segments, scores, labels = (one[0] for one in arrays)
    there = scores > 0
    return Detections(segments[there].clip(0, end), scores[there], labels[there], detector.class_names)


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


@torch.no_grad()
def largest_difference(call: Call, detector: Detector, sequences: Mapping[str, Any]) -> float:
    """Of the network's outputs for all recordings."""
    worst = 0.0
    for sequence in sequences.values():
        features = sequence.features[:]
        outputs = detector.model(torch.from_numpy(features)[None])
        expected = [tensor for part in outputs.parts() for tensor in part[2:4]]
        found = [one for number, one in enumerate(call(features)) if number % 3 < 2]
        worst = max(worst, *(np.abs(one - its.numpy()).max() for one, its in zip(found, expected, strict=True)))
    return float(worst)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, help="a model that was trained on HAPT")
    parser.add_argument("--epochs", type=int, help="other epochs than the derived ones: to see that it runs")
    parser.add_argument("--out", type=Path, default=RESULTS, help="where to write exported.json")
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = prepared("hapt", folder)
        run = options.run or folder / "run"
        if options.run is None:
            trained(data["annotations"], data["features"], options.epochs, run)
        detector = actionformer.load(run)
        every = read_annotations(data["annotations"])
        files = {video: data["features"] / f"{video}.npy" for video in every.subset(["test"]).videos}
        sequences = {video: detector.placed(file, {}) for video, file in files.items()}
        expected = detector.detect_many(files)
        for target, opened in FILES.items():
            for outputs in ("network", "detections"):
                path = folder / f"{outputs}{ENDINGS[target]}"
                begun = time.perf_counter()
                actionformer.export(run, to=target, out=path, outputs=outputs)
                row = {"file": target, "outputs": outputs, "seconds_to_export": time.perf_counter() - begun}
                row["mib"] = sum(one.stat().st_size for one in files_of(path, target)) / 2**20
                call = opened(path)
                if outputs == "network":
                    row["largest_difference"] = largest_difference(call, detector, sequences)
                else:
                    found = {
                        video: as_detections(call(one.features[:]), detector, one.duration)
                        for video, one in sequences.items()
                    }
                    row |= compared(found, expected)
                rows.append(row)
                print(json.dumps(row), flush=True)
        for engine in ENGINES:
            found = actionformer.load(run, engine=engine).detect_many(files)
            rows.append({"engine": engine} | compared(found, expected))
            print(json.dumps(rows[-1]), flush=True)
    write_result("exported", {"epochs": options.epochs or "derived", "rows": rows}, options.out)
    wrong = [row for row in rows if row.get("missing") or row.get("largest_difference", 0) > TOLERANCE]
    sys.exit(f"{len(wrong)} rows differ by more than {TOLERANCE:g}" if wrong else None)


if __name__ == "__main__":
    main()
