"""`actionformer export-detections`."""

from __future__ import annotations

from actionformer.cli.verb import Recipe, verb
from actionformer.core.terminal import tell


@verb(takes="*results", example="export-detections found.json --format boris --videos videos/ --out found.boris")
def export_detections(recipe: Recipe) -> None:
    for path in recipe():
        tell(f"written: {path}")
