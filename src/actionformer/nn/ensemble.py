"""Several networks of one kind as one: their probabilities and distances are averaged at every moment."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from actionformer.nn.network import Network
from actionformer.nn.normalizer import FeatureNormalizer
from actionformer.nn.outputs import LevelOutputs, PyramidOutputs
from actionformer.nn.pyramid_network import PyramidNetwork


class Ensemble(Network):
    """The mean of networks with a feature pyramid, which differ in their weights alone.

    Args:
        members: the networks, at least one.
    """

    def __init__(self, members: Sequence[PyramidNetwork]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    @property
    def normalizer(self) -> FeatureNormalizer:  # type: ignore[override]
        """That of the first; each member has its own."""
        return self.networks[0].normalizer

    @property
    def networks(self) -> list[PyramidNetwork]:
        """The members."""
        return [one for one in self.members if isinstance(one, PyramidNetwork)]

    def forward(self, features: Tensor, valid: Tensor | None = None) -> PyramidOutputs:
        """Features (B, T, D) and their mask (B, T) bool, without which all are valid -> outputs without a pyramid."""
        every = [list(one(features, valid).parts()) for one in self.members]
        levels = [averaged(level) for level in zip(*every, strict=True)]
        logits, offsets, masks = map(list, zip(*(one[2:] for one in levels), strict=True))
        return PyramidOutputs(logits, offsets, masks, pyramid=[])

    def set_class_prior(self, probability: float, classes: list[int] | None = None) -> None:
        """Lets the fresh classifiers of all members give this probability."""
        for one in self.networks:
            one.set_class_prior(probability, classes)


def averaged(several: Sequence[LevelOutputs]) -> LevelOutputs:
    """What networks say of the same moments, as one: the mean of their probabilities, as logits, and of distances."""
    logits = torch.stack([one.logits.float() for one in several])
    mean = _log_mean(F.logsigmoid(logits)) - _log_mean(F.logsigmoid(-logits))
    offsets = torch.stack([one.offsets for one in several]).mean(0)
    first = several[0]
    return LevelOutputs(first.level, first.first, mean.to(first.logits.dtype), offsets, first.valid)


def _log_mean(logarithms: Tensor) -> Tensor:
    """log of the mean of exponentials (N, ...) -> (...)."""
    return logarithms.logsumexp(0) - math.log(len(logarithms))


def averaged_parts(members: Sequence[Iterable[LevelOutputs]]) -> Iterator[LevelOutputs]:
    """What networks say of one sequence part by part, as one."""
    return map(averaged, zip(*members, strict=True))
