"""`actionformer extract`."""

from __future__ import annotations

from actionformer.cli.report import report_files
from actionformer.cli.verb import Recipe, verb
from actionformer.core.terminal import plain_console, tell


@verb(takes="*videos", example="extract videos/ --backbone motion --out features/")
def extract(recipe: Recipe) -> int:
    done = recipe(console=plain_console())
    tell(f"features: {len(done.written)} new, {len(done.kept)} kept in {recipe.given['out']}")
    return report_files(done.warnings, done.failed)
