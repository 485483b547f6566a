"""`actionformer demo`."""

from __future__ import annotations

import sys

from actionformer.cli.verb import Recipe, verb
from actionformer.core.terminal import plain_console


@verb(takes="out", example="demo")
def demo(recipe: Recipe) -> int | None:
    code: int = recipe(console=plain_console(sys.stdout))
    return code
