"""A network as a graph: tensors in, named tensors out, of any batch and of nearly any length."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from actionformer.core.errors import InputError
from actionformer.detectors.base import Architecture
from actionformer.nn.network import Network
from actionformer.nn.outputs import LevelOutputs
from actionformer.nn.position import PositionEncoding

EXAMPLE = 3
"""Sequences of the example that a graph is made with; another number than any width."""


@dataclass(frozen=True)
class Lengths:
    """Which sequences a graph takes, in features: those of `least` or of a larger multiple of `multiple`."""

    least: int
    multiple: int
    longest: int | None = None
    """None: any."""

    @property
    def fixed(self) -> bool:
        """Whether all have one length."""
        return self.longest == self.least

    def padded(self, length: int) -> int:
        """The length that one of `length` features is padded to, which its mask tells."""
        return self.least if length <= self.least else -(-length // self.multiple) * self.multiple


def lengths_of(architecture: Architecture, network: Network) -> Lengths:
    """Which sequences the graph of a network takes.

    Of a pyramid they are multiples of the coarsest stride, so that each level has exactly half of the moments of the
    one before: that is what an exporter can follow. Two coarsest moments are the least, as one would be a case of its
    own.
    """
    data = architecture.config.data
    if architecture.one_length:
        length = data.window or data.resize
        assert length is not None
        return Lengths(length, length, length)
    coarsest = max((level.stride for level in architecture.levels(network)), default=1)
    tables = [len(one.table) for one in network.modules() if isinstance(one, PositionEncoding)]
    return Lengths(2 * coarsest, coarsest, min(tables) // coarsest * coarsest if tables else None)


class Graph(nn.Module):
    """What an exporter is given: features (B, T, D) float32 and their mask (B, T) bool -> tensors, called `names`.

    Args:
        network: on the CPU or another device.
        architecture: its detector.

    Raises:
        InputError: the network cannot be a graph; the message says why.
    """

    def __init__(self, network: Network, architecture: Architecture) -> None:
        super().__init__()
        if reason := architecture.why_no_graph():
            raise InputError(f"{architecture.config.model.detector} {reason}")
        self.network = network.eval()
        self.architecture = architecture
        self.lengths = lengths_of(architecture, network)
        self.strides = [level.stride for level in architecture.levels(network)]
        self.many = not architecture.one_by_one
        with torch.no_grad():
            self.forms, tensors = taken_apart(self.parts(*self.example()))
        self.names = list(tensors)

    def example(self) -> tuple[Tensor, Tensor]:
        """Small inputs, of which the last moments are padding."""
        sequences = EXAMPLE if self.many else 1
        length = self.lengths.least if self.lengths.fixed else 6 * self.lengths.multiple
        device, width = self.network.device, self.architecture.config.model.input_width
        valid = torch.ones(sequences, length, dtype=torch.bool, device=device)
        valid[0, length // 2 :] = False
        return torch.zeros(sequences, length, width, device=device), valid

    def forward(self, features: Tensor, valid: Tensor) -> tuple[Tensor, ...]:
        """Features (B, T, D) and their mask (B, T) -> the outputs of the network."""
        return tuple(taken_apart(self.parts(features, valid))[1].values())

    def parts(self, features: Tensor, valid: Tensor) -> Iterator[Any]:
        """The outputs as a decoder takes them."""
        torch._check(valid.shape[0] == features.shape[0])
        return self.architecture.parts(self.network(features, valid))


@dataclass(frozen=True)
class Form:
    """A part of a network's outputs, without its tensors."""

    kind: type[Any]
    others: dict[str, Any]
    """What it holds besides tensors."""
    tensors: tuple[str, ...]
    """The fields that are tensors."""


def taken_apart(parts: Iterable[Any]) -> tuple[list[Form], dict[str, Tensor]]:
    """The forms of outputs, and their tensors by name: that of the field, and the level or, without levels, `out`."""
    forms: list[Form] = []
    tensors: dict[str, Tensor] = {}
    for part in parts:
        fields = part._asdict()
        own = {name: value for name, value in fields.items() if isinstance(value, Tensor)}
        forms.append(Form(type(part), {name: fields[name] for name in fields.keys() - own.keys()}, tuple(own)))
        ending = f"_{part.level}" if isinstance(part, LevelOutputs) else "_out"
        tensors |= {f"{name}{ending}": value for name, value in own.items()}
    return forms, tensors


def put_together(forms: Sequence[Form], tensors: Sequence[Tensor]) -> Iterator[Any]:
    """The outputs that `taken_apart` has taken apart."""
    left = iter(tensors)
    for form in forms:
        yield form.kind(**form.others, **{name: next(left) for name in form.tensors})
