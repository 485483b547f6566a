"""`actionformer serve`."""

from __future__ import annotations

from actionformer.cli.settings import IN_FILES
from actionformer.cli.verb import Recipe, verb


@verb(takes="run", sections=IN_FILES, example="serve runs/mine --port 8000")
def serve(recipe: Recipe) -> None:
    recipe()
