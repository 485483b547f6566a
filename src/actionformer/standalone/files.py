"""A graph with its description as a file of another runtime."""

from __future__ import annotations

import json
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import torch

from actionformer.core.files import write_whole
from actionformer.engines.conversion import imported, onnx_of, openvino_of, program_of
from actionformer.engines.graph import Graph
from actionformer.standalone.description import KEY

TargetName = Literal["onnx", "openvino", "torch"]
"""Runtimes."""
ENDINGS = {"onnx": ".onnx", "openvino": ".xml", "torch": ".pt2"}
"""Of their files."""


def files_of(path: Path, target: TargetName) -> list[Path]:
    """All files that belong to an exported model; the weights of OpenVINO's lie beside it."""
    return [path.with_suffix(own) for own in (".xml", ".bin")] if target == "openvino" else [path]


def write(graph: Graph, about: Mapping[str, Any], path: Path, target: TargetName) -> None:
    """Writes a graph, each file whole or not at all.

    Raises:
        InputError: a package is not installed, the graph cannot be converted, or a file cannot be written.
    """
    text = json.dumps(about)
    if target == "torch":
        content = BytesIO()
        torch.export.save(program_of(graph), content, extra_files={f"{KEY}.json": text})
        write_whole(path, content.getvalue())
    elif target == "onnx":
        onnx = onnx_of(graph)
        onnx.model.metadata_props[KEY] = text
        write_whole(path, onnx.model_proto.SerializeToString())
    else:
        model = openvino_of(graph)
        model.set_rt_info(text, [KEY])
        with TemporaryDirectory() as folder:  # it writes files of these endings alone
            made = Path(folder) / "model.xml"
            imported("openvino", "an export to OpenVINO").serialize(model, made)
            for own in (".bin", ".xml"):
                write_whole(path.with_suffix(own), made.with_suffix(own).read_bytes())
