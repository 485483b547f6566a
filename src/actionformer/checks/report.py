"""The report of the doctor: findings, and the numbers that they were found in."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Group

from actionformer.checks.classes import FEW
from actionformer.checks.findings import Finding
from actionformer.checks.labels import counts_of
from actionformer.checks.moments import PlacedActions
from actionformer.core.annotations import AnnotatedVideo
from actionformer.core.files import write_whole
from actionformer.core.terminal import TextTable
from actionformer.core.words import plural
from actionformer.data.collection import FeaturedVideo

Row = dict[str, Any]


@dataclass(frozen=True)
class DoctorReport:
    """What was found in data before a training, and what they are like."""

    findings: list[Finding]
    facts: dict[str, str]
    """What was looked at, with which settings, in words."""
    subsets: list[Row] = field(default_factory=list)
    """Of each subset: `subset`, `videos`, `with_features`, `actions`, `hours`."""
    classes: list[Row] = field(default_factory=list)
    """Of each class: `class`, `training`, `evaluation` (actions), `shortest`, `median`, `longest` (seconds), `learned`
    (share of the training actions that some moment answers for; None where nobody knows)."""
    lengths: list[Row] = field(default_factory=list)
    """Of the training actions by length: `from`, `to` (seconds), `actions`, `learned`."""
    perfect: dict[str, float] = field(default_factory=dict)
    """tIoU -> the mAP that perfect outputs reach; `average`."""

    @property
    def errors(self) -> list[Finding]:
        """The findings with which training would be pointless, or be refused."""
        return [finding for finding in self.findings if finding.severity == "error"]

    @property
    def warnings(self) -> list[Finding]:
        """The findings that cost a part of the data."""
        return [finding for finding in self.findings if finding.severity == "warning"]

    @property
    def verdict(self) -> str:
        """One sentence."""
        if self.errors:
            return f"training would be refused or pointless: {plural(len(self.errors), 'error')}"
        return f"{plural(len(self.warnings), 'warning')}" if self.warnings else "nothing is wrong with these data"

    def lines(self) -> list[str]:
        """A line for each finding, errors first, and the verdict."""
        return [*(f"{one.severity}: {one.where}: {one}" for one in [*self.errors, *self.warnings]), self.verdict]

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def to_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return {"verdict": self.verdict, **asdict(self)}

    def to_json(self, path: str | Path) -> None:
        """Writes all of it, whole or not at all."""
        write_whole(path, json.dumps(self.to_dict(), indent=1, ensure_ascii=False) + "\n")

    def tables(self) -> list[tuple[str, list[str], list[list[str]]]]:
        """Title, headings and cells of each table."""
        shown = [
            ("facts", ["what", "value"], [[name, value] for name, value in self.facts.items()]),
            ("subsets", *_cells(self.subsets)),
            ("classes", *_cells(self.classes)),
            ("actions of training by length", *_cells(self.lengths)),
        ]
        if self.perfect:
            title = "mAP that perfect scores reach with this grid and these settings"
            shown.append((title, list(self.perfect), [[f"{100 * value:.1f}" for value in self.perfect.values()]]))
        return [table for table in shown if table[2]]

    def table(self) -> Group:
        """The tables as a terminal shows them."""
        shown: list[TextTable | str] = []
        for title, headings, rows in self.tables():
            table = TextTable(*headings, title=title, title_justify="left", box=None, padding=(0, 2, 0, 0))
            for row in rows:
                table.add_row(*row)
            shown += [table, ""]
        return Group(*shown)


def _cells(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    if not rows:
        return [], []
    return [name.replace("_", " ") for name in rows[0]], [[_cell(name, row[name]) for name in row] for row in rows]


def _cell(name: str, value: Any) -> str:
    if value is None:
        return "-"
    if name == "learned":
        return f"{100 * value:.0f}%"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def subset_row(name: str, videos: Sequence[AnnotatedVideo], featured: Sequence[FeaturedVideo]) -> Row:
    """What a subset holds."""
    return {
        "subset": name,
        "videos": len(videos),
        "with_features": len(featured),
        "actions": sum(len(video.labels) for video in videos),
        "hours": sum(one.end for one in featured) / 3600,
    }


def class_rows(
    trained: Sequence[AnnotatedVideo],
    evaluated: Sequence[AnnotatedVideo],
    names: Sequence[str],
    placed: PlacedActions | None,
) -> list[Row]:
    """A row for each class, the most frequent first."""
    training, evaluation = counts_of(trained, names), counts_of(evaluated, names)
    labels = np.concatenate([np.empty(0, np.int64), *(video.labels for video in (*trained, *evaluated))])
    seconds = np.concatenate([np.empty(0), *(np.diff(v.segments)[:, 0] for v in (*trained, *evaluated))])
    rows = []
    for label in np.argsort(-training, kind="stable").tolist():
        own = seconds[labels == label]
        rows.append(
            {
                "class": names[label],
                "training": int(training[label]),
                "evaluation": int(evaluation[label]),
                "shortest": float(own.min()) if len(own) else None,
                "median": float(np.median(own)) if len(own) else None,
                "longest": float(own.max()) if len(own) else None,
                "learned": None if placed is None else _learned(placed, placed.labels == label),
                "note": _note(int(training[label])),
            }
        )
    return rows


ENOUGH = 20
"""Actions of a class from which on its average precision says something."""


def _note(count: int) -> str:
    return "" if count >= ENOUGH else "few to learn from: label more" if count >= FEW else "too few to learn"


def _learned(placed: PlacedActions, mask: NDArray[np.bool_]) -> float | None:
    return float((placed.moments[mask] > 0).mean()) if mask.any() else None


def length_rows(placed: PlacedActions) -> list[Row]:
    """A row for each octave of lengths."""
    lengths = placed.seconds
    if not (lengths > 0).any():
        return []
    octave = np.floor(np.log2(np.maximum(lengths, 1e-3))).astype(int)
    return [
        {
            "from": 2.0**step,
            "to": 2.0 ** (step + 1),
            "actions": int((octave == step).sum()),
            "learned": _learned(placed, octave == step),
        }
        for step in range(int(octave.min()), int(octave.max()) + 1)
        if (octave == step).any()
    ]
