"""`actionformer evaluate`."""

from __future__ import annotations

from actionformer.cli.report import PerClass, print_report
from actionformer.cli.settings import IN_FILES
from actionformer.cli.verb import Recipe, verb
from actionformer.core import ranks


@verb(
    takes="run",
    sections=IN_FILES,
    example="evaluate runs/thumos14 --tiou 0.3:0.7:0.1",
)
def evaluate(recipe: Recipe, *, per_class: PerClass = False) -> None:
    report = recipe()
    if ranks.leads():
        print_report(report, per_class)
