"""The contract for detectors: what each brings, so that training, inference and the viewer need not know which it is.

A detector has a folder here with its settings (`settings.py`, no torch), the network that they make (`network.py`), and
its `Architecture`. `index.py` says where to find them.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor, nn

from actionformer.core.errors import InputError
from actionformer.detectors.index import ARCHITECTURES, imported
from actionformer.nn.assignment import GroundTruth
from actionformer.nn.attention_maps import AttentionMaps
from actionformer.nn.chunks import Chunks
from actionformer.nn.decoding import Candidates
from actionformer.nn.network import Network
from actionformer.nn.weight_rules import WeightRule, maps_decay
from actionformer.settings.config import Config

CERTAIN = 20.0
"""The logit of what there is no doubt about, in `Architecture.perfect`; float32 knows no probability nearer to 1."""

Part = tuple[Tensor, Tensor | None]
"""Features (t, D) that follow those before, and their mask (t,), None where nothing is padding."""


class Criterion(Protocol):
    """The loss of training, with what it remembers from step to step."""

    def losses(
        self, truths: Sequence[GroundTruth], device: torch.device
    ) -> list[Callable[[Any], Mapping[str, Tensor]]]:
        """For each batch of one step a function from the network's outputs to the parts of its loss.

        The parts are named scalars; their sum is what the step minimises. The metrics call them `<name>_loss`.
        """

    def figures(self) -> dict[str, float]:
        """Numbers of the last step that a person may want to follow.

        A `normalizer` is what the losses were divided by, where that changes from step to step.
        """

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run needs."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continues from `state_dict`."""


class Decoder(Protocol):
    """From outputs to candidates, for a batch of sequences whose outputs may come in parts."""

    def add(self, outputs: Any) -> None:
        """Takes in a part of the outputs; nothing waits for the device."""

    def candidates(self) -> list[Candidates]:
        """Those of all outputs so far, of each sequence, in grid steps; of level 0 where there are no levels."""

    def overflown(self) -> list[bool]:
        """Of each sequence whether the network gave a number that is not finite."""

    def left_out(self) -> list[tuple[float, int]]:
        """The highest score that `decoding.top_k` has left out of each sequence, 0 if none, and its level."""


class SamplingMaps(Protocol):
    """What shows where the layers of a network look that sample a few places of a sequence."""

    @property
    def places(self) -> int:
        """Places that each head looks at."""

    def names(self) -> list[str]:
        """What to call the layers, in order."""

    def weights(self, features: Tensor, valid: Tensor | None, layer: int, position: int) -> Tensor:
        """(H, T) what each feature (1, T, D) counts for each head of a layer, seen from the feature at a position."""


@dataclass(frozen=True)
class Level:
    """One level of a pyramid."""

    stride: int
    """Features from one moment to the next."""
    window: int
    """Moments that the level's own block sees; at most 1 for all."""
    lookahead: int | None
    """Features after a moment that its outputs depend on; None where that has no bound."""
    action_range: tuple[float, float]
    """Distances to the further end of an action that the level was trained for, in features."""


