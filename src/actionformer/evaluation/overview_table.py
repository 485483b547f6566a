"""The overview of a training in words and numbers."""

from __future__ import annotations

from collections.abc import Iterator

from rich.box import SIMPLE_HEAD

from actionformer.core.terminal import TextTable
from actionformer.core.words import plural
from actionformer.data.groups import LEAST_GROUPS
from actionformer.evaluation.overview import Operating, Overview

ROUGH = 0.1
"""Uncertainty beyond which figures of a class are marked."""
MOST_CLASSES = 12
"""Rows: with the sentences it fits a screen."""


def overview_table(found: Overview) -> TextTable:
    """A row a class, the worst first, and one of all together."""
    whose = "not learned from" if found.fresh else "LEARNED FROM, so figures are too good"
    title = f"{plural(found.videos, 'video')} {whose}, {plural(found.actions, 'action')}; in percent"
    headers = ("learned", "evaluated", "AP", *(("precision", "recall", "F1") if found.operating is not None else ()))
    table = TextTable("", *headers, title=title, cut=("",), box=SIMPLE_HEAD, padding=0)
    for column in table.columns[1:]:
        column.justify, column.min_width = "right", 9
    for one in found.classes[:MOST_CLASSES]:
        table.add_row(one.name, f"{one.learned:,}", f"{one.actions:,}", _percent(one.ap), *_figures(one.operating))
    if (more := len(found.classes) - MOST_CLASSES) > 0:
        table.add_row(f"and {plural(more, 'better one')}")
    learned = sum(one.learned for one in found.classes)
    table.add_row("all", f"{learned:,}", f"{found.actions:,}", _percent(found.map), *_figures(found.operating))
    table.caption = _caption(found)
    table.min_width = max(map(len, (title, *table.caption.splitlines())))
    return table


def overview_lines(found: Overview, run: str) -> Iterator[str]:
    """Which model is which, what limits it, and what comes next."""
    if found.best_epoch != found.epoch:
        yield (
            f"The last model, which `detect {run}` uses, has mAP {_percent(found.map)} (epoch {found.epoch}); "
            f"{run}/best has {_percent(found.best_map)} (epoch {found.best_epoch}), chosen on these videos."
        )
    for one in found.limits:
        yield f"- {one.what} To try: {one.advice}."
    if not found.limits:
        yield "No kind of error and no length stands out; more labelled videos help most models."
    yield f"Next: actionformer detect {run} FILES --out detections.json, or look at it: actionformer view {run}"


def _caption(found: Overview) -> str:
    if found.operating is None:
        return f"no thresholds: {found.without}"
    points = 100 * found.operating.uncertainty
    others = "groups" if found.groups > 1 else "videos"
    lines = [
        f"precision, recall and F1 of what is shown, at tIoU {found.tiou:g}, thresholds from other {others}:",
        f"on videos like these certain to {points:.0f} points of all classes, ~ to more than {100 * ROUGH:.0f}",
    ]
    if 0 < found.groups < LEAST_GROUPS:
        lines.append(f"these are of {plural(found.groups, 'group')}: videos of other groups may differ by more")
    return "\n".join(lines)


def _figures(one: Operating | None) -> list[str]:
    if one is None:  # then of none
        return []
    mark = "~" if one.uncertainty > ROUGH else ""
    return [mark + _percent(share) for share in (one.precision, one.recall, one.f1)]


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"
