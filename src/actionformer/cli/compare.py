"""`actionformer compare`."""

from __future__ import annotations

import sys
from pathlib import Path

from actionformer.cli.verb import Recipe, verb
from actionformer.core.run_files import COMPARISON
from actionformer.core.terminal import plain_console, say, table_console, tell


@verb(
    takes="detectors",
    example="compare tridet,actionformer --annotations annotations.json --features features/ --out runs/detectors",
)
def compare(recipe: Recipe) -> None:
    show(recipe(console=plain_console()), recipe, COMPARISON)


def show(report: object, recipe: Recipe, name: str) -> None:
    """Prints a comparison, and where it was written."""
    from actionformer.evaluation.comparison import ComparisonReport
    from actionformer.evaluation.comparison_tables import tables
    from actionformer.evaluation.conclusions import conclusions

    assert isinstance(report, ComparisonReport)
    console = table_console(sys.stdout)
    for figures in tables(report):
        console.print(figures.text_table(width=5))
    for sentence in conclusions(report):
        say(console, f"- {sentence}")
    if out := recipe.value("out"):
        path = Path(out) / name
        tell(f"{path}.md, .html, .json")
