"""`actionformer import`."""

from __future__ import annotations

import sys

from actionformer.cli.verb import Recipe, verb
from actionformer.core.terminal import table_console, tell


@verb(takes="*files", example="import labels.csv *.eaf export.json --videos videos/ --out annotations.json")
def import_(recipe: Recipe) -> None:
    imported = recipe()
    from actionformer.labels.overview import class_table, in_a_line

    table_console(sys.stdout).print(class_table(imported.annotations))
    tell(in_a_line(imported.annotations))
    tell(f"annotations: {recipe.given['out']}")
