"""`actionformer suggest`."""

from __future__ import annotations

import sys

from actionformer.cli.report import report_files
from actionformer.cli.verb import Recipe, verb
from actionformer.core.terminal import plain_console, table_console, tell


@verb(takes="run *videos", example="suggest runs/mine videos/ --annotations annotations.json --out suggestions.json")
def suggest(recipe: Recipe) -> int:
    found = recipe(console=plain_console())
    table_console(sys.stdout).print(found.table())
    for line in found.lines():
        tell(line)
    if "out" in recipe.given:
        tell(f"json: {recipe.given['out']}")
    return report_files({}, found.failed)
