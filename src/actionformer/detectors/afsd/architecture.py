"""AFSD as a detector (Lin et al., Learning Salient Boundary Feature for Anchor-free Temporal Action Localization)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from actionformer.core.errors import InputError
from actionformer.detectors.afsd.criterion import AFSDCriterion, tiou
from actionformer.detectors.afsd.decoding import Decoder
from actionformer.detectors.afsd.network import AFSDNetwork, Outputs
from actionformer.detectors.afsd.settings import AFSDSettings
from actionformer.detectors.afsd.targets import answering
from actionformer.detectors.base import CERTAIN, Architecture
from actionformer.nn.assignment import GroundTruth
from actionformer.nn.weight_rules import WeightRule
from actionformer.settings.config import Config


class AFSD(Architecture):
    """Each moment of a pyramid proposes a segment, and looks again at its boundaries to refine it."""

    one_length = True

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        assert isinstance(config.model, AFSDSettings)
        self.settings = config.model
        self.exact = self.settings.mask_padding == "exact"
        length, last = self.training_length(), self.settings.strides[-1]
        if not self.exact and length % last:
            raise InputError(
                f"published moments need windows of a multiple of {last} features, found {length}: change data.window, "
                "data.resize or model.levels, or set model.mask_padding to exact"
            )

    @property
    def shift(self) -> float:
        """Steps from where a sequence begins to its first feature; published windows begin at it."""
        return 0.5 if self.exact or self.config.data.resize is not None else 0.0

    def network(self) -> AFSDNetwork:
        """The network with fresh weights, drawn from torch's global generator."""
        return AFSDNetwork(self.settings)

    def criterion(self) -> AFSDCriterion:
        """Coarse and refined segments and classes, how well they fit, starts and ends."""
        return AFSDCriterion(self.settings, self.shift)

    def decoder(self) -> Decoder:
        """Every moment proposes its refined segment for each class."""
        return Decoder(self.config.decoding, self.settings, self.shift)

    def weight_rule(self, name: str, weight: nn.Parameter) -> WeightRule:
        """As published, all weights decay, biases, norms and scales too."""
        return WeightRule()

    def why_no_graph(self) -> str:
        """Its second look."""
        return "looks again at stretches of a sequence, as long as its own outputs say, which no graph can follow"

    def computed_length(self, length: int) -> int:
        """A multiple of the last level's stride; with published padding that of all sequences."""
        last = self.settings.strides[-1]
        return -(-length // last) * last if self.exact else self.training_length()

    def training_length(self) -> int:
        """That of every window or resized sequence, up to a multiple of the last level's stride."""
        last = self.settings.strides[-1]
        length = self.config.data.window or self.config.data.resize or 0
        return -(-length // last) * last if self.exact else length

    @property
    def furthest(self) -> float:
        """The longest distance of any level's bounds."""
        return self.settings.furthest

    def taught(self, segments: Sequence[Tensor], lengths: Sequence[int]) -> Tensor:
        """(N,) how many moments learn each action."""
        return answering(segments, lengths, self.settings, self.shift)

    def perfect(self, truth: GroundTruth) -> Outputs:
        """Certain of every class and boundary, with segments that need no second look."""
        targets = self.criterion().targets(truth)
        classes = torch.arange(1 + (self.settings.num_classes or 0))
        logits = torch.where(targets.labels[..., None] == classes, CERTAIN, -CERTAIN)
        boundaries = targets.boundaries[:, :: self.settings.frames_per_feature]
        return Outputs(
            distances=targets.distances,
            logits=logits,
            shifts=torch.zeros_like(targets.distances),
            refined_logits=logits,
            center=CERTAIN * (2 * tiou(targets.distances, targets.distances) - 1),
            frame_boundaries=targets.boundaries,
            boundaries=torch.stack((boundaries, boundaries)),
            valid=None,
        )
