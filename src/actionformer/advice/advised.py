"""All rules, one after the other, and what they said: as settings, as a table, as a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import tomlkit

from actionformer.advice.augmentation import add_augmentation
from actionformer.advice.draft import Advice, Draft
from actionformer.advice.facts import Facts
from actionformer.advice.network import add_network, add_usual
from actionformer.advice.pyramid import add_pyramid
from actionformer.advice.schedule import add_schedule
from actionformer.advice.sequences import add_sequences
from actionformer.advice.windows import add_windows
from actionformer.core.terminal import TextTable
from actionformer.settings.config import Changes, Config, merged, validated

RULES: tuple[Callable[[Draft], None], ...] = (
    add_augmentation,
    add_windows,
    add_pyramid,
    add_sequences,
    add_network,
    add_schedule,
    add_usual,
)
"""In this order: each sees what those before it said."""
NOT_FITTING = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What a rule may stumble over where a setting that was given is none."""


@dataclass(frozen=True)
class Advised:
    """Settings that fit data, and why."""

    config: Config
    """All settings; those without advice are as by default."""
    advice: tuple[Advice, ...]
    """The settings that were derived or given, by section."""

    def table(self) -> TextTable:
        """A row per setting: its value and the reason."""
        table = TextTable("setting", "value", "why", box=None)
        for one in self.advice:
            table.add_row(one.name, _in_a_row(one.value), one.reason)
        return table

    def to_toml(self) -> str:
        """A file of settings that gives the same training, each with its reason as a comment."""
        document = tomlkit.document()
        document.add(tomlkit.comment("Settings that were derived from data. What is not here is as by default."))
        for section, settings in groupby(self.advice, key=lambda one: one.section):
            table = tomlkit.table()
            for one in settings:
                table.add(tomlkit.comment(one.reason))
                table.add(one.setting, one.value)
            document.add(section, table)
        return tomlkit.dumps(document)


def advised(facts: Facts, given: Changes | None = None, known: Sequence[Advice] = ()) -> Advised:
    """The settings that fit training videos.

    Args:
        facts: of the training videos.
        given: section -> setting -> value, of what the user chose; the rest is derived to fit it.
        known: what was said before the facts were known.

    Raises:
        InputError: a setting that is given is unknown, or its value out of range.
    """
    given = given or {}
    try:
        draft = Draft(facts, given, known)
        for rule in RULES:
            rule(draft)
    except NOT_FITTING:
        validated(merged({}, given), source="settings")  # says what is wrong with a setting that was given
        raise
    said = draft.finished()
    config = validated(_tables(said), source="settings")
    values = config.model_dump(mode="json")
    order = {section: i for i, section in enumerate(values)}
    in_order = sorted(said, key=lambda one: order[one.section])
    return Advised(config, tuple(replace(one, value=values[one.section][one.setting]) for one in in_order))


def _tables(advice: Sequence[Advice]) -> dict[str, dict[str, object]]:
    tables: dict[str, dict[str, object]] = {}
    for one in advice:
        tables.setdefault(one.section, {})[one.setting] = one.value
    return tables


def _in_a_row(value: object) -> str:
    """A value as the command line takes it."""
    if isinstance(value, list | tuple):
        return " ".join(map(_in_a_row, value))
    return f"{value:g}" if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else str(value)
