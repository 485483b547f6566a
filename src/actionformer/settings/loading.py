"""Settings from presets (`presets/NAME.toml`, variants inside), from TOML files of the user's, and from Python."""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

from actionformer.core.errors import InputError
from actionformer.core.files import read_toml
from actionformer.core.names import nearest
from actionformer.core.run_files import CONFIG
from actionformer.detectors.index import settings_of
from actionformer.settings.config import DETECTOR, Changes, Config, merged, validated
from actionformer.settings.renamed import with_present_names

AS_PUBLISHED = "_published"
"""After the name of a preset: with the rules of the released implementations where this project's defaults differ."""
PUBLISHED_TRAINING = {"average_warmup": False, "batch_by_length": False}
"""What they have in common; a detector's settings say what is its own, and a preset what is different there."""


AUTO = "auto"
"""What stands in the place of a preset's name where settings are derived from the data."""


def is_preset(name: str) -> bool:
    """Whether `load_config` knows a name as a preset's, with or without `AS_PUBLISHED`."""
    return name.removesuffix(AS_PUBLISHED) in preset_names()


def preset_names() -> list[str]:
    """The names of the presets, each of which may be followed by `AS_PUBLISHED`."""
    names = []
    for file in resources.files("actionformer.settings.presets").iterdir():
        if file.name.endswith(".toml"):
            stem = file.name.removesuffix(".toml")
            variants = tomllib.loads(file.read_text("utf-8")).get("variants", {})
            names += [f"{stem}_{variant}" for variant in variants] or [stem]
    return sorted(names)


def load_config(source: str | Path | Config, changes: Changes | None = None) -> Config:
    """Settings of a preset, a TOML file or a model directory, with `changes` on top.

    Args:
        source: the name of a preset (with `_published` after it: by the rules of the released implementations), a path
            that ends in `.toml`, a directory with a `config.toml`, or a Config.
        changes: section -> setting -> value.

    Raises:
        InputError: no such preset or file, broken TOML (with its line), an unknown setting, a value out of range.
    """
    if isinstance(source, Config):
        return source.replace(**(changes or {}))
    if not isinstance(source, str | Path):
        raise InputError(
            f"settings: expected the name of a preset, a .toml file or a Config, found {type(source).__name__}: "
            "load_config(preset, {section: {setting: value}}) makes a Config of a preset and changes"
        )
    path = Path(source)
    if path.is_dir() and not (
        isinstance(source, str) and is_preset(source)
    ):  # where a folder has that name, the preset
        path = path / CONFIG
    if path.suffix == ".toml":
        tables = with_present_names(read_toml(path))
        if "preset" in tables:
            tables = merged(_preset_tables(str(tables.pop("preset"))), tables)
    else:
        tables = _preset_tables(str(source))
    tables.pop("published", None)
    return validated(merged(tables, with_present_names(changes or {})), source=str(source))


def _preset_tables(name: str) -> dict[str, Any]:
    if name == AUTO:
        raise InputError(
            "auto is for `train`, which derives settings from data: `actionformer init` writes them as a file"
        )
    if not is_preset(name):
        raise InputError(
            f"no preset {name!r}{nearest(name, [AUTO, *preset_names()]) or '.'} "
            f"The presets are {', '.join(preset_names())}; or give a .toml file"
        )
    files = resources.files("actionformer.settings.presets")
    stem, variant = name.removesuffix(AS_PUBLISHED), ""
    while not (files / f"{stem}.toml").is_file():
        stem, _, last = stem.rpartition("_")
        variant = f"{last}_{variant}" if variant else last
    tables = tomllib.loads((files / f"{stem}.toml").read_text("utf-8"))
    variants = tables.pop("variants", {})
    tables = merged(tables, variants[variant]) if variant else tables
    own = tables.pop("as_published", {})
    if not name.endswith(AS_PUBLISHED):
        return tables
    network = settings_of(tables.get("model", {}).get("detector", DETECTOR))
    return merged(tables, merged({"model": network.PUBLISHED, "training": PUBLISHED_TRAINING}, own))


def published_shape(preset: str) -> dict[str, Any]:
    """`input_dim` and `num_classes` of a preset's published features, as far as its settings leave them to the data."""
    shape: dict[str, Any] = _preset_tables(preset).get("published", {})
    return shape
