"""Every setting as an option: `--training.epochs 30`."""

from __future__ import annotations

from dataclasses import asdict, make_dataclass
from functools import cache
from typing import Annotated, Any, get_args, get_origin

from cyclopts import Group, Parameter

from actionformer.core.terminal import complain
from actionformer.settings.config import sections as all_sections
from actionformer.settings.renamed import RENAMED

AFTER_TRAINING = ("decoding", "suppression")
"""Sections that mean the same for any network, whenever they are given."""
IN_FILES = (*AFTER_TRAINING, "fusion")
"""The same where videos are there as a whole."""
# Every `--help` parses the whole file that a class of options says it comes from: this one is nearly empty.
_SMALL_SOURCE = {"__module__": "actionformer.settings.presets"}
_OF_ALL = "--training.epochs 30", "--data.normalize", "--data.no-normalize"
_AFTER_TRAINING = "--suppression.max-detections 500", "--suppression.per-class", "--suppression.no-per-class"


@cache
def settings_options(*sections: str) -> Any:
    """The type of a parameter that takes all settings of some sections; by default of all."""
    known = all_sections()
    options = [(one, _section_options(one, known[one]) | None, None) for one in sections or known]
    changes = make_dataclass("Changes", options, namespace=_SMALL_SOURCE)
    number, yes, no = _AFTER_TRAINING if sections else _OF_ALL
    help_ = f"Override any setting, e.g. `{number}`. Switch yes/no settings with `{yes}` or `{no}`."
    return Annotated[changes | None, Parameter(name="*", group=Group("Settings", help=help_), show_default=False)]


def _section_options(section: str, settings: dict[str, tuple[Any, str]]) -> type:
    """A section's settings as options; what is not given is None and stays as the preset or file has it.

    A plain dataclass: of pydantic's models every `--help` would read the source.
    """
    options: list[tuple[str, Any, Any]] = [
        (name, Annotated[_in_a_row(annotation) | None, Parameter(help=text)], None)
        for name, (annotation, text) in settings.items()
    ]
    former = Annotated[str | None, Parameter(show=False)]
    options += [(name, former, None) for one, name in RENAMED if one == section and name not in settings]
    return make_dataclass(f"{section.title()}Options", options, namespace=_SMALL_SOURCE)


def _in_a_row(annotation: Any) -> Any:
    """A list wherever one is possible, pairs as numbers in a row: `--model.regression-ranges 0 4 4 8`."""
    for kind in (annotation, *get_args(annotation)):
        if get_origin(kind) is tuple and get_args(kind)[-1] is Ellipsis:
            (item, _) = get_args(kind)
            return list[float] if get_origin(item) is tuple else list[item]  # type: ignore[valid-type]
    return annotation


def _alone(value: Any, annotation: Any = None, text: str = "") -> Any:
    """A list of one number as that number, where a setting may be either: a detector may take no list of it."""
    kinds = () if get_origin(annotation) is tuple else get_args(annotation)
    return value[0] if isinstance(value, list) and len(value) == 1 and type(value[0]) in kinds else value


def given_settings(changes: Any) -> dict[str, dict[str, Any]]:
    """Section -> setting -> value, of the settings that the command line gives; who writes a former name is told."""
    sections = asdict(changes) if changes is not None else {}
    known = all_sections() if sections else {}
    given = {
        section: {
            name: _alone(value, *known[section].get(name, ())) for name, value in values.items() if value is not None
        }
        for section, values in sections.items()
        if values is not None
    }
    for before, now in RENAMED.items():
        if before[1] in given.get(before[0], {}):
            complain(f"warning: {_option(*before)} is now called {_option(*now)}")
    return given


def _option(section: str, name: str) -> str:
    return f"--{section}.{name.replace('_', '-')}"
