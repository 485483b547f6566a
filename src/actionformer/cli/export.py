"""`actionformer export`."""

from __future__ import annotations

from actionformer.cli.settings import IN_FILES
from actionformer.cli.verb import Recipe, verb
from actionformer.core.terminal import tell


@verb(takes="run", sections=IN_FILES, example="export runs/mine --to onnx --out mine.onnx")
def export(recipe: Recipe) -> None:
    tell(f"written: {recipe()}")
