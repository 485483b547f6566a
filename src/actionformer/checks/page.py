"""The doctor's report as one HTML page that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from actionformer.checks.findings import Finding
from actionformer.checks.report import DoctorReport
from actionformer.core.files import write_whole
from actionformer.core.terminal import visible

STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; margin: 0 0 1.5rem; }
th, td { text-align: left; padding: .2rem .9rem .2rem 0; border-bottom: 1px solid #ddd; vertical-align: top; }
td { overflow-wrap: anywhere; }
li { margin: 0 0 .8rem; }
.error b { color: #b00020; } .warning b { color: #8a5a00; }
.advice { display: block; color: #444; }
@media (prefers-color-scheme: dark) { body { background: #181818; color: #ddd; } .advice { color: #aaa; }
  th, td { border-color: #444; } .error b { color: #ff6b7d; } .warning b { color: #e5b04d; } }
"""


def write_page(path: str | Path, report: DoctorReport) -> None:
    """Writes the page, whole or not at all."""
    write_whole(path, page(report))


def page(report: DoctorReport) -> str:
    """The page as text; names are text in it, never markup."""
    tables = "\n".join(_table(*table) for table in report.tables())
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{_text(report.verdict)}</title><style>{STYLE}</style></head><body>
<h1>{_text(report.verdict)}</h1>
<ul>
{chr(10).join(map(_item, [*report.errors, *report.warnings]))}
</ul>
{tables}
</body></html>
"""


def _item(finding: Finding) -> str:
    counted = f"{finding.count} of {finding.total} " if finding.total else ""
    where = f"{_text(finding.where)}: " if finding.where else ""
    advice = f'<span class="advice">{_text(finding.advice)}</span>' if finding.advice else ""
    what = _text(f"{counted}{finding.what}{finding.example}")
    return f'<li class="{finding.severity}"><b>{finding.severity}</b> {where}{what}{advice}</li>'


def _table(title: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{_text(heading)}</th>" for heading in headings)
    body = "\n".join("<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<h2>{_text(title)}</h2>\n<table><tr>{head}</tr>\n{body}</table>"


def _text(text: str) -> str:
    return escape(visible(text))
