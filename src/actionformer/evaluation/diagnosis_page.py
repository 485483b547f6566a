"""A diagnosis as one page of HTML that needs nothing else: no script, nothing from elsewhere."""

from __future__ import annotations

from actionformer.core.html import document
from actionformer.evaluation.diagnosis import KINDS
from actionformer.evaluation.diagnosis_report import DiagnosisReport
from actionformer.evaluation.diagnosis_tables import figures_of
from actionformer.evaluation.figures import STYLE, Figures

COLOURS = dict(zip(KINDS, ("#3b8f5c", "#8a6fc0", "#d1563f", "#d9962f", "#b0578d", "#8b929c"), strict=True))
KEYS = ".key { display: inline-block; width: .8em; height: .8em; margin: 0 .3em 0 .9em; }\n"
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
    return document(title, STYLE + KEYS, "".join(_section(figures, report) for figures in figures_of(report)))


def _section(figures: Figures, report: DiagnosisReport) -> str:
    return figures.html(_bars(report) if figures.title.startswith("kinds by rank") else "")


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
