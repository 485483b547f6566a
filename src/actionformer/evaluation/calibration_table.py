"""A calibration in words and numbers."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD

from actionformer.core.calibration import Calibration, Reliability, Threshold
from actionformer.core.terminal import TextTable
from actionformer.core.words import plural


def calibration_tables(measured: Calibration, *, per_class: bool) -> list[TextTable]:
    """Thresholds with precision, recall and F1, and how far scores are probabilities before and after."""
    return [_thresholds(measured, per_class), _reliability(measured)]


def _thresholds(measured: Calibration, per_class: bool) -> TextTable:
    headers = ("threshold", "precision", "recall", "F1", "actions")
    title = f"from which calibrated score on each class is shown, tIoU {measured.tiou:g}"
    table = TextTable("", *headers, title=title, cut=("",), box=SIMPLE_HEAD, padding=0)
    rows = {"all": measured.overall} | (dict(measured.classes) if per_class else {})
    for column in table.columns[1:]:
        column.justify, column.min_width = "right", 10
    for name, one in rows.items():
        table.add_row(name, *_figures(one))
    few = sum(not one.own for one in measured.classes.values())
    unit = "group" if measured.groups > 1 else "video"
    table.caption = f"Figures are cross-fitted: of each {unit} with thresholds from other {unit}s."
    if few:
        table.caption += f"\n* too few actions ({plural(few, 'class')}): the threshold of all together"
    table.min_width = max(map(len, (title, *table.caption.splitlines())))
    return table


def _figures(one: Threshold) -> list[str]:
    shares = (f"{100 * share:.1f}" for share in (one.precision, one.recall, one.f1))
    return [f"{one.threshold:.3f}{'' if one.own else '*'}", *shares, f"{one.actions:,}"]


def _reliability(measured: Calibration) -> TextTable:
    title = "how often detections of a score are right"
    table = TextTable("", "detections", "mean score", "right", title=title, box=SIMPLE_HEAD, padding=0)
    for column in table.columns[1:]:
        column.justify, column.min_width = "right", 12
    for name, curve in (("network", measured.before), ("calibrated", measured.after)):
        for row in _rows(curve):
            table.add_row(name, *row)
    table.caption = (
        f"expected calibration error {measured.before.error:.3f}, calibrated {measured.after.error:.3f}, "
        "of videos that were not used for it"
    )
    table.min_width = len(table.caption)
    return table


def _rows(curve: Reliability) -> list[list[str]]:
    rows = zip(curve.counts, curve.scores, curve.right, strict=True)
    return [[f"{count:,}", f"{score:.3f}", f"{right:.3f}"] for count, score, right in rows]
