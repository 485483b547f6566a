"""Engines that compute a network in its place."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from threading import Lock
from typing import Any, Literal, get_args

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from actionformer.core.errors import InputError
from actionformer.detectors.base import Architecture
from actionformer.engines.conversion import INPUTS, imported, onnx_of, openvino_of, quiet
from actionformer.engines.graph import Graph, put_together
from actionformer.nn.network import Network

EngineName = Literal["onnxruntime", "openvino", "compile"]
ENGINES: tuple[EngineName, ...] = get_args(EngineName)
Call = Callable[[Tensor, Tensor], Sequence[Tensor]]


class Engine:
    """Computes a network in another program, with the weights that it has at the first call.

    The first call makes the program, which takes seconds to minutes.

    Args:
        name: one of `ENGINES`.
        network: in eval mode.
        architecture: its detector.

    Raises:
        InputError: no such engine, one that is not installed, one that computes in float32 on the CPU alone where the
            network is elsewhere or of another type, or a network that cannot be a graph.
    """

    def __init__(self, name: str, network: Network, architecture: Architecture) -> None:
        if name not in ENGINES:
            raise InputError(f"no engine {name!r:.60}: expected {', '.join(ENGINES)}")
        if name == "compile":
            if network.device.type == "cpu" and shutil.which(os.environ.get("CXX", "g++")) is None:
                raise InputError("the engine compile needs a C++ compiler: install g++")
        else:
            for package in ("onnx", "onnxscript", name):
                imported(package, f"the engine {name}")
            if network.device.type != "cpu" or network.dtype != torch.float32:
                raise InputError(f"the engine {name} computes in float32 on the CPU: leave out device and precision")
        self.name = name
        self.graph = Graph(network, architecture)
        self._call: Call | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Without the program, which is made again when it is needed, and cannot be pickled."""
        return self.__dict__ | {"_call": None}

    def prepare(self) -> None:
        """Makes the program now, and not at the first call."""
        self(*self.graph.example())

    def takes(self, length: int) -> bool:
        """Whether it computes sequences of so many features, padding included."""
        longest = self.graph.lengths.longest
        return longest is None or length <= longest

    def __call__(self, features: Tensor, valid: Tensor | None) -> Iterator[Any]:
        """Features (B, T, D) and their mask (B, T) -> outputs as a decoder takes them, until the next call."""
        if self._call is None:
            with quiet():  # one thread makes it, others wait
                self._call = self._call or CALLS[self.name](self.graph)
        if valid is None:
            valid = torch.ones(features.shape[:2], dtype=torch.bool, device=features.device)
        if missing := self.graph.lengths.padded(features.shape[1]) - features.shape[1]:
            features, valid = F.pad(features, (0, 0, 0, missing)), F.pad(valid, (0, missing))
        if self.graph.many:
            return put_together(self.graph.forms, self._call(features, valid))
        each = [self._call(*one) for one in zip(features.split(1), valid.split(1), strict=True)]
        return put_together(self.graph.forms, [torch.cat(one) for one in zip(*each, strict=True)])


def onnxruntime_call(graph: Graph) -> Call:
    """The graph in ONNX Runtime."""
    runtime = imported("onnxruntime", "the engine onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    options.add_session_config_entry("session.force_spinning_stop", "1")  # others have the processor after it
    content = onnx_of(graph).model_proto.SerializeToString()
    session = runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    def call(*inputs: Tensor) -> Sequence[Tensor]:
        given = {name: one.contiguous().numpy() for name, one in zip(INPUTS, inputs, strict=True)}
        return [torch.from_numpy(one) for one in session.run(None, given)]

    return call


def openvino_call(graph: Graph) -> Call:
    """The graph in OpenVINO, in float32: on some processors it would take bfloat16 unasked."""
    openvino = imported("openvino", "the engine openvino")
    settings = {
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "PERFORMANCE_HINT": "LATENCY",
    }
    made = openvino.Core().compile_model(openvino_of(graph), "CPU", settings)
    request, one_thread = made.create_infer_request(), Lock()

    def call(*inputs: Tensor) -> Sequence[Tensor]:
        given = {name: one.contiguous().numpy() for name, one in zip(INPUTS, inputs, strict=True)}
        with one_thread:
            found = request.infer(given, share_inputs=True)
        return [torch.from_numpy(found[one]) for one in made.outputs]

    return call


def compiled_call(graph: Graph) -> Call:
    """The graph compiled by torch, of any length."""
    with quiet():
        compiled = torch.compile(graph, dynamic=None if graph.lengths.fixed else True)

    def call(*inputs: Tensor) -> Sequence[Tensor]:
        with quiet():
            found: Sequence[Tensor] = compiled(*inputs)
        return found

    return call


CALLS: dict[str, Callable[[Graph], Call]] = {
    "onnxruntime": onnxruntime_call,
    "openvino": openvino_call,
    "compile": compiled_call,
}
