"""A diagnosis as tables of text, for terminals and for the page."""

from __future__ import annotations

from collections.abc import Iterator

from actionformer.core.terminal import TextTable
from actionformer.core.words import plural
from actionformer.evaluation.bootstrap import Interval
from actionformer.evaluation.diagnosis import KINDS
from actionformer.evaluation.diagnosis_report import DiagnosisReport
from actionformer.evaluation.figures import Figures


def diagnosis_tables(report: DiagnosisReport, *, per_class: bool) -> Iterator[TextTable]:
    """All figures; a row a class where that is asked for."""
    for figures in figures_of(report):
        if figures.title == "classes" and not per_class:
            continue
        yield figures.text_table()


def figures_of(report: DiagnosisReport) -> list[Figures]:
    """What a diagnosis tells, subject by subject."""
    found = [_summary(report), _kinds(report), _profile(report)]
    found += [_sensitivity(report, number) for number in range(len(report.sensitivity))]
    return [*found, *_framewise(report), _classes(report)]


def _summary(report: DiagnosisReport) -> Figures:
    rows = [("mAP", *_of(report.map)), ("normalised mAP", _percent(report.normalized_map), "", "")]
    counted = {"video": report.videos, "action": report.actions, "detection": report.detections}
    counts = ", ".join(plural(number, what) for what, number in counted.items())
    says = f"{counts}; from, to: 95% of draws of {report.drawn}"
    if report.comparison is not None:
        rows.append(("mAP of the other, less this", *_of(report.comparison.difference)))
        says += f"; paired test: p = {report.comparison.p:.3g}"
    return Figures(f"mAP, mean over tIoU {_thresholds(report)}", says, ("", "%", "from", "to"), rows)


def _thresholds(report: DiagnosisReport) -> str:
    first, *_, last = report.thresholds if len(report.thresholds) > 1 else report.thresholds * 2
    return f"{first:g}" if first == last else f"{first:g} to {last:g}"


def _of(interval: Interval) -> tuple[str, str, str]:
    return _percent(interval.value), _percent(interval.low), _percent(interval.high)


def _kinds(report: DiagnosisReport) -> Figures:
    names = [*KINDS, "missed"]
    rows = [
        (name, f"{report.kinds[name]:,}", f"{report.shown_kinds[name]:,}", _signed(report.gains.get(name)))
        for name in names
    ]
    says = "gain: what mAP at this tIoU would gain if there were none of the kind; shown: what people are shown"
    return Figures(f"kinds of detections, tIoU {report.tiou:g}", says, ("kind", "all", "shown", "gain"), rows)


def _profile(report: DiagnosisReport) -> Figures:
    rows = [
        (f"{number} x", *(_percent(row[kind]) for kind in KINDS)) for number, row in enumerate(report.profile, start=1)
    ]
    says = "shares in percent among the best detections, as many as ground truths of their class, twice as many, ..."
    return Figures(f"kinds by rank, tIoU {report.tiou:g}", says, ("best", *KINDS), rows)


def _sensitivity(report: DiagnosisReport, number: int) -> Figures:
    one = report.sensitivity[number]
    rows = [
        (group.name, f"{group.actions:,}", _percent(group.normalized_map), _percent(group.missed))
        for group in one.groups
    ]
    says = f"normalised mAP and misses in percent, means over tIoU; best and worst differ by {_percent(one.spread)}"
    columns = (one.characteristic, "actions", "mAP", "missed")
    return Figures(f"{one.characteristic} ({one.unit})", says, columns, rows)


def _framewise(report: DiagnosisReport) -> list[Figures]:
    if report.framewise is None:
        return []
    scores = report.framewise
    names = [f"F1@{k}" for k in scores.f1]
    by_video = (*map(_percent, (scores.accuracy, scores.edit, *scores.f1.values())),)
    pooled = (_percent(scores.pooled_accuracy), "", *map(_percent, scores.pooled_f1.values()))
    rows = [("mean of videos", *by_video), ("all together", *pooled)]
    says = "in percent, of what is shown, one action at a time"
    return [Figures("frame by frame", says, ("", "accuracy", "edit", *names), rows)]


def _classes(report: DiagnosisReport) -> Figures:
    names = (*KINDS, "missed")
    rows = [
        (name, f"{row['found'] + row['missed']:,}", _percent(row["ap"]), *(f"{row[kind]:,}" for kind in names))
        for name, row in sorted(report.per_class.items(), key=lambda entry: entry[1]["ap"])
    ]
    says = f"the worst first; AP in percent, mean over tIoU; kinds of detections at tIoU {report.tiou:g}"
    return Figures("classes", says, ("class", "actions", "AP", *names), rows)


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _signed(share: float | None) -> str:
    return "" if share is None else f"{100 * share:+.1f}"
