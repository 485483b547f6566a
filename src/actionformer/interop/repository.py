"""What is known of a published repository: its configuration files, and its names of weights."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Tables = Mapping[str, Any]
"""A configuration: section -> key -> value, and the keys outside of any section."""


@dataclass(frozen=True)
class Repository:
    """Published code for one detector. What it does not list is refused by name."""

    top: Mapping[str, Any]
    """Every key of a configuration outside of its sections, with the default it takes when absent."""
    sections: Mapping[str, Mapping[str, Any]]
    """Every section, and in it every key likewise; a default of None takes any value."""
    lists: tuple[str, ...]
    """Keys of a number that may be a list instead: one per source of features, or one per resolution."""
    allowed: Mapping[tuple[str, str], tuple[Any, ...]]
    """Section and key of which only these values are understood."""
    own_backbones: tuple[str, ...]
    """Values of `model.backbone_type` that only this repository has: they, and its own keys, tell it from others."""
    own_keys: tuple[str, ...]
    """Keys of the section `model` that only this repository has."""
    translate: Callable[[Tables], dict[str, dict[str, Any]]]
    """Our settings for a configuration with all its defaults."""
    renames: tuple[tuple[str, str], ...]
    """Our names of weights -> theirs: patterns and replacements, applied in order; each rewrites one part of a name."""
    repeated: tuple[tuple[str, str], ...] = ()
    """Their names of one weight that checkpoints hold under several -> the name of ours: patterns and replacements."""

    def recognises(self, tables: Tables) -> bool:
        """Whether a configuration, as it stands in the file, is of this repository."""
        model = tables.get("model")
        if not isinstance(model, Mapping):
            return False
        return model.get("backbone_type") in self.own_backbones or not model.keys().isdisjoint(self.own_keys)

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
