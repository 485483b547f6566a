"""The doctor's report as one HTML page that needs nothing else."""

from __future__ import annotations

from pathlib import Path

from actionformer.checks.findings import Finding
from actionformer.checks.report import DoctorReport
from actionformer.core.files import write_whole
from actionformer.core.html import document, table, text

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
    findings = "\n".join(map(_item, [*report.errors, *report.warnings]))
    tables = "\n".join(f"<h2>{text(title)}</h2>\n{table(headings, rows)}" for title, headings, rows in report.tables())
    return document(report.verdict, STYLE, f"<ul>\n{findings}\n</ul>\n{tables}")


def _item(finding: Finding) -> str:
    where = f"{text(finding.where)}: " if finding.where else ""
    advice = f'<span class="advice">{text(finding.advice)}</span>' if finding.advice else ""
    return f'<li class="{finding.severity}"><b>{finding.severity}</b> {where}{text(finding.fact)}{advice}</li>'
