"""`actionformer convert`."""

from __future__ import annotations

from actionformer.cli.verb import Recipe, verb
from actionformer.core.terminal import tell


@verb(
    takes="config checkpoint directory",
    example="convert thumos_i3d.yaml epoch_034.pth.tar models/thumos14 --annotations thumos14.json",
)
def convert(recipe: Recipe) -> None:
    recipe()
    tell(f"model: {recipe.given['directory']}")
