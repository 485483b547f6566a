"""`actionformer view`."""

from __future__ import annotations

from actionformer.cli.verb import Recipe, verb


@verb(takes="source", example="view runs/thumos14 --videos videos/")
def view(recipe: Recipe) -> None:
    recipe()
