"""`actionformer doctor`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from actionformer.cli.declaration import Flag
from actionformer.cli.verb import Recipe, verb
from actionformer.core.files import check_absent
from actionformer.core.terminal import table_console, tell


@verb(example="doctor --annotations annotations.json --features features/ --config small --out doctor.html")
def doctor(
    recipe: Recipe,
    *,
    out: Annotated[Path | None, Parameter(help="Where to write the report as an HTML page.")] = None,
    json: Annotated[Path | None, Parameter(help="Where to write all findings and numbers.")] = None,
    overwrite: Annotated[Flag, Parameter(help="Replace these files if they exist.")] = False,
) -> int:
    check_absent([path for path in (out, json) if path is not None], overwrite=overwrite)
    report = recipe()
    if out is not None:
        from actionformer.checks.page import write_page

        write_page(out, report)
    if json is not None:
        report.to_json(json)
    table_console(sys.stdout).print(report.table())
    for line in report.lines():
        tell(line)
    return 1 if report.errors else 0
