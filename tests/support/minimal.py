"""A detector with nothing but what the contract asks for: convolutions at full length, no pyramid."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from actionformer.detectors.base import Architecture
from actionformer.nn.assignment import GroundTruth, Targets, assign_batch
from actionformer.nn.decoding import Decoder
from actionformer.nn.layers import Conv
from actionformer.nn.losses import diou_loss, focal_loss
from actionformer.nn.network import Network
from actionformer.nn.normalizer import FeatureNormalizer
from actionformer.nn.outputs import LevelOutputs
from actionformer.settings.config import Config
from actionformer.settings.model import ModelSettings


class MinimalSettings(ModelSettings):
    """The network. Widths are channels."""

    detector: Literal["minimal"] = "minimal"
    """Which detector."""
    width: int = 8
    """Channels of its one hidden layer."""


class Outputs(NamedTuple):
    logits: Tensor
    distances: Tensor
    valid: Tensor


class MinimalNetwork(Network):
    CLASS_ROWS = ("classes.",)
    FIRST_LAYER = ("normalizer.", "hidden.")

    def __init__(self, settings: MinimalSettings) -> None:
        super().__init__()
        self.normalizer = FeatureNormalizer(settings.input_width)
        self.hidden = Conv(settings.input_width, settings.width, 3)
        self.classes = Conv(settings.width, settings.num_classes or 0, 1)
        self.ends = Conv(settings.width, 2, 1)

    def forward(self, features: Tensor, valid: Tensor | None = None) -> Outputs:
        x = torch.relu(self.hidden(self.normalizer(features, valid).to(self.dtype)))
        everywhere = torch.ones(x.shape[:2], dtype=torch.bool, device=x.device)
        distances = 5 * functional.softplus(self.ends(x))
        return Outputs(self.classes(x), distances, everywhere if valid is None else valid)

    def set_class_prior(self, probability: float, classes: list[int] | None = None) -> None:
        assert self.classes.bias is not None
        with torch.no_grad():
            self.classes.bias[slice(None) if classes is None else classes] = -math.log((1 - probability) / probability)


class MinimalCriterion:
    def __init__(self, num_classes: int) -> None:
        self.num_classes = num_classes

    def losses(
        self, truths: Sequence[GroundTruth], device: torch.device
    ) -> list[Callable[[Outputs], Mapping[str, Tensor]]]:
        return [partial(self._parts, self._targets(truth).to(device)) for truth in truths]

    def _targets(self, truth: GroundTruth) -> Targets:
        return assign_batch(
            truth.segments,
            truth.labels,
            truth.lengths,
            padded_length=truth.padded_length,
            strides=[1],
            ranges=[(0, 1e9)],
            num_classes=self.num_classes,
            center_radius=None,
        )

    def _parts(self, targets: Targets, outputs: Outputs) -> dict[str, Tensor]:
        valid, positive = targets.valid_moments, targets.positive_moments
        logits, distances = outputs.logits.flatten(0, 1), outputs.distances.flatten(0, 1)
        count = max(targets.num_positives, 1)
        return {
            "what": focal_loss(logits[valid], targets.classes.flatten(0, 1)[valid]) / count,
            "where": diou_loss(distances[positive], targets.offsets.flatten(0, 1)[positive]) / count,
        }

    def figures(self) -> dict[str, float]:
        return {}

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        assert state == {}


class Minimal(Architecture):
    """What a detector must bring, and no more."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        assert isinstance(config.model, MinimalSettings)
        self.settings = config.model

    def network(self) -> MinimalNetwork:
        return MinimalNetwork(self.settings)

    def criterion(self) -> MinimalCriterion:
        return MinimalCriterion(self.settings.num_classes or 0)

    def decoder(self) -> Decoder:
        return Decoder([1], self.config.decoding)

    def parts(self, outputs: Outputs) -> Iterator[LevelOutputs]:
        yield LevelOutputs(0, 0, *outputs)
