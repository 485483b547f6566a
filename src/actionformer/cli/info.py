"""`actionformer info`."""

from __future__ import annotations

import sys
from pathlib import Path

from actionformer.cli.verb import Recipe, verb
from actionformer.core.errors import InputError
from actionformer.core.names import nearest
from actionformer.core.terminal import emit, plain_console
from actionformer.hub import is_address
from actionformer.settings.loading import is_preset, load_config, preset_names


@verb(takes="directory", example="info runs/thumos14")
def info(recipe: Recipe) -> None:
    """Of a preset or a TOML file it shows the settings."""
    directory, presets = str(recipe.given["directory"]), preset_names()
    if is_preset(directory) or directory.endswith(".toml"):
        emit(load_config(directory).to_toml())
    elif not (is_address(directory) or Path(directory).is_dir()):
        raise InputError(f"{directory}: neither a model directory nor a preset{nearest(directory, presets)}")
    else:
        plain_console(sys.stdout).print(recipe())
