"""What a comparison of models allows to say, and how its figures came about, in words."""

from __future__ import annotations

from collections.abc import Iterator

from actionformer.core.words import plural
from actionformer.evaluation.bootstrap import Interval
from actionformer.evaluation.comparison import SIGNIFICANT, ComparisonReport, EntryFigures

FEW = 10
"""Videos, or groups of them, below which an interval is too narrow to be trusted."""


def conclusions(report: ComparisonReport) -> list[str]:
    """What may be concluded and what not, a sentence or two each."""
    return [*_standing(report), *_differences(report), *_limits(report), *report.notes]


def _standing(report: ComparisonReport) -> Iterator[str]:
    first = next(one for one in report.entries if one.name == report.reference)
    has = "has the highest mAP of all," if report.best and _others(report) else "has mAP"
    if report.best and (equal := _as_good(report)):
        has = f"has, together with {', '.join(equal)}, the highest mAP of all,"
    yield f"{first.name} {has} {_percent(first.average.value)} on average ({_between(first.average)})."


def _others(report: ComparisonReport) -> list[EntryFigures]:
    """The entries that are compared with the reference."""
    return [one for one in report.entries if one.test is not None]


def _as_good(report: ComparisonReport) -> list[str]:
    """Names of the entries whose mAP is that of the reference."""
    return [one.name for one in _others(report) if one.test and one.test.difference.value == 0]


def _differences(report: ComparisonReport) -> Iterator[str]:
    others = _others(report)
    told = f"p below {SIGNIFICANT:g} after Holm's correction for {plural(len(others), 'test')}"
    for word, sign in (("lower", -1), ("higher", 1)):
        apart = [one for one in others if one.differs and one.test and sign * one.test.difference.value > 0]
        if apart:
            yield f"Shown to be {word} than {report.reference} ({told}): {'; '.join(map(_difference, apart))}."
    alike = [one for one in others if not one.differs]
    if alike:
        yield (
            f"Not told apart from {report.reference} on these videos: {'; '.join(map(_difference, alike))}. This is no "
            "proof that they are equal: the difference may lie anywhere in these intervals."
        )


def _limits(report: ComparisonReport) -> Iterator[str]:
    seeds = {len(one.seeds) for one in report.entries}
    if min(seeds) == 1:
        yield (
            "Of one seed nothing is known of the next: trained again, the same model can differ by a point or more. "
            "Intervals of such entries are of these very models; train three seeds of each (--seeds 3)."
        )
    elif min(seeds) == 2:
        yield "Two seeds hardly tell how far results differ from one to the next: deviations are rough."
    others = _others(report)
    if report.drawn == 1:
        yield (
            "There is only 1 video: nothing tells what others would show. Intervals are of seeds alone, and no "
            "difference can be shown. Evaluate on more."
        )
    elif report.drawn < FEW:
        kind = "videos" if report.by == "videos" else "groups of videos"
        never = f", and p is never below {2.0 ** (1 - report.drawn):.2g}" if others else ""
        yield (
            f"There are only {report.drawn} {kind}: intervals of so few are wide, and still too narrow{never}. "
            "Evaluate on more before small differences are believed."
        )
    if report.best and others and not _as_good(report):
        yield (
            f"{report.reference} was picked as the best on the very videos that it is compared on, so its lead looks a "
            "little larger than it will be on others."
        )


def method(report: ComparisonReport) -> list[str]:
    """How the figures came about."""
    counts = f"{plural(report.videos, 'video')} with {plural(report.actions, 'action')}"
    drawn = "videos" if report.by == "videos" else f"{report.drawn} groups of videos that are alike"
    sentences = [
        f"All entries were evaluated on the same {counts}, with the same thresholds. ± is the standard deviation over "
        "seeds.",
        f"Intervals hold 95% of {report.draws:,} draws. A draw takes {drawn} with replacement, the same for all "
        "entries, and of S seeds of an entry S - 1 with replacement; the entry's figure is the mean of theirs. So an "
        "interval says how far other videos like these, and other seeds, would move the figure.",
    ]
    if not _others(report):
        return sentences
    return [
        *sentences,
        f"The test is paired: an entry and {report.reference} are compared on every draw, and p is twice the share of "
        "draws on which the difference lies on the other side of 0, but at least 2 / 2^G of G "
        f"{report.by}. Of several tests p is corrected by Holm's method, so that with a probability of 95% none of the "
        f"differences below p = {SIGNIFICANT:g} is by chance.",
    ]


def _difference(one: EntryFigures) -> str:
    assert one.test is not None
    difference = one.test.difference
    return f"{one.name} {_signed(difference.value)} ({_signed(difference.low)} to {_signed(difference.high)})"


def _between(found: Interval) -> str:
    return f"95% interval {_percent(found.low)} to {_percent(found.high)}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _signed(share: float) -> str:
    return f"{100 * share:+.1f}"
