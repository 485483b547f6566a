"""What an ablation changes: one switch each against the full model."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from actionformer.checks.unused import unused_changes
from actionformer.core.errors import InputError, listed
from actionformer.core.names import nearest
from actionformer.nn.settings import PyramidSettings
from actionformer.settings.config import Changes, Config, differences

ALL = "all"
"""All built-in switches that the detector has."""
LEVELS = "levels"
"""`levels=4` makes a pyramid of so many levels."""
SHORTENED = 2
"""What the longest training sequence is divided by."""
FIRST = 4
"""Features that the range of a first level ends at, where there is no other."""


FIXED = (("data", "test_subset"), ("model", "num_classes"), ("training", "seed"))
"""Settings by which entries could not be compared, besides those of evaluation."""
IDLE = (("training", "evaluate_every"), ("training", "workers"))
"""Settings that change nothing of a model that has come to its end."""

Change = Callable[[Config, int], Changes]
"""From all settings and the features of the longest training recording to what is changed."""


class NoSwitchError(InputError):
    """A model does not have a switch, or it changes nothing of it."""


@dataclass(frozen=True)
class Switch:
    """One change of the full model."""

    name: str
    """Of the entry."""
    says: str
    """What is changed, in words; empty where its name says it."""
    config: Config
    """All settings with the change."""


def _fixed(**sections: dict[str, Any]) -> Change:
    return lambda *_: sections


def _shortened(config: Config, longest: int) -> Changes:
    for setting in ("window", "resize"):
        if length := getattr(config.data, setting):
            raise NoSwitchError(f"sequences have {length} features whatever model.max_length is (data.{setting})")
    return {"model": {"max_length": max(min(config.model.max_length, longest) // SHORTENED, 1)}}


SWITCHES: dict[str, tuple[str, Change]] = {
    "convolutions": (
        "1-D convolutions in place of the Transformer's blocks",
        _fixed(model={"block": "convolution"}),
    ),
    "no-head-norm": ("no LayerNorm in the heads", _fixed(model={"head_norm": False})),
    "no-center-sampling": (
        "every moment inside an action is positive, not only those near its centre",
        _fixed(training={"center_sampling": False}),
    ),
    "position-encoding": ("sinusoidal position encoding", _fixed(model={"position": "sinusoidal"})),
    "global-attention": ("attention over the whole sequence, not a window", _fixed(model={"window": 0})),
    "half-length": ("training sees half of the longest sequence at most", _shortened),
}
"""Name -> what it does, and how settings are changed. The first five are the ablations of ActionFormer's paper."""


def switches_of(config: Config, longest: int, asked: Sequence[str]) -> tuple[list[Switch], list[str]]:
    """The switches of a model.

    Args:
        config: all settings of the full model.
        longest: features of the longest training recording.
        asked: names of switches, `all`, `levels=4`, or settings such as `model.window=9`; several settings that are
            changed together have a + between them.

    Returns:
        The switches, and sentences about those of `all` that the model does not have.

    Raises:
        InputError: an unknown name or setting, a value that cannot be, or a switch that the model does not have.
    """
    found: dict[str, Switch] = {}
    left_out: list[str] = []
    for item in asked:
        for name in SWITCHES if item == ALL else (item,):
            try:
                found[name] = _switch(config, longest, name)
            except InputError as error:
                if item != ALL:
                    raise
                left_out.append(f"Left out: {error}.")
    return list(found.values()), left_out


def _switch(config: Config, longest: int, name: str) -> Switch:
    try:
        says, changes = SWITCHES[name] if name in SWITCHES else ("", _of_settings(name))
        changed = config.replace(**changes(config, longest))
    except InputError as error:
        lacking = f"{config.model.detector} does not have this switch: " if name in SWITCHES else ""
        raise NoSwitchError(f"{name}: {lacking}{error}") from error
    for section, setting, *_ in differences(config, changed):
        if section == "evaluation" or (section, setting) in FIXED:
            option = f"--{section}.{setting.replace('_', '-')}"
            raise NoSwitchError(
                f"{name}: all entries have the same seeds and are evaluated alike, so {section}.{setting} cannot be "
                f"changed in one: give {option} for all"
            )
        if (section, setting) in IDLE:
            raise NoSwitchError(f"{name}: changes nothing of the model that is compared")
    if unused := unused_changes(changed, config):
        raise NoSwitchError(
            f"{name}: {config.model.detector} does not have this switch: it makes no use of {listed(unused)}"
        )
    if changed == config:
        raise NoSwitchError(f"{name}: changes nothing: the full model is so")
    return Switch(name, says, changed)


def _of_settings(item: str) -> Change:
    """What `section.setting=value` changes, or several with a + between them."""
    if "=" not in item:
        near = nearest(item, [*SWITCHES, ALL]) or "."
        raise InputError(
            f"no switch {item!r}{near} There are {', '.join(SWITCHES)}; {LEVELS}=4, and settings such as model.window=9"
        )
    changes: dict[str, dict[str, Any]] = {}
    levels = None
    for part in item.split("+"):
        name, _, value = part.partition("=")
        section, _, setting = name.strip().partition(".")
        if section == LEVELS and not setting:
            levels = value
        elif not setting or not value:
            raise InputError(f"{part!r}: expected section.setting=value, such as model.window=9")
        else:
            changes.setdefault(section, {})[setting] = _value(value.strip())
    if levels is None:
        return lambda *_: changes
    return lambda config, _: {**changes, "model": {**changes.get("model", {}), **_levels(config, levels)}}


def _value(text: str) -> Any:
    """As a TOML file has it; what is no TOML is text."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _levels(config: Config, asked: str) -> dict[str, Any]:
    """Settings of the network for so many levels.

    With fewer, the last one learns what those beyond it did; with more, its range is divided by doubling.
    """
    model = config.model
    if not isinstance(model, PyramidSettings):
        raise InputError(f"{model.detector} has no levels")
    if not asked.isdecimal() or not 1 <= int(asked) <= 100:
        raise InputError(f"{LEVELS}: expected a number of levels, found {asked!r}")
    count, ranges = int(asked), list(model.regression_ranges)
    blocks = model.branch_blocks + count - model.num_levels
    if blocks < 0:
        raise InputError(f"{LEVELS}: {model.num_levels - model.branch_blocks} is the least number of levels")
    furthest = ranges[-1][1]
    while len(ranges) < count:
        least, _ = ranges.pop()
        end = max(2 * least, FIRST)
        if end >= furthest:
            raise InputError(f"{LEVELS}: the ranges of {count} levels would go beyond {furthest:g} features")
        ranges += [(least, end), (end, furthest)]
    ranges = ranges[:count]
    ranges[-1] = ranges[-1][0], furthest
    return {"branch_blocks": blocks, "regression_ranges": ranges}
