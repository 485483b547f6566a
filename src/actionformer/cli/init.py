"""`actionformer init`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from actionformer.cli.declaration import Flag
from actionformer.cli.verb import Recipe, verb
from actionformer.core.files import check_absent, write_whole
from actionformer.core.terminal import table_console, tell


@verb(example="init --annotations annotations.json --features features/ --out my.toml")
def init(
    recipe: Recipe,
    *,
    out: Annotated[Path, Parameter(help="Where to write the settings, a TOML file for `train`.")],
    overwrite: Annotated[Flag, Parameter(help="Replace that file if it exists.")] = False,
) -> None:
    check_absent([out], overwrite=overwrite)
    said = recipe()
    write_whole(out, said.to_toml())
    table_console(sys.stdout).print(said.table())
    tell(f"settings: {out}")
