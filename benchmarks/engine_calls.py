"""What `engines.py` times: a call an engine, from features to the outputs of all levels, or why there is none."""

from __future__ import annotations

import copy
import importlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from actionformer import Config
from actionformer.core.errors import InputError
from actionformer.core.segments import TimeGrid
from actionformer.detectors.base import architecture_of
from actionformer.engines.engine import Engine
from actionformer.inference.runner import Runner
from actionformer.inference.sequences import ArrayRows, FeatureSequence
from actionformer.nn.network import Network
from actionformer.nn.packed import has_product

PACKAGES = {"onnxruntime": ("onnxruntime", "onnx", "onnxscript"), "openvino": ("openvino", "onnx", "onnxscript")}
"""What an engine needs beside torch, by the name of its own package."""
GRID = TimeGrid(fps=30.0, stride=4, num_frames=16)

Outputs = Sequence[Tensor]
"""Logits (1, T_l, K) of all levels, then offsets (1, T_l, 2) of all levels."""


class LeftOutError(Exception):
    """Why an engine takes no part."""


@dataclass(frozen=True)
class Task:
    """What every engine does: one pass over the same features."""

    model: Network
    """In float32."""
    config: Config
    features: Tensor
    """(1, T, D)"""
    dtype: str
    threads: int
    file: Path
    """The export of the model for this length; made by the first engine that needs it."""
    published: Any = None
    """The authors' network with the same weights."""


class Flat(nn.Module):
    """A network whose outputs are one tuple of tensors, as exporters want them."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, features: Tensor, valid: Tensor | None = None) -> tuple[Tensor, ...]:
        """Features (1, T, D) and their mask (1, T) -> logits of all levels, then offsets."""
        outputs = self.network(features, valid)
        return (*outputs.logits, *outputs.offsets)


def ours(task: Task) -> Callable[[], Outputs]:
    runner = Runner(in_dtype(task), task.config, torch.device("cpu"))
    sequence = FeatureSequence(ArrayRows(task.features[0].numpy()), GRID, 1.0)
    levels = range(len(runner.strides))

    def call() -> Outputs:
        parts = [(part.level, part.logits.clone(), part.offsets.clone()) for part in runner.outputs([sequence])]
        return [torch.cat([part[kind] for part in parts if part[0] == level], 1) for kind in (1, 2) for level in levels]

    return call


def plain(task: Task) -> Callable[[], Outputs]:
    return partial(Flat(in_dtype(task)), task.features)


def of_package(name: str, task: Task) -> Callable[[], Outputs]:
    """As `load(run, engine=name)` computes it: one program for sequences of any length."""
    try:
        engine = Engine(name, in_dtype(task), architecture_of(task.config))
    except InputError as reason:
        raise LeftOutError(str(reason)) from reason

    def call() -> Outputs:
        parts = list(engine(task.features, None))
        return [*(part.logits for part in parts), *(part.offsets for part in parts)]

    return call


def open_vino(task: Task) -> Callable[[], Outputs]:
    """In other numbers than float32 for this very length; in int8 with the ranges of the very features."""
    if task.dtype == "float32":
        return of_package("openvino", task)
    model = installed("openvino").Core().read_model(exported(task))
    if task.dtype == "int8":
        model = quantised(model, [(task.features,)])
    call = openvino_call(model, "bf16", task.threads)
    return lambda: call(task.features)


def published(task: Task) -> Callable[[], Outputs]:
    """As published inference computes it, to the end of the heads."""
    if task.published is None or task.dtype != "float32":
        raise LeftOutError("no checkout given" if task.published is None else f"it has no {task.dtype}")
    network, video = task.published, {"feats": task.features[0].T.contiguous()}

    def call() -> Outputs:
        levels, masks = network.backbone(*network.preprocessing([video]))
        levels, masks = network.neck(levels, masks)
        outputs = (*network.cls_head(levels, masks), *network.reg_head(levels, masks))
        return [one.transpose(1, 2) for one in outputs]

    return call


ENGINES: dict[str, Callable[[Task], Callable[[], Outputs]]] = {
    "ours": ours,
    "plain": plain,
    "compile": partial(of_package, "compile"),
    "onnxruntime": partial(of_package, "onnxruntime"),
    "openvino": open_vino,
    "published": published,
}


def in_dtype(task: Task) -> Network:
    """The model in the task's numbers."""
    if task.dtype == "float32":
        return task.model
    if not has_product(torch.empty(1, dtype=torch.bfloat16)):
        raise LeftOutError("this processor has no instructions for bfloat16")
    model = copy.deepcopy(task.model).bfloat16()
    model.normalizer.float()
    return model


