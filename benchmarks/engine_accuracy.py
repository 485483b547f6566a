"""What int8 costs in accuracy, for `engines.py`: mAP on HAPT's `test` people, ours and OpenVINO's."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from engine_calls import Outputs, export, installed, openvino_call, quantised
from rivals import prepared
from torch import Tensor, nn

import actionformer
from actionformer import Detector, read_annotations, score
from actionformer.core.annotations import Annotations
from actionformer.core.terminal import plain_console
from actionformer.inference.runner import Runner
from actionformer.nn.outputs import PyramidOutputs
from actionformer.nn.points import level_lengths


class EngineRunner(Runner):
    """A runner whose network is in another engine."""

    other: nn.Module

    @property
    def network(self) -> Any:
        """Features (1, T, D) -> outputs."""
        return self.other


class Padded(nn.Module):
    """An engine that takes sequences of one length, for shorter ones: masks make what it is padded with not matter."""

    def __init__(self, call: Callable[..., Outputs], length: int, strides: Sequence[int]) -> None:
        super().__init__()
        self.call, self.length, self.strides = call, length, strides

    def forward(self, features: Tensor, valid: Tensor | None = None) -> PyramidOutputs:
        """Features (1, T, D), all valid -> outputs of their own moments."""
        assert valid is None
        moments = level_lengths(features.shape[1], self.strides)
        found = self.call(*padded(features, self.length))
        cut = [one[:, :count].clone() for one, count in zip(found, (*moments, *moments), strict=True)]
        masks = [torch.ones(1, count, dtype=torch.bool) for count in moments]
        return PyramidOutputs(cut[: len(moments)], cut[len(moments) :], masks, pyramid=[])


def padded(features: Tensor, length: int) -> tuple[Tensor, Tensor]:
    """(1, T, D) -> (1, length, D) with zeros behind, and the mask (1, length)."""
    known = torch.arange(length)[None] < features.shape[1]
    return F.pad(features, (0, 0, 0, length - features.shape[1])), known


def trained(annotations: Path, features: Path, epochs: int | None, out: Path) -> Detector:
    """A model with derived settings, after other epochs if asked."""
    training: dict[str, Any] = {"seed": 0, "evaluate_every": 0}
    if epochs:
        training |= {"epochs": epochs, "warmup_epochs": 0}
    settings = {"training": training}
    return actionformer.train("auto", annotations, features, out, settings=settings, console=plain_console(sys.stderr))


def accuracy(folder: Path, *, run: Path | None, epochs: int | None, threads: int) -> dict[str, float]:
    """Of a run, or of a model that is trained in the folder: engine and type of numbers -> mAP in percent.

    Raises:
        LeftOutError: OpenVINO or NNCF is not installed.
    """
    openvino = installed("openvino")
    installed("nncf")
    data = prepared("hapt", folder)
    every, features = read_annotations(data["annotations"]), data["features"]
    detector = actionformer.load(run) if run else trained(data["annotations"], features, epochs, folder / "run")
    videos = {video: detector.placed(features / f"{video}.npy", {}) for video in every.videos}
    longest = max(map(len, videos.values()))
    known = every.subset(detector.config.data.train_subset).videos
    samples = [padded(videos[video].part(0, len(videos[video]))[0][None], longest) for video in known]
    export(detector.model, samples[0], folder / "hapt.onnx")
    model = openvino.Core().read_model(folder / "hapt.onnx")
    found = {"ours, float32": average(detector, every, features)}
    for dtype, made in {"float32": model, "int8": quantised(model, samples)}.items():
        call = openvino_call(made, "f32", threads)
        found[f"openvino, {dtype}"] = average(through(detector, call, longest), every, features)
    return found


def through(detector: Detector, call: Callable[..., Outputs], length: int) -> Detector:
    """The detector with its network in another engine, which takes sequences of one length."""
    runner = EngineRunner(detector.model, detector.config, detector.device)
    runner.other = Padded(call, length, runner.strides)
    other = copy.copy(detector)
    other.runner = runner
    return other


def average(detector: Detector, every: Annotations, features: Path) -> float:
    """Mean mAP over tIoU 0.3 to 0.7 of the test videos, in percent."""
    subset = every.subset(detector.config.data.test_subset)
    found = detector.detect_many({video: features / f"{video}.npy" for video in subset.videos})
    return 100 * score(subset, found).average
