"""`actionformer train`."""

from __future__ import annotations

import sys
from pathlib import Path

from rich.console import Console

from actionformer.cli.verb import Recipe, verb
from actionformer.core.errors import InputError
from actionformer.core.run_files import FOLDS, OVERVIEW
from actionformer.core.terminal import WIDEST, plain_console, say, tell


@verb(
    takes="config=preset",
    example="train auto --annotations annotations.json --features features/ --out runs/mine",
)
def train(folds: Recipe, recipe: Recipe) -> None:
    if "folds" in folds.given:
        if "validation" in recipe.given:
            raise InputError("--folds holds every video out once, --validation a share: give one of them")
        found = folds(console=plain_console())
        _table_console().print(found.table())
        out = Path(folds.value("out"))
        tell(f"figures: {out / FOLDS}")
        console = plain_console()
        say(console, f"Next: actionformer diagnose {out} says why detections are wrong in all of these videos.")
        say(console, "A model of all of them is trained without --folds.")
        return
    recipe(console=plain_console())
    run = Path(recipe.value("out"))
    tell(f"model: {run}")
    if (run / OVERVIEW).is_file():
        _print_overview(run)


def _print_overview(run: Path) -> None:
    from actionformer.evaluation.overview import read_overview
    from actionformer.evaluation.overview_table import overview_lines, overview_table

    found = read_overview(run / OVERVIEW)
    console = _table_console()
    console.print(overview_table(found))
    for line in overview_lines(found, str(run)):
        say(console, line)


def _table_console() -> Console:
    return plain_console(width=None if sys.stderr.isatty() else WIDEST)