def installed(name: str) -> Any:
    """The package of an engine, where all that it needs is there."""
    needed = PACKAGES.get(name, (name,))
    try:
        first, *_ = [importlib.import_module(one) for one in needed]
    except ImportError as error:
        raise LeftOutError(f"{error}: pip install {' '.join(needed)}") from error
    return first


def exported(task: Task) -> Path:
    """The model as an ONNX file, for features of this very length."""
    if not task.file.exists():
        export(task.model, (task.features,), task.file)
    return task.file


def export(model: nn.Module, example: tuple[Tensor, ...], file: Path) -> None:
    """Its shapes are the example's: what depends on them is computed here and not in the engine."""
    with torch.inference_mode(mode=False), torch.no_grad():
        program = torch.onnx.export(Flat(model).eval(), example, dynamo=True, verbose=False)
    assert program is not None
    program.save(file)


def openvino_call(model: Any, hint: str, threads: int) -> Callable[..., Outputs]:
    """The model compiled; raises if it would compute in other numbers than the hint says."""
    core = installed("openvino").Core()
    settings = {"INFERENCE_PRECISION_HINT": hint, "INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"}
    try:
        made = core.compile_model(model, "CPU", settings)
    except RuntimeError as error:
        raise LeftOutError(f"OpenVINO refuses {hint}: {str(error).splitlines()[-1]}") from error
    if (found := made.get_property("INFERENCE_PRECISION_HINT").to_string()) != hint:
        raise LeftOutError(f"OpenVINO computes in {found} where {hint} is asked for")
    request = made.create_infer_request()

    def call(*inputs: Tensor) -> Outputs:
        found = request.infer([one.numpy() for one in inputs], share_inputs=True, share_outputs=True)
        return [torch.from_numpy(found[one]) for one in made.outputs]

    return call


def quantised(model: Any, samples: Sequence[tuple[Tensor, ...]]) -> Any:
    """The model with products in int8, whose ranges are those of the samples."""
    nncf = installed("nncf")
    data = nncf.Dataset(samples, lambda sample: [one.numpy() for one in sample])
    return nncf.quantize(model, data, model_type=nncf.ModelType.TRANSFORMER, subset_size=len(samples))


# --- the authors' code


def published_network(checkout: Path) -> Any:
    """Its network in eval mode, with random weights.

    `libs.utils` of the checkout is not imported: it needs a compiled extension, which the network does not.
    """
    sys.path.insert(0, str(checkout))
    without = ModuleType("libs.utils")
    without.batched_nms = None  # type: ignore[attr-defined]
    sys.modules["libs.utils"] = without
    config = importlib.import_module("libs.core").load_config(str(checkout / "configs" / "thumos_i3d.yaml"))
    return importlib.import_module("libs.modeling").make_meta_arch(config["model_name"], **config["model"]).eval()


def expected_of_published(task: Task) -> Outputs:
    """What our network says with published padding, which the authors' code must say too."""
    config = task.config.replace(model={"mask_padding": "published"})
    network = architecture_of(config).network().eval()
    network.load_state_dict(task.model.state_dict())
    return ours(replace(task, model=network, config=config))()
