"""A second stage with nothing but what the contract asks for: it gives each proposal classes and better ends."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, Literal, NamedTuple

import torch
from torch import Tensor, nn

from actionformer.detectors.base import Architecture
from actionformer.inference.settings import DecodingSettings
from actionformer.nn.assignment import GroundTruth
from actionformer.nn.decoding import Candidates
from actionformer.nn.layers import Conv
from actionformer.nn.losses import focal_loss
from actionformer.nn.network import Network
from actionformer.nn.normalizer import FeatureNormalizer
from actionformer.settings.config import Config
from actionformer.settings.model import ModelSettings

DRAWN = 6
"""Proposals of a sequence that a step of training looks at."""
ENOUGH = 0.5
"""From which tIoU on a proposal is to have the class of an action."""


class JudgingSettings(ModelSettings):
    """The network. Widths are channels."""

    detector: Literal["judging"] = "judging"
    """Which detector."""
    width: int = 8
    """Channels of its one hidden layer."""


class Judged(NamedTuple):
    """What is said of the proposals of one sequence."""

    proposals: Tensor
    """(N, 2)"""
    logits: Tensor
    """(N, K)"""
    shifts: Tensor
    """(N, 2) of start and end, in lengths of the proposal."""

    @property
    def refined(self) -> Tensor:
        return self.proposals + self.shifts * (self.proposals[:, 1:] - self.proposals[:, :1])


class JudgingNetwork(Network):
    CLASS_ROWS = ("classes.",)
    FIRST_LAYER = ("normalizer.", "hidden.")

    def __init__(self, settings: JudgingSettings) -> None:
        super().__init__()
        self.normalizer = FeatureNormalizer(settings.input_width)
        self.hidden = Conv(settings.input_width, settings.width, 3)
        self.classes = nn.Linear(settings.width, settings.num_classes or 0)
        self.ends = nn.Linear(settings.width, 2)

    def forward(self, features: Tensor, valid: Tensor | None = None, proposals: Sequence[Tensor] = ()) -> list[Judged]:
        x = torch.relu(self.hidden(self.normalizer(features, valid).to(self.dtype)))
        return [self._judged(*one) for one in zip(x, proposals, strict=True)]

    def _judged(self, x: Tensor, proposals: Tensor) -> Judged:
        """Each by the mean of the moments in it."""
        moments = torch.arange(len(x), device=x.device)
        inside = (moments >= proposals[:, :1].floor()) & (moments <= proposals[:, 1:].ceil())  # (N, T)
        pooled = inside.to(x.dtype) @ x / inside.sum(1, keepdim=True).clamp(min=1)
        return Judged(proposals, self.classes(pooled), 0.1 * torch.tanh(self.ends(pooled)))

    def set_class_prior(self, probability: float, classes: list[int] | None = None) -> None:
        with torch.no_grad():
            self.classes.bias[slice(None) if classes is None else classes] = -math.log((1 - probability) / probability)


class JudgingCriterion:
    def __init__(self, num_classes: int) -> None:
        self.num_classes = num_classes

    def losses(
        self, truths: Sequence[GroundTruth], device: torch.device
    ) -> list[Callable[[list[Judged]], Mapping[str, Tensor]]]:
        return [partial(self._parts, truth) for truth in truths]

    def _parts(self, truth: GroundTruth, outputs: list[Judged]) -> dict[str, Tensor]:
        what, where = [], []
        for judged, segments, labels in zip(outputs, truth.segments, truth.labels, strict=True):
            overlap = overlaps(judged.proposals, segments.to(judged.proposals.device))  # (N, M)
            classes = torch.zeros_like(judged.logits)
            proposal, action = (overlap > ENOUGH).nonzero(as_tuple=True)
            classes[proposal, labels.to(classes.device)[action]] = 1
            what.append(focal_loss(judged.logits, classes))
            where.append((judged.refined[proposal] - segments.to(classes.device)[action]).abs().sum())
        return {"what": torch.stack(what).mean(), "where": torch.stack(where).mean()}

    def figures(self) -> dict[str, float]:
        return {}

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        assert state == {}


def overlaps(first: Tensor, second: Tensor) -> Tensor:
    """(N, M) tIoU of segments (N, 2) and (M, 2)."""
    shared = torch.minimum(first[:, None, 1], second[:, 1]) - torch.maximum(first[:, None, 0], second[:, 0])
    both = (first[:, 1] - first[:, 0])[:, None] + second[:, 1] - second[:, 0]
    return shared.clamp(min=0) / (both - shared.clamp(min=0))


class JudgingDecoder:
    def __init__(self, settings: DecodingSettings) -> None:
        self.settings = settings
        self.found: list[Judged] = []

    @torch.no_grad()
    def add(self, outputs: list[Judged]) -> None:
        self.found.extend(outputs)

    def candidates(self) -> list[Candidates]:
        return [self._of(one) for one in self.found]

    def _of(self, judged: Judged) -> Candidates:
        scores, pairs = judged.logits.float().sigmoid().flatten().sort(descending=True, stable=True)
        pairs = pairs[: self.settings.top_k][scores[: self.settings.top_k] > self.settings.min_probability]
        proposal, labels = pairs // judged.logits.shape[1], pairs % judged.logits.shape[1]
        segments, refined = (one.double().cpu()[proposal.cpu()] for one in (judged.proposals, judged.refined))
        centre = segments.mean(1).round().clamp(min=0).long()
        return Candidates(segments, scores[: len(pairs)].cpu(), labels.cpu(), torch.zeros_like(centre), centre, refined)

    def overflown(self) -> list[bool]:
        return [not bool(one.logits.isfinite().all() & one.shifts.isfinite().all()) for one in self.found]

    def left_out(self) -> list[tuple[float, int]]:
        return [(0.0, 0) for _ in self.found]


class Judging(Architecture):
    """What a second stage must bring, and no more."""

    second_stage: ClassVar[bool] = True

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        assert isinstance(config.model, JudgingSettings)
        self.settings = config.model

    def network(self) -> JudgingNetwork:
        return JudgingNetwork(self.settings)

    def criterion(self) -> JudgingCriterion:
        return JudgingCriterion(self.settings.num_classes or 0)

    def decoder(self) -> JudgingDecoder:
        return JudgingDecoder(self.config.decoding)

    def drawn(self, truth: GroundTruth) -> GroundTruth:
        """Some of each sequence, with replacement."""
        return replace(
            truth, proposals=[one[torch.randint(len(one), (DRAWN,))] if len(one) else one for one in truth.proposals]
        )
