"""A diagnosis as one page of HTML that needs nothing else: no script, nothing from elsewhere."""

from __future__ import annotations

from actionformer.core.html import document, table, text
from actionformer.evaluation.diagnosis import KINDS
from actionformer.evaluation.diagnosis_report import DiagnosisReport
from actionformer.evaluation.diagnosis_tables import Figures, figures_of

COLOURS = dict(zip(KINDS, ("#3b8f5c", "#8a6fc0", "#d1563f", "#d9962f", "#b0578d", "#8b929c"), strict=True))
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #1d2127; }
h2 { margin: 2rem 0 0; font-size: 1.1rem; } p { margin: .2rem 0 .6rem; color: #555c66; }
table { border-collapse: collapse; } td, th { padding: .15rem .8rem .15rem 0; text-align: right; }
td:first-child, th:first-child { text-align: left; } th { border-bottom: 1px solid #c5cad1; font-weight: 600; }
.scroll { overflow-x: auto; } .key { display: inline-block; width: .8em; height: .8em; margin: 0 .3em 0 .9em; }
@media (prefers-color-scheme: dark) { body { background: #16191d; color: #e4e7eb; } p { color: #a3abb6; } }
"""
WIDTH, BAR = 600, 20
"""Pixels of the bars of the profile."""


def page_of(report: DiagnosisReport, source: str, against: str | None = None) -> str:
    """The page.

    Args:
        report: what it tells.
        source: what was diagnosed.
        against: what it was compared with.
    """
    title = f"Diagnosis of {source}" + (f" against {against}" if against else "")
    return document(title, STYLE, "".join(_section(figures, report) for figures in figures_of(report)))


def _section(figures: Figures, report: DiagnosisReport) -> str:
    drawn = _bars(report) if figures.title.startswith("kinds by rank") else ""
    return (
        f"<h2>{text(figures.title)}</h2><p>{text(figures.says)}</p>{drawn}"
        f'<div class="scroll">{table(figures.columns, figures.rows)}</div>\n'
    )


def _bars(report: DiagnosisReport) -> str:
    """The profile: a bar a row, a part a kind."""
    keys = "".join(f'<span class="key" style="background: {COLOURS[kind]}"></span>{kind}' for kind in KINDS)
    parts = []
    for row, shares in enumerate(report.profile):
        left = 0.0
        for kind in KINDS:
            width = WIDTH * shares[kind]
            parts.append(
                f'<rect x="{left:.1f}" y="{row * BAR}" width="{width:.1f}" height="{BAR - 3}" fill="{COLOURS[kind]}">'
                f"<title>{row + 1} x: {kind} {shares[kind]:.1%}</title></rect>"
            )
            left += width
    height = BAR * len(report.profile)
    return f'<p>{keys}</p><svg role="img" width="{WIDTH}" height="{height}">{"".join(parts)}</svg>'
