"""`actionformer submission`."""

from __future__ import annotations

from actionformer.cli.verb import Recipe, verb
from actionformer.core.terminal import tell


@verb(
    takes="name *results",
    example="submission epic100 verbs.json nouns.json --source epic-kitchens-100-annotations/ --out actions.json",
)
def submission(recipe: Recipe) -> None:
    tell(f"written: {recipe()}")
