"""What verbs print when they are done."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from actionformer.cli.declaration import Flag
from actionformer.core.run_files import OVERVIEW
from actionformer.core.terminal import TextTable, complain, say, table_console, tell
from actionformer.core.words import plural

MOST_FAILED = 10
"""Files that failed which are shown where another file has them all."""
MOST_CLASSES = 30
"""Classes that an evaluation shows unasked."""
PerClass = Annotated[Flag, Parameter(help=f"A row for every class, also where there are more than {MOST_CLASSES}.")]


def print_report(report: Any, per_class: bool) -> None:
    """Prints the figures of an evaluation, a row per class where there are few or it is asked for."""
    for warning in report.warnings:
        complain(f"warning: {warning}")
    table = report.table(per_class=few_or_asked(len(report.per_class), per_class))
    table_console(sys.stdout).print(table)


def print_run(run: Path) -> None:
    """Says where a model is that was trained, and what its evaluation found, if there was one."""
    tell(f"model: {run}")
    if not (run / OVERVIEW).is_file():
        return
    from actionformer.evaluation.overview import read_overview
    from actionformer.evaluation.overview_table import overview_lines, overview_table

    found = read_overview(run / OVERVIEW)
    console = table_console(sys.stderr)
    console.print(overview_table(found))
    for line in overview_lines(found, str(run)):
        say(console, line)


def few_or_asked(classes: int, per_class: bool) -> bool:
    """Whether every class has a row; says how to have one where none was asked for and there are too many."""
    if classes > MOST_CLASSES and not per_class:
        complain(f"{classes} classes: --per-class shows each")
    return per_class or classes <= MOST_CLASSES


def report_files(warned: Mapping[Any, str], failed: Mapping[Any, str], listed: Path | None = None) -> int:
    """Says what was wrong with which file, failures in a table at the end; returns the exit code.

    Where `listed` is a file that has all failures, the first of them are shown.
    """
    for file, reason in warned.items():
        complain(f"warning: {file}: {reason}")
    if not failed:
        return 0
    table = TextTable("failed", "why", box=None)
    for file, reason in list(failed.items())[: None if listed is None else MOST_FAILED]:
        table.add_row(file, reason)
    table_console(sys.stderr).print(table)
    if listed is not None:
        complain(f"{plural(len(failed), 'video')} set aside, {listed} has all of them")
    return 1
