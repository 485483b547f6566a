"""`actionformer calibrate`."""

from __future__ import annotations

import sys

from actionformer.cli.report import PerClass, few_or_asked
from actionformer.cli.verb import Recipe, verb
from actionformer.core.terminal import table_console


@verb(
    takes="run",
    example="calibrate runs/mine --subset validation",
)
def calibrate(recipe: Recipe, *, per_class: PerClass = False) -> None:
    from actionformer.evaluation.calibration_table import calibration_tables

    measured = recipe()
    console = table_console(sys.stdout)
    for table in calibration_tables(measured, per_class=few_or_asked(len(measured.classes), per_class)):
        console.print(table)
