"""What is known of a published repository: its configuration files, and its names of weights."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

Tables = Mapping[str, Any]
"""A configuration: section -> key -> value, and the keys outside of any section."""


def _not_read(published: Tables) -> dict[str, dict[str, Any]]:
    raise NotImplementedError


def _unchanged(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return weights


@dataclass(frozen=True)
class Repository:
    """Published code for one detector. What it does not list is refused by name.

    Where its configurations are programs or options, which are not read, a preset takes their place, and `own_weights`
    tell whose a checkpoint is.
    """

    renames: tuple[tuple[str, str], ...]
    """Our names of weights -> theirs: patterns and replacements, applied in order; each rewrites one part of a name."""
    repeated: tuple[tuple[str, str], ...] = ()
    """Their names of one weight that checkpoints hold under several -> the name of ours: patterns and replacements."""
    weights: str = "state_dict_ema"
    """The key of a checkpoint that its weights are under."""
    beside: tuple[str, ...] = ()
    """Keys of a checkpoint that stand beside its weights and hold what a network of ours keeps with them."""
    streams: tuple[float, ...] = ()
    """Where a checkpoint is one stream of a model: what the streams weigh. Ours are called `streams.0.` and so on."""
    own_weights: tuple[str, ...] = ()
    """Names of weights that tell its checkpoints from all others."""
    detector: str = ""
    """What its checkpoints are weights of, where these tell whose they are."""
    own_shape: tuple[str, tuple[int, ...]] = ("", ())
    """One of them, and the last of its sizes, which tell them from those of another branch with the same names."""
    prepare: Callable[[dict[str, Tensor]], dict[str, Tensor]] = _unchanged
    """Its weights by name, cut as ours are, without what is no weight."""
    changes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Section -> setting -> value, of ours on top of a preset's, without which a checkpoint gives other numbers."""
    top: Mapping[str, Any] = field(default_factory=dict)
    """Every key of a configuration outside of its sections, with the default it takes when absent."""
    sections: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Every section, and in it every key likewise; a default of None takes any value."""
    lists: tuple[str, ...] = ()
    """Keys of a number that may be a list instead: one per source of features, or one per resolution."""
    allowed: Mapping[tuple[str, str], tuple[Any, ...]] = field(default_factory=dict)
    """Section, "" for none, and key of which only these values are understood."""
    own_backbones: tuple[str, ...] = ()
    """Values of `model.backbone_type` that only this repository has: they, and its own keys, tell it from others."""
    own_keys: tuple[str, ...] = ()
    """Keys that only this repository has, of the section `model` or, without sections, of the file."""
    translate: Callable[[Tables], dict[str, dict[str, Any]]] = _not_read
    """Our settings for a configuration with all its defaults."""

    sizes: Mapping[str, str] = field(default_factory=dict)
    """A tensor of a checkpoint -> the setting of the model that its first size is, which no weight of ours tells."""
    class_rows: str = ""
    """A weight of theirs with a row per class, where no configuration says how many there are."""

    def recognises(self, tables: Tables) -> bool:
        """Whether a configuration, as it stands in the file, is of this repository."""
        if not self.sections:
            return not tables.keys().isdisjoint(self.own_keys)
        model = tables.get("model")
        if not isinstance(model, Mapping):
            return False
        return model.get("backbone_type") in self.own_backbones or not model.keys().isdisjoint(self.own_keys)

    def has(self, weights: Mapping[str, Tensor]) -> bool:
        """Whether a checkpoint with these weights is of this repository."""
        if not self.own_weights or not set(weights).issuperset(self.own_weights):
            return False
        name, last = self.own_shape
        return not name or tuple(weights[name].shape[-len(last) :]) == last

    def published_name(self, name: str) -> str:
        """The name that a weight of ours has in a checkpoint, without the `module.` prefix."""
        return _rewritten(name, self.renames)

    def first_name(self, name: str) -> str:
        """Of the names that a checkpoint has for one weight that of ours."""
        return _rewritten(name, self.repeated)


def _rewritten(name: str, rules: tuple[tuple[str, str], ...]) -> str:
    for pattern, replacement in rules:
        name = re.sub(pattern, replacement, name)
    return name
