"""`actionformer train`."""

from __future__ import annotations

import sys
from pathlib import Path

from actionformer.cli.report import print_run
from actionformer.cli.verb import Recipe, verb
from actionformer.core import ranks
from actionformer.core.errors import InputError
from actionformer.core.run_files import FOLDS
from actionformer.core.terminal import plain_console, say, table_console, tell


@verb(
    takes="config=preset",
    example="train auto --annotations annotations.json --features features/ --out runs/mine",
)
def train(folds: Recipe, recipe: Recipe) -> None:
    if "folds" in folds.given:
        if "validation" in recipe.given:
            raise InputError("--folds holds every video out once, --validation a share: give one of them")
        if ranks.launched() > 1:
            raise InputError("--folds trains models one after another in one process: leave out torchrun")
        found = folds(console=plain_console())
        table_console(sys.stderr).print(found.table())
        out = Path(folds.value("out"))
        tell(f"figures: {out / FOLDS}")
        console = plain_console()
        say(console, f"Next: actionformer diagnose {out} says why detections are wrong in all of these videos.")
        say(console, "A model of all of them is trained without --folds.")
        return
    recipe(console=plain_console())
    if ranks.leads():
        print_run(Path(recipe.value("out")))
