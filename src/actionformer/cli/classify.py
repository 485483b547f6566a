"""`actionformer classify`."""

from __future__ import annotations

from actionformer.cli.verb import Recipe, verb
from actionformer.core.terminal import tell
from actionformer.core.words import plural


@verb(
    takes="run",
    example="classify runs/mine",
)
def classify(recipe: Recipe) -> None:
    detector = recipe()
    tell(f"model: {recipe.value('run')}, {plural(len(detector.class_names), 'class')}")
