"""A graph as a program of torch, as a model of ONNX and as one of OpenVINO."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from threading import RLock
from typing import Any

import torch
from torch.export import Dim, ExportedProgram

from actionformer.core.errors import InputError, missing_extra
from actionformer.engines.graph import Graph

INPUTS = ("features", "valid")
"""What every graph calls its inputs."""
OPSET = 20
"""Of ONNX: the first that has GELU."""
_ONE_THREAD = RLock()
"""Exporters and compilers take one thread at a time: with several, the weights of a network are lost to all."""


def program_of(graph: Graph) -> ExportedProgram:
    """The graph as torch's own program, of any batch and length that it takes.

    Raises:
        InputError: its network does what no program can follow.
    """
    lengths = graph.lengths
    most = None if lengths.longest is None else lengths.longest // lengths.multiple
    length = None if lengths.fixed else lengths.multiple * Dim("steps", min=lengths.least // lengths.multiple, max=most)
    shape = {0: Dim("batch", min=1) if graph.many else None, 1: length}
    oblivious = torch.fx.experimental._config.patch(backed_size_oblivious=True)  # type: ignore[attr-defined]
    with torch.no_grad(), quiet(), oblivious:  # a batch of one is no case of its own
        torch._dynamo.reset()  # it would take loops of an earlier export for these
        try:
            return torch.export.export(graph, graph.example(), dynamic_shapes=(shape, shape), strict=False)
        except (RuntimeError, ValueError, TypeError) as error:
            first = str(error).strip().partition("\n")[0]
            raise InputError(f"{graph.architecture.config.model.detector}: cannot become a program: {first}") from error


def onnx_of(graph: Graph) -> Any:
    """The graph as a `torch.onnx.ONNXProgram`.

    Raises:
        InputError: the packages are not installed, or it cannot be one.
    """
    imported("onnx", "an export to ONNX")
    imported("onnxscript", "an export to ONNX")
    program = program_of(graph)
    with quiet():
        try:
            return torch.onnx.export(
                program, input_names=INPUTS, output_names=graph.names, opset_version=OPSET, dynamo=True, verbose=False
            )
        except torch.onnx.OnnxExporterError as error:
            detector = graph.architecture.config.model.detector
            raise InputError(f"{detector}: has a part that ONNX has no operation for: take torch") from error


def openvino_of(graph: Graph) -> Any:
    """The graph as an `openvino.Model`.

    Raises:
        InputError: as of `onnx_of`, by whose model it is made.
    """
    openvino = imported("openvino", "an export to OpenVINO")
    content = onnx_of(graph).model_proto.SerializeToString()
    try:
        return openvino.Core().read_model(content, b"")
    except RuntimeError as error:
        detector = graph.architecture.config.model.detector
        raise InputError(f"{detector}: has a part that OpenVINO has no operation for: take ONNX Runtime") from error


def imported(package: str, purpose: str) -> Any:
    """A package of the extra `export`.

    Raises:
        InputError: it is not installed.
    """
    try:
        return import_module(package)
    except ImportError as error:
        raise missing_extra(package, "export", purpose) from error


@contextmanager
def quiet() -> Iterator[None]:
    """One thread at a time, without what exporters and compilers say to their own developers."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir", "torch.export")]
    with _ONE_THREAD, warnings.catch_warnings(action="ignore"):
        levels = [one.level for one in loggers]
        for one in loggers:
            one.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for one, level in zip(loggers, levels, strict=True):
                one.setLevel(level)
