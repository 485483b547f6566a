"""What detectors have in common that classify and regress the moments of a feature pyramid."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from actionformer.core.errors import InputError
from actionformer.detectors.base import CERTAIN, Architecture, Level, Part
from actionformer.nn.assignment import GroundTruth, Targets, answering, assign_batch
from actionformer.nn.chunks import Chunks, EnsembleChunks, NetworkChunks, lookahead, with_last
from actionformer.nn.decoding import Decoder
from actionformer.nn.ensemble import Ensemble, averaged_parts
from actionformer.nn.losses import Criterion, LossNormalizer
from actionformer.nn.network import Network
from actionformer.nn.outputs import LevelOutputs, PyramidOutputs
from actionformer.nn.padding import length_that_matters, padded_to
from actionformer.nn.points import level_lengths
from actionformer.nn.pyramid_network import PyramidNetwork
from actionformer.nn.settings import PyramidSettings
from actionformer.settings.config import Config


class PyramidArchitecture(Architecture):
    """An anchor-free detector on a feature pyramid: point assignment, focal and distance-IoU loss, any length."""

    @property
    def settings(self) -> PyramidSettings:
        """Of the network."""
        assert isinstance(self.config.model, PyramidSettings)
        return self.config.model

    @abstractmethod
    def member(self) -> PyramidNetwork:
        """A network with fresh weights, drawn from torch's global generator."""

    def network(self) -> PyramidNetwork | Ensemble:
        """The network, or so many of them as one."""
        members = [self.member() for _ in range(self.settings.members)]
        return Ensemble(members) if len(members) > 1 else members[0]

    def criterion(self) -> PyramidCriterion:
        """Focal loss of all valid moments, distance-IoU loss of the positive ones.

        Raises:
            InputError: several networks are to be trained as one.
        """
        if self.settings.members > 1:
            raise InputError(
                "model.members: networks are trained one by one: train runs of several seeds, and put them together "
                "with `actionformer ensemble`"
            )
        return PyramidCriterion(self.config)

    def undivided(self) -> str | None:
        """The balance of both losses, which a weight below 0 asks for."""
        weight = self.config.training.regression_weight
        return f"training.regression_weight is {weight:g}, below 0, and needs whole batches" if weight < 0 else None

    def decoder(self) -> Decoder:
        """Every moment proposes a segment per class."""
        return Decoder(self.settings.strides, self.config.decoding, self.candidate_span)

    def parts(self, outputs: PyramidOutputs) -> Iterator[LevelOutputs]:
        """Level by level."""
        return outputs.parts()

    def divisor(self) -> int:
        """What published padding makes the length of a sequence over `max_length` a multiple of."""
        steps = zip(self.settings.strides, self.settings.level_windows, strict=True)
        return max(stride * 2 * (window // 2) if window > 1 else stride for stride, window in steps)

    def sees_padding(self, padded: int) -> bool:
        """Whether published padding matters at valid moments beyond what a convolution reads of it."""
        return False

    def computed_length(self, length: int) -> int:
        """All that matters of the sequence and its padding; exact masks make padding matter nowhere."""
        padded = self.padded_length(length)
        if not padded:
            return length
        return padded if self.sees_padding(padded) else length_that_matters(length, padded, self.settings)

    def padded_length(self, length: int) -> int:
        """The length that published inference pads a sequence to; 0 with exact masks."""
        published = self.settings.mask_padding == "published"
        return padded_to(length, self.settings, self.divisor()) if published else 0

    def training_length(self) -> int | None:
        """`max_length` where padding is as published."""
        return self.settings.max_length if self.settings.mask_padding == "published" else super().training_length()

    def chunks(self, network: Network) -> Chunks | None:
        """What runs a sequence as it comes, if every part of the network sees a limited way."""
        if isinstance(network, Ensemble):
            members = [chunks for one in network.networks if (chunks := self.chunks(one))]
            return EnsembleChunks(members) if members else None
        assert isinstance(network, PyramidNetwork)
        return None if lookahead(network) is None else NetworkChunks(network)

    def long_outputs(self, network: Network, read: Callable[[], Iterable[Part]]) -> Iterator[LevelOutputs] | None:
        """The same outputs as in one pass."""
        if isinstance(network, Ensemble):
            members = [parts for one in network.networks if (parts := self.long_outputs(one, read)) is not None]
            return averaged_parts(members) if members else None
        chunks = self.chunks(network)
        return None if chunks is None else _pushed(chunks, read())

    def levels(self, network: Network) -> list[Level]:
        """Stride, window and range of every level."""
        network = network.networks[0] if isinstance(network, Ensemble) else network
        assert isinstance(network, PyramidNetwork)
        settings = self.settings
        ahead: Sequence[int | None] = lookahead(network) or [None] * settings.num_levels
        rows = zip(settings.strides, settings.level_windows, ahead, settings.regression_ranges, strict=True)
        return [Level(*row) for row in rows]

    @property
    def furthest(self) -> float:
        """The end of the last level's range."""
        return max(largest for _, largest in self.settings.regression_ranges)

    def taught(self, segments: Sequence[Tensor], lengths: Sequence[int]) -> Tensor:
        """(N,) how many moments learn the class of each action."""
        if not segments:
            return torch.empty(0, dtype=torch.int64)
        return answering(
            segments,
            lengths,
            strides=self.settings.strides,
            ranges=self.settings.regression_ranges,
            center_radius=center_radius(self.config),
        )

    def perfect(self, truth: GroundTruth) -> PyramidOutputs:
        """Certain of every class of a moment, and of no other; distances are the targets, as far as heads reach."""
        targets = PyramidCriterion(self.config).targets(truth)
        furthest = self.settings.boundary_bins if self.settings.boundary == "trident" else None
        lengths = level_lengths(truth.padded_length, self.settings.strides)
        parts = ((2 * targets.classes - 1) * CERTAIN, targets.offsets.clamp(0, furthest), targets.valid)
        logits, offsets, valid = (list(torch.split(part, lengths, dim=1)) for part in parts)
        return PyramidOutputs(logits, offsets, valid, pyramid=[])


def _pushed(chunks: Chunks, parts: Iterable[Part]) -> Iterator[LevelOutputs]:
    for part, last in with_last(parts):
        yield from chunks.push(*part, last=last)


def center_radius(config: Config) -> float | None:
    """How near to an action's centre a positive moment lies, in strides of its level; None for anywhere inside."""
    return config.training.center_radius if config.training.center_sampling else None


class PyramidCriterion:
    """The loss of ActionFormer (ECCV 2022, section 3.3), divided by a running mean of positive moments."""

    def __init__(self, config: Config) -> None:
        settings = config.model
        assert isinstance(settings, PyramidSettings)
        self.config, self.settings = config, settings
        self.normalizer = LossNormalizer(config.training.initial_normalizer)
        self.criterion = Criterion(
            regression_weight=config.training.regression_weight,
            label_smoothing=config.training.label_smoothing,
            iou_power=settings.iou_power,
            accumulate=config.training.accumulate,
        )

    def losses(
        self, truths: Sequence[GroundTruth], device: torch.device
    ) -> list[Callable[[PyramidOutputs], Mapping[str, Tensor]]]:
        """For each batch of one step a function from outputs to the parts of its loss."""
        targets = [self.targets(truth).to(device) for truth in truths]
        normalizer = self.normalizer.update(sum(target.num_positives for target in targets))
        return [partial(self._parts, target, normalizer) for target in targets]

    def targets(self, truth: GroundTruth) -> Targets:
        """What the network should say about a batch."""
        assert self.settings.num_classes is not None
        return assign_batch(
            truth.segments,
            truth.labels,
            truth.lengths,
            padded_length=truth.padded_length,
            strides=self.settings.strides,
            ranges=self.settings.regression_ranges,
            num_classes=self.settings.num_classes,
            center_radius=center_radius(self.config),
        )

    def _parts(self, targets: Targets, normalizer: float, outputs: PyramidOutputs) -> dict[str, Tensor]:
        losses = self.criterion(outputs.logits, outputs.offsets, targets, normalizer)
        return {"classification": losses.classification, "regression": losses.weighted_regression}

    def figures(self) -> dict[str, float]:
        """The running mean of positive moments."""
        return {"normalizer": self.normalizer.value}

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run needs."""
        return self.normalizer.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continues from `state_dict`."""
        self.normalizer.load_state_dict(state)
