"""Settings in the making: what the user gives stands, and rules say the rest with their reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actionformer.advice.facts import Facts
from actionformer.data.settings import DataSettings
from actionformer.detectors.index import ARCHITECTURES, imported, settings_of
from actionformer.settings.config import DETECTOR, Changes, Config, merged
from actionformer.settings.renamed import with_present_names

GIVEN = "given"
"""The reason of a setting that the user chose."""


@dataclass(frozen=True)
class Advice:
    """A setting, its value, and why."""

    section: str
    """Of the settings, e.g. `training`."""
    setting: str
    """Its name there, e.g. `epochs`."""
    value: Any
    """As a TOML file holds it."""
    reason: str
    """One line."""

    @property
    def name(self) -> str:
        """Section and setting, e.g. `training.epochs`."""
        return f"{self.section}.{self.setting}"


class Draft:
    """What a rule reads and writes.

    Args:
        facts: of the training videos.
        given: section -> setting -> value, of what the user chose; no rule changes it.
        known: what was said before the facts were known.
    """

    def __init__(self, facts: Facts, given: Changes, known: Sequence[Advice] = ()) -> None:
        self.facts = facts
        self._given = with_present_names(given)
        network = settings_of(self._given.get("model", {}).get("detector", DETECTOR))()
        self._tables = merged(Config(model=network).model_dump(), self._given)
        self.advice: list[Advice] = []
        for one in known:
            self.set(one.name, one.value, one.reason)

    def __getitem__(self, name: str) -> Any:
        """The value of `section.setting`: as given, else as a rule said, else the default."""
        section, setting = name.split(".")
        return self._tables[section][setting]

    def has(self, name: str) -> bool:
        """Whether the chosen detector has a setting."""
        section, setting = name.split(".")
        return setting in self._tables[section]

    def is_given(self, name: str) -> bool:
        """Whether the user chose a setting."""
        section, setting = name.split(".")
        return setting in self._given.get(section, {})

    def set(self, name: str, value: Any, reason: str) -> None:
        """Says a setting, also where an earlier rule has; unless the user has, or the detector has no such setting."""
        if self.has(name) and not self.is_given(name):
            section, setting = name.split(".")
            self._tables[section][setting] = value
            self.advice = [one for one in self.advice if one.name != name]
            self.advice.append(Advice(section, setting, value, reason))

    @property
    def network(self) -> Any:
        """The settings of the network so far, which need not fit together yet."""
        return settings_of(self["model.detector"]).model_construct(**self._tables["model"])

    @property
    def one_length(self) -> bool:
        """Whether the chosen detector takes sequences of one length only."""
        one_length: bool = imported(ARCHITECTURES[self["model.detector"]]).one_length
        return one_length

    @property
    def scores_all_segments(self) -> bool:
        """Whether the chosen detector has a map of all segments of a sequence, up to a longest one."""
        return self.has("model.max_duration")

    @property
    def sequences(self) -> tuple[NDArray[np.int64], ...]:
        """The classes of the actions of each sequence that training sees under the settings so far."""
        return self.facts.sequences(DataSettings.model_construct(**self._tables["data"]))

    def finished(self) -> list[Advice]:
        """What the rules said, and what the user gave."""
        given = [(section, setting) for section, table in self._given.items() for setting in table]
        return [*self.advice, *(Advice(*place, self[".".join(place)], GIVEN) for place in given)]
