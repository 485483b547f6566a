"""A comparison of models as tables and words: for terminals, as Markdown, as a page."""

from __future__ import annotations

from collections.abc import Sequence

from actionformer.core.html import document, text
from actionformer.core.words import plural
from actionformer.evaluation.bootstrap import Interval
from actionformer.evaluation.comparison import ComparisonReport, Costs, EntryFigures, spread
from actionformer.evaluation.conclusions import conclusions, method
from actionformer.evaluation.figures import STYLE, Figures, markdown_text

SHOWN = (0.5, 0.7)
"""Thresholds of the first table, beside the average; where they are not evaluated, the first and the last."""
SAID, HOW = "what may be concluded", "how these figures came about"


def tables(report: ComparisonReport, *, every: bool = False) -> list[Figures]:
    """Accuracy, tests, costs; with every threshold on request."""
    return [*_judged(report), *(_detailed(report) if every else _costs(report))]


def _judged(report: ComparisonReport) -> list[Figures]:
    """What conclusions are drawn from."""
    return [_accuracy(report), *([_tests(report)] if len(report.entries) > 1 else [])]


def _detailed(report: ComparisonReport) -> list[Figures]:
    """What stands below them on a page."""
    return [_thresholds(report), *_costs(report)]


def markdown_of(report: ComparisonReport, title: str) -> str:
    """All of it as Markdown."""
    judged, detailed = ([one.markdown() for one in of(report)] for of in (_judged, _detailed))
    said, how = (
        f"## {heading}\n\n" + "".join(f"- {markdown_text(one)}\n" for one in sentences)
        for heading, sentences in ((SAID, conclusions(report)), (HOW, method(report)))
    )
    return "\n".join([f"# {markdown_text(title)}\n", *judged, said, *detailed, how])


def page_of(report: ComparisonReport, title: str) -> str:
    """All of it as one page of HTML that needs nothing else."""
    judged, detailed = ([one.html() for one in of(report)] for of in (_judged, _detailed))
    said, how = (
        f"<h2>{heading}</h2><ul>{''.join(f'<li>{text(one)}</li>' for one in sentences)}</ul>\n"
        for heading, sentences in ((SAID, conclusions(report)), (HOW, method(report)))
    )
    return document(title, STYLE, "".join([*judged, said, *detailed, how]))


def _accuracy(report: ComparisonReport) -> Figures:
    shown = [tiou for tiou in SHOWN if tiou in report.tiou] or sorted({report.tiou[0], report.tiou[-1]})
    places = [report.tiou.index(tiou) for tiou in shown]
    rows = [
        (
            one.name,
            str(len(one.seeds)),
            *(_mean([maps[place] for maps in one.maps]) for place in places),
            _mean(one.averages),
            _between(one.average),
        )
        for one in report.entries
    ]
    counts = f"{plural(report.videos, 'video')}, {plural(report.actions, 'action')}"
    says = f"{counts}; average: over tIoU {_range(report.tiou)}; ±: deviation over seeds"
    columns = ("", "seeds", *(f"{tiou:g}" for tiou in shown), "average", "95% interval")
    return Figures("mAP by tIoU, in percent", says, columns, rows)


def _tests(report: ComparisonReport) -> Figures:
    rows = [
        (
            one.name,
            f"{100 * one.test.difference.value:+.1f}",
            _between(one.test.difference, signed=True),
            f"{one.test.p:.2g}",
            f"{one.corrected_p:.2g}",
            "told apart" if one.differs else "not told apart",
        )
        for one in report.entries
        if one.test is not None
    ]
    says = f"p: paired test over {report.by} and seeds; corrected: by Holm's method, for {plural(len(rows), 'test')}"
    columns = ("", "difference", "95% interval", "p", "corrected", "")
    return Figures(f"average mAP less that of {report.reference}, in points", says, columns, rows)


def _thresholds(report: ComparisonReport) -> Figures:
    rows = [
        (one.name, *(_mean(values) for values in zip(*one.maps, strict=True)), _mean(one.averages))
        for one in report.entries
    ]
    columns = ("", *(f"{tiou:g}" for tiou in report.tiou), "average")
    return Figures("mAP at every tIoU, in percent", "mean and deviation over seeds", columns, rows)


def _costs(report: ComparisonReport) -> list[Figures]:
    """The table of costs, where any were measured."""
    if not any(one.costs for one in report.entries):
        return []
    fastest = max((one.costs.minutes_per_second or 0.0 for one in report.entries if one.costs), default=0.0)
    rows = [(one.name, *_cost_cells(one.costs, fastest)) for one in report.entries if one.costs is not None]
    columns = ("", "weights, M", "GMAC / min", "training, min", "min / s", "of fastest", "peak MiB")
    says = "GMAC: 10^9 multiply-adds; min / s: minutes of video detected in a second"
    return [Figures(f"costs{f'; {report.measured}' if report.measured else ''}", says, columns, rows)]


def _cost_cells(costs: Costs, fastest: float) -> tuple[str, ...]:
    speed = costs.minutes_per_second
    return (
        f"{costs.parameters / 1e6:.2f}",
        _digits(None if costs.multiply_adds is None else costs.multiply_adds / 1e9),
        _digits(costs.training_minutes),
        _digits(speed),
        "" if speed is None else f"{speed / fastest:.2f}",
        "" if costs.peak_mib is None else f"{costs.peak_mib:,.0f}",
    )


def _digits(value: float | None) -> str:
    """Three digits, without an exponent."""
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _mean(values: Sequence[float]) -> str:
    mean, deviation = spread(values)
    return f"{100 * mean:.1f}" if deviation is None else f"{100 * mean:.1f} ± {100 * deviation:.1f}"


def _between(found: Interval, *, signed: bool = False) -> str:
    low, high = ((f"{100 * end:+.1f}" if signed else f"{100 * end:.1f}") for end in (found.low, found.high))
    return f"{low} to {high}"


def _range(tiou: Sequence[float]) -> str:
    return f"{tiou[0]:g}" if len(tiou) == 1 else f"{tiou[0]:g} to {tiou[-1]:g}"


def in_order(entries: Sequence[EntryFigures]) -> tuple[EntryFigures, ...]:
    """The best first."""
    return tuple(sorted(entries, key=lambda one: -one.average.value))
