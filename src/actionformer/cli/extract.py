"""`actionformer extract`."""

from __future__ import annotations

from actionformer.cli.report import report_files
from actionformer.cli.verb import Recipe, verb
from actionformer.cli.where import chosen
from actionformer.core.terminal import plain_console, tell


@verb(takes="*videos", example="extract videos/ --backbone motion --out features/")
def extract(on_cluster: Recipe, here: Recipe) -> int:
    recipe = chosen(on_cluster, here)
    done = recipe(console=plain_console())
    tell(f"features: {len(done.written)} new, {len(done.kept)} kept in {recipe.given['out']}")
    return report_files(done.warnings, done.failed, done.set_aside)
