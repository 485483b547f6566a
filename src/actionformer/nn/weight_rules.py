"""How the optimiser treats a weight: how much it decays, and how fast it learns beside the others."""

from __future__ import annotations

from typing import NamedTuple

from torch import nn


class WeightRule(NamedTuple):
    """What a detector says of one of its weights."""

    decay_factor: float = 1.0
    """What `training.weight_decay` is multiplied by; 0 for a weight that does not decay."""
    rate_factor: float = 1.0
    """What the learning rate is multiplied by."""


def maps_decay(name: str, weight: nn.Parameter) -> WeightRule:
    """Weights of linear maps and convolutions decay, nothing else does; all learn at the same rate.

    Such a weight is called `weight` and has two dimensions or more. Biases, norms, scales, the relative position bias
    and the position table do not decay.
    """
    return WeightRule(decay_factor=float(name.rpartition(".")[2] == "weight" and weight.ndim >= 2))
