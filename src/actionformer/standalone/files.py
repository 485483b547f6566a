"""A graph with its description as a file of another runtime."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch

from actionformer.core.files import replacing
from actionformer.engines.conversion import imported, onnx_of, openvino_of, program_of
from actionformer.engines.graph import Graph
from actionformer.standalone.description import KEY

TargetName = Literal["onnx", "openvino", "torch"]
"""Runtimes."""
ENDINGS = {"onnx": ".onnx", "openvino": ".xml", "torch": ".pt2"}
"""Of their files."""
LARGEST_ONNX = 2**31 - 1
"""Bytes that an ONNX file can hold."""


def files_of(path: Path, target: TargetName) -> list[Path]:
    """All files that belong to an exported model; the weights of OpenVINO's lie beside it."""
    return [path, path.with_suffix(".bin")] if target == "openvino" else [path]


def write(graph: Graph, about: Mapping[str, Any], path: Path, target: TargetName) -> None:
    """Writes a graph, each file whole or not at all.

    Raises:
        InputError: a package is not installed, the graph cannot be converted, or a file cannot be written.
    """
    text = json.dumps(about)
    if target == "torch":
        program = program_of(graph)
        with replacing(path) as temporary:
            torch.export.save(program, temporary, extra_files={f"{KEY}.json": text})
    elif target == "onnx":
        onnx = onnx_of(graph)
        onnx.model.metadata_props[KEY] = text
        content = onnx.model_proto.SerializeToString()
        with replacing(path) as temporary:
            temporary.write_bytes(content)
    else:
        model = openvino_of(graph)
        model.set_rt_info(text, [KEY])
        openvino = imported("openvino", "an export to OpenVINO")
        with replacing(path) as temporary, replacing(path.with_suffix(".bin")) as weights:
            openvino.serialize(model, temporary, weights)
