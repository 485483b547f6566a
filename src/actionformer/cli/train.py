"""`actionformer train`."""

from __future__ import annotations

from actionformer.cli.verb import Recipe, verb
from actionformer.core.terminal import plain_console, tell


@verb(
    takes="config=preset",
    example="train thumos14_i3d --annotations thumos14.json --features i3d/ --out runs/thumos14",
)
def train(recipe: Recipe) -> None:
    recipe(console=plain_console())
    tell(f"model: {recipe.given['out']}")
