"""`actionformer diagnose`."""

from __future__ import annotations

import sys

from actionformer.cli.report import PerClass, few_or_asked
from actionformer.cli.verb import Recipe, verb
from actionformer.core.terminal import table_console, tell


@verb(
    takes="source",
    example="diagnose runs/mine --html why.html",
)
def diagnose(recipe: Recipe, *, per_class: PerClass = False) -> None:
    from actionformer.evaluation.diagnosis_tables import diagnosis_tables

    found = recipe()
    console = table_console(sys.stdout)
    for table in diagnosis_tables(found, per_class=few_or_asked(len(found.per_class), per_class)):
        console.print(table)
    for key in ("html", "json"):
        if key in recipe.given:
            tell(f"{key}: {recipe.given[key]}")
