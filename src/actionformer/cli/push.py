"""`actionformer push`."""

from __future__ import annotations

from actionformer.cli.verb import Recipe, verb
from actionformer.core.terminal import tell


@verb(
    takes="run repository",
    example="push runs/mine user/model --license cc-by-4.0 --private",
)
def push(recipe: Recipe) -> None:
    tell(recipe())
