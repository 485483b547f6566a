"""`actionformer ablate`."""

from __future__ import annotations

from actionformer.cli.compare import show
from actionformer.cli.verb import Recipe, verb
from actionformer.core.run_files import ABLATION
from actionformer.core.terminal import plain_console


@verb(
    example="ablate --annotations annotations.json --features features/ --out runs/ablation --switches all levels=3",
)
def ablate(recipe: Recipe) -> None:
    show(recipe(console=plain_console()), recipe, ABLATION)
