"""A run as a file for another runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from actionformer.core.errors import InputError, warn
from actionformer.core.files import check_absent
from actionformer.engines.graph import Graph
from actionformer.features import timing_of
from actionformer.hub import is_address
from actionformer.inference.loading import load
from actionformer.inference.sequences import given_spec, known_grid
from actionformer.settings.config import Changes
from actionformer.standalone.description import description
from actionformer.standalone.files import ENDINGS, files_of, write
from actionformer.standalone.graph import DetectionGraph


def export(
    run: str | Path,
    *,
    to: Literal["onnx", "openvino", "torch"] = "onnx",
    out: str | Path | None = None,
    outputs: Literal["detections", "candidates", "network"] = "detections",
    fps: float | None = None,
    stride: float | None = None,
    num_frames: float | None = None,
    overwrite: bool = False,
    settings: Changes | None = None,
) -> Path:
    """Writes a model as one graph that runs without this package, for features of any length and batch.

    Args:
        run: a model directory, or a model of huggingface.co: hf://USER/MODEL.
        to: the runtime: onnx (ONNX Runtime and others), openvino, or torch (a program of torch.export).
        out: the file to write; by default model.onnx, model.xml (its weights beside it, model.bin) or model.pt2 in the
            run.
        outputs: of the graph: detections, after decoding and suppression; candidates, after decoding alone; or what the
            network says of every moment.
        fps: frames per second of the videos; by default those that the model was trained on. So are the next two.
        stride: frames between neighbouring features.
        num_frames: frames a feature covers.
        overwrite: replace files that exist.
        settings: of decoding, suppression, fusion and live, where they are not to be the run's.

    Returns:
        The file.

    Raises:
        InputError: no model directory, a file that is there, a package that is not installed, a network that cannot be
            a graph, or settings that no graph can follow; the message says which.

    Warns:
        UserWarning: the model has a classifier of videos, which is left out.
    """
    if to not in ENDINGS:
        raise InputError(f"no runtime {to!r:.60}: expected {', '.join(ENDINGS)}")
    if out is None and is_address(run):
        raise InputError(f"{run}: has no folder to write into: give --out FILE{ENDINGS[to]}")
    path = Path(out) if out is not None else Path(run) / f"model{ENDINGS[to]}"
    if path.suffix != ENDINGS[to]:
        raise InputError(f"{path}: an export for {to} ends in {ENDINGS[to]}")
    files = files_of(path, to)
    check_absent(files, overwrite=overwrite)
    detector = load(run, settings=settings)
    if detector.classifier is not None:
        warn(
            f"{run}: its classifier of videos does not go into the file, so every segment there is of the class "
            f"{detector.card.class_names[0]!r}: give videos their classes outside",
            stacklevel=2,
        )
    given = given_spec({"fps": fps, "stride": stride, "num_frames": num_frames})
    timing = timing_of(call=given, model=detector.card.features)
    if outputs == "network":
        graph = Graph(detector.model, detector.runner.architecture)
    else:
        grid = None if detector.config.data.resize is not None else known_grid(timing)
        graph = DetectionGraph(detector, grid, suppress=outputs == "detections")
    write(graph, description(detector, graph, timing, outputs), path, to)
    return files[0]
