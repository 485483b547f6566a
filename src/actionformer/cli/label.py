"""`actionformer label`."""

from __future__ import annotations

from actionformer.cli.verb import Recipe, verb


@verb(takes="videos", example="label videos/ --classes wave,jump --out annotations.json")
def label(recipe: Recipe) -> None:
    recipe()