class Architecture(ABC):
    """A detector under some settings.

    A sequence is fed to it whole, resized to one length (`data.resize`), or in windows of one length (`data.window`).
    """

    one_length: ClassVar[bool] = False
    """Whether it takes sequences of one length only, so that one of these two has to be set."""
    windows_together: ClassVar[int] = 1
    """Windows that a CPU computes at once, where that is faster than one by one."""
    second_stage: ClassVar[bool] = False
    """Whether it judges proposals of segments, which come with every sequence: the network is then called with a list
    of them, (N_b, 2) float32 of each sequence in grid steps, after features and mask."""
    one_by_one: ClassVar[bool] = False
    """Whether the graph of its network, which other engines are given, takes one sequence at a time."""

    def __init__(self, config: Config) -> None:
        self.config = config

    @abstractmethod
    def network(self) -> Network:
        """The network with fresh weights, drawn from torch's global generator."""

    @abstractmethod
    def criterion(self) -> Criterion:
        """The loss of training."""

    @abstractmethod
    def decoder(self) -> Decoder:
        """What makes candidates of outputs."""

    # What a detector may bring besides.

    @property
    def candidate_span(self) -> int | None:
        """Features that `decoding.top_k` counts in, None for all that the network sees at once."""
        return self.config.model.max_length if self.config.decoding.cap_per == "length" else None

    def parts(self, outputs: Any) -> Iterator[Any]:
        """The outputs of one forward pass, as the decoder takes them: all at once."""
        yield outputs

    def drawn(self, truth: GroundTruth) -> GroundTruth:
        """What training looks at of a batch: all of it.

        A second stage replaces the proposals by those that it learns from, drawn from torch's global generator.
        """
        return truth

    def keep_statistics(self, network: Network, truth: GroundTruth) -> None:
        """Lets a fresh network keep what it has to know of the actions and proposals of all training videos: nothing.

        What it keeps are buffers, which are saved with its weights.
        """
        return

    def outputs_of(self, network: Network, features: Tensor, valid: Tensor | None, proposals: Sequence[Tensor]) -> Any:
        """The outputs of the network, which a second stage's is given proposals for."""
        if not self.second_stage:
            return network(features, valid)
        return network(features, valid, [one.to(features.device, non_blocking=True) for one in proposals])

    def undivided(self) -> str | None:
        """Why processes cannot share a batch: what its loss depends on as a whole. None where they can.

        They can where `Criterion.losses`, which knows the truths of all parts, is a sum over the sequences.
        """
        return None

    def average_updates(self) -> dict[str, int]:
        """Weights that the weight average counts in more than once per step, and how often, as published code does."""
        return {}

    def weight_rule(self, name: str, weight: nn.Parameter) -> WeightRule:
        """How much a weight of the network decays, and what its learning rate is multiplied by."""
        return maps_decay(name, weight)

    def computed_length(self, length: int) -> int:
        """The length to compute for a sequence of `length` features, padding included, so that outputs are right."""
        return max(length, self.config.data.window or 0)

    def padded_length(self, length: int) -> int:
        """The length that the results of a sequence depend on; sequences of unlike ones share no batch. 0: on none."""
        return 0

    def divisor(self) -> int:
        """What published padding makes the length of a sequence over `max_length` a multiple of; 1 without it."""
        return 1

    def why_no_graph(self) -> str | None:
        """Why other engines cannot be given the network as a graph, after the detector's name; None where they can."""
        return "judges proposals, whose number no graph knows" if self.second_stage else None

    def training_length(self) -> int | None:
        """The length that training pads every sequence to, None for that of the longest in the batch."""
        return self.config.data.window

    def chunks(self, network: Network) -> Chunks | None:
        """What runs a sequence in chunks, as it comes; None where the network has to see all of it first."""
        return None

    def long_outputs(self, network: Network, read: Callable[[], Iterable[Part]]) -> Iterator[Any] | None:
        """Outputs of one long sequence in memory that does not grow with it, None where the network cannot.

        Args:
            network: in eval mode.
            read: gives the sequence from its beginning, in parts; it may be called more than once.
        """
        return None

    def levels(self, network: Network) -> list[Level]:
        """The levels of the pyramid, none where a detector has no such thing; those that have give `LevelOutputs`."""
        return []

    def attention(self, network: Network) -> AttentionMaps | None:
        """What shows the network's attention, None where it has none."""
        return None

    def sampling(self, network: Network) -> SamplingMaps | None:
        """What shows where the network looks, if it samples places; None where it does not."""
        return None

    @property
    def most_actions(self) -> int | None:
        """The most actions that can be found in a sequence, or in a window of it; None where that has no bound."""
        return None

    @property
    def furthest(self) -> float:
        """The longest distance to an action's end, in features, that any output is responsible for."""
        return math.inf

    def taught(self, segments: Sequence[Tensor], lengths: Sequence[int]) -> Tensor | None:
        """(N,) how many outputs learn each of the N actions of some videos, None where that cannot be told."""
        return None

    def perfect(self, truth: GroundTruth) -> Any:
        """The outputs of a network that says exactly what training asks of it, None where that cannot be told."""
        return None


def takes_proposals(config: Config) -> bool:
    """Whether the detector that the settings name is a second stage."""
    return _kind(config).second_stage


def _kind(config: Config) -> type[Architecture]:
    kind: type[Architecture] = imported(ARCHITECTURES[config.model.detector])
    return kind


def architecture_of(config: Config) -> Architecture:
    """What the detector that the settings name brings.

    Raises:
        InputError: it takes sequences of one length, and the settings give none.
    """
    architecture = _kind(config)
    if architecture.one_length and config.data.resize is None and config.data.window is None:
        raise InputError(f"{config.model.detector} takes sequences of one length: set data.window or data.resize")
    return architecture(config)
