"""Small models in published formats with random weights, and what the published implementations compute with them."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.lib.npyio import NpzFile
from torch import Tensor, nn

from actionformer.detectors.base import Architecture, architecture_of
from actionformer.interop.published_settings import read_configuration
from actionformer.interop.published_weights import load_published_weights, read_published_weights
from actionformer.interop.repository import Repository
from actionformer.nn.layers import ScaledDropPath
from actionformer.nn.pyramid_network import PyramidNetwork

FOLDERS = (
    "thumos",
    "anet",
    "ablation_conv_fpn",
    "family/tridet/thumos",
    "family/tridet/anet",
    "family/tridet/plain_head",
    "family/temporalmaxer/thumos",
    "family/temporalmaxer/epic",
)
"""Beneath `../shared/parity`."""


class Published(NamedTuple):
    """A published configuration with its checkpoint."""

    repository: Repository
    architecture: Architecture
    network: PyramidNetwork


class Case(NamedTuple):
    """A stored sequence: its number, the length that it is padded to, and how it lies in time."""

    number: int
    padded: int
    timing: dict[str, float]


def configuration(folder: Path) -> Path:
    """The configuration of a folder, which not all call the same."""
    named = folder / "official_config.yaml"
    return named if named.is_file() else folder / "config.yaml"


def cases(folder: Path) -> list[Case]:
    """The stored sequences of a folder, which not all list in the same place."""
    own, common = folder / "cases.json", folder.parent / "cases.json"
    rows = json.loads(own.read_text()) if own.is_file() else json.loads(common.read_text())[folder.name]["inference"]
    return [
        Case(
            row["index"],
            row["padded"] if "padded" in row else row["padded_length"],
            {"stride": row["feat_stride"], **{name: row[name] for name in ("fps", "num_frames", "duration")}},
        )
        for row in rows
    ]


def steps_per_epoch(folder: Path) -> int:
    """Of the stored steps of training."""
    common = folder.parent / "cases.json"
    steps: int = json.loads(common.read_text())[folder.name]["training"]["steps_per_epoch"] if common.is_file() else 4
    return steps


def load(folder: Path) -> Published:
    repository, settings = read_configuration(configuration(folder))
    architecture = architecture_of(settings)
    network = architecture.network()
    assert isinstance(network, PyramidNetwork)
    load_published_weights(network, read_published_weights(folder / "epoch_007.pth.tar"), str(folder), repository)
    return Published(repository, architecture, network)


def without_chance(model: nn.Module) -> None:
    for module in model.modules():
        if isinstance(module, ScaledDropPath):
            module.probability = 0.0
        if isinstance(module, nn.Dropout):
            module.p = 0.0


@torch.inference_mode()
def stages(network: PyramidNetwork, arrays: NpzFile, case: int, padded: int) -> list[dict[str, Tensor]]:
    """What the network says of a stored case, a dictionary per level; masks and what lies at padding included."""
    sequence = torch.from_numpy(arrays[f"{case}.features"])
    features = torch.zeros(1, padded, sequence.shape[1])
    features[0, : len(sequence)] = sequence
    outputs = network(features, torch.arange(padded).unsqueeze(0) < len(sequence))
    inputs = network.neck(outputs.pyramid, list(outputs.valid))
    levels = zip(outputs.pyramid, inputs, outputs.valid, outputs.logits, outputs.offsets, strict=True)
    found = [dict(zip(("pyramid", "fpn", "mask", "logits", "offsets"), one, strict=True)) for one in levels]
    for level, named in enumerate(found):
        if network.boundary is not None:
            named |= _boundary(network, named["fpn"], named["mask"], level) | {"distances": named.pop("offsets")}
    return [{name: tensor[0] for name, tensor in named.items()} for named in found]


def _boundary(network: PyramidNetwork, x: Tensor, mask: Tensor, level: int) -> dict[str, Tensor]:
    assert network.boundary is not None
    bins = network.offset_activation(network.regressor(x, mask), level).unflatten(-1, (2, -1))
    return {"start_logits": network.boundary.start(x, mask), "end_logits": network.boundary.end(x, mask), "bins": bins}


def differences(network: PyramidNetwork, arrays: NpzFile, case: int, padded: int) -> dict[str, float]:
    """Largest difference of each stored stage over all levels, at valid moments; masks must be equal."""
    worst: dict[str, float] = {}
    for level, found in enumerate(stages(network, arrays, case, padded)):
        mask = found.pop("mask").numpy()
        np.testing.assert_array_equal(mask, arrays[f"{case}.level{level}.mask"])
        for name, tensor in found.items():
            if (key := f"{case}.level{level}.{name}") in arrays:
                assert tensor.shape == arrays[key].shape
                difference = float(np.abs(tensor.numpy() - arrays[key])[mask].max())
                worst[name] = max(worst.get(name, 0.0), difference)
    return worst


def published_weights(network: PyramidNetwork, repository: Repository) -> dict[str, Tensor]:
    """A network's weights under the published names, in the published shapes."""
    weights: dict[str, Tensor] = {}
    for name, parameter in network.named_parameters():
        tensor = parameter.detach()
        if name.endswith("relative_bias"):
            tensor = tensor[None, None]
        elif tensor.dim() == 2:
            tensor = tensor.unsqueeze(-1)
        elif tensor.dim() == 3:
            tensor = tensor.mT
        elif ("norm" in name and not _is_group_norm(network, name)) or name.endswith(".scale"):
            tensor = tensor.view(1, -1, 1)
        weights[repository.published_name(name)] = tensor
    return weights


def _is_group_norm(network: PyramidNetwork, name: str) -> bool:
    return isinstance(network.get_submodule(name.rpartition(".")[0]), nn.GroupNorm)
