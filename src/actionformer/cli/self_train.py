"""`actionformer self-train`."""

from __future__ import annotations

from pathlib import Path

from actionformer.cli.report import print_run
from actionformer.cli.verb import Recipe, verb
from actionformer.core.terminal import plain_console


@verb(
    takes="run",
    example="self-train runs/few --features features/ --out runs/more",
)
def self_train(recipe: Recipe) -> None:
    recipe(console=plain_console())
    print_run(Path(recipe.value("out")))
