"""`actionformer score`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from actionformer.cli.declaration import Flag
from actionformer.cli.report import PerClass, print_report
from actionformer.cli.verb import Recipe, verb
from actionformer.core.files import check_absent


@verb(
    example="score --annotations thumos14.json --detections detections.json --subset test",
)
def score(
    recipe: Recipe,
    *,
    json: Annotated[Path | None, Parameter(help="Where to write all figures.")] = None,
    overwrite: Annotated[Flag, Parameter(help="Replace that file if it exists.")] = False,
    per_class: PerClass = False,
) -> None:
    check_absent([json] if json is not None else [], overwrite=overwrite)
    report = recipe()
    if json is not None:
        report.to_json(json)
    print_report(report, per_class)
