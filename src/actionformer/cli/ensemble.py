"""`actionformer ensemble`."""

from __future__ import annotations

from actionformer.cli.verb import Recipe, verb
from actionformer.core.terminal import tell
from actionformer.core.words import plural


@verb(
    takes="*runs",
    example="ensemble runs/seed0 runs/seed1 runs/seed2 --out runs/together",
)
def ensemble(recipe: Recipe) -> None:
    recipe()
    tell(f"model: {recipe.given['out']}, {plural(len(recipe.given['runs']), 'network')}")
