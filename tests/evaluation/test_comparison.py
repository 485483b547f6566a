"""Several models side by side: figures, tests and words, worked out by hand."""

import re
from collections.abc import Sequence
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from judged import MakeAnnotations, MakeDetections

from actionformer.core.errors import InputError
from actionformer.evaluation.bootstrap import Comparison, Interval, compare, confidence
from actionformer.evaluation.comparison import (
    ComparisonReport,
    Costs,
    EntryFigures,
    SeedRun,
    compare_entries,
    drawn_mean,
    holm,
)
from actionformer.evaluation.comparison_tables import in_order, markdown_of, page_of, tables
from actionformer.evaluation.conclusions import conclusions, method
from actionformer.evaluation.sensitivity import find

TIOU = np.array([0.3, 0.5])


@pytest.fixture
def runs(make_annotations: MakeAnnotations, make_detections: MakeDetections) -> Any:
    """Runs on videos of one action each, of which each run finds the first so many."""

    def made(videos: int, *right: int) -> list[SeedRun]:
        truth = make_annotations({f"v{i}": [(0, 10, 0)] for i in range(videos)})
        found = [
            find(
                truth,
                make_detections({f"v{i}": [(0, 10, 0, 0.9) if i < some else (20, 30, 0, 0.9)] for i in range(videos)}),
                TIOU,
            )
            for some in right
        ]
        return [
            SeedRun(seed, (some / videos,) * 2, one) for seed, (some, one) in enumerate(zip(right, found, strict=True))
        ]

    return made


def test_holms_correction_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])  # 3 * 0.01, then 2 * 0.03, 1 * 0.04 < 0.06
    assert holm([0.5, 0.02, 0.9]) == pytest.approx([1, 0.06, 1])
    assert holm([0.2]) == [0.2]
    assert holm([]) == []


@given(p=st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_corrected_p_is_no_smaller_and_in_the_same_order(p: list[float]) -> None:
    corrected = holm(p)
    assert all(one <= other <= 1 for one, other in zip(p, corrected, strict=True))
    order = np.argsort(p, kind="stable")
    assert (np.diff(np.array(corrected)[order]) >= 0).all()
    assert min(corrected) == pytest.approx(min(len(p) * min(p), 1))


def test_with_one_seed_each_it_is_the_paired_test_of_two_runs(runs: Any) -> None:
    worse, better = runs(30, 15), runs(30, 18)
    groups = np.arange(30)
    first, second = compare_entries({"worse": worse, "better": better}, groups)
    same = compare(better[0].found, worse[0].found, groups)
    assert first.test == same
    assert first.corrected_p == same.p
    assert second.test is None
    assert second.average == confidence(better[0].found, groups)


def test_a_draw_takes_one_seed_less_than_there_are(runs: Any) -> None:
    groups = np.arange(12)
    (both,) = compare_entries({"both": runs(12, 12, 0)}, groups)  # all right, all wrong
    assert (both.average.value, both.average.low, both.average.high) == pytest.approx((0.5, 0.0, 1.0))
    assert both.averages == (1.0, 0.0)
    (one,) = compare_entries({"one": runs(12, 12, 12)}, groups)
    assert one.average.low == one.average.high == pytest.approx(1.0)


@pytest.mark.parametrize("values", [(1.0, 0.0), (1.0, 0.0, 0.0), (0.5, 0.1, 0.9, 0.3)])
def test_the_spread_of_drawn_means_is_that_of_means_of_new_seeds(values: Sequence[float]) -> None:
    drawn = drawn_mean(np.repeat(np.array(values)[:, None], 20_000, axis=1), seed=0)
    assert drawn.var() == pytest.approx(np.var(values, ddof=1) / len(values), rel=0.05)
    assert drawn.mean() == pytest.approx(np.mean(values), abs=0.02)


def test_three_videos_never_tell_two_models_apart(runs: Any) -> None:
    _, found = compare_entries({"right": runs(3, 3), "wrong": runs(3, 0)}, np.arange(3))
    assert found.test is not None
    assert found.test.p == 0.25  # 2 / 2^3
    assert not found.differs
    _, found = compare_entries({"right": runs(9, 9), "wrong": runs(9, 0)}, np.arange(9))
    assert found.differs


def test_a_given_reference_and_an_order(runs: Any) -> None:
    entries = {"full": runs(10, 5), "less": runs(10, 2), "more": runs(10, 8)}
    found = compare_entries(entries, np.arange(10), reference="full")
    assert [one.name for one in found] == ["full", "less", "more"]
    assert [None if one.test is None else round(one.test.difference.value, 6) for one in found] == [None, -0.3, 0.3]
    assert [one.name for one in in_order(found)] == ["more", "full", "less"]


def test_other_ground_truths_are_refused(runs: Any) -> None:
    with pytest.raises(InputError, match="same ground truths"):
        compare_entries({"a": runs(3, 1), "b": runs(4, 1)}, np.arange(3))


def entry(name: str, difference: float | None, p: float = 0.001, seeds: int = 2) -> EntryFigures:
    """Entries of 60 and 64 points at 0.5, of 50 and 54 at 0.7."""
    test = None if difference is None else Comparison(Interval(difference, difference - 0.02, difference + 0.02), p)
    maps = ((0.6, 0.5), (0.64, 0.54))[:seeds]
    average = Interval(float(np.mean(maps)), 0.4, 0.7)
    costs = Costs(2_500_000, 1.5e9, 12.345, 40.0 if difference is None else 10.0, 123.4)
    return EntryFigures(name, tuple(range(seeds)), maps, average, test, None if difference is None else p, costs)


def report(*entries: EntryFigures, drawn: int = 20, **more: Any) -> ComparisonReport:
    one: dict[str, Any] = {
        "tiou": (0.5, 0.7),
        "videos": 20,
        "actions": 99,
        "drawn": drawn,
        "by": "videos",
        "draws": 1000,
        "best": True,
    }
    return ComparisonReport(**(one | {"reference": entries[0].name, "entries": entries} | more))


def test_the_tables_by_hand() -> None:
    found = report(entry("a", None), entry("b", -0.1), entry("c", -0.01, p=0.6))
    accuracy, tests, thresholds, costs = tables(found, every=True)
    assert accuracy.columns == ("", "seeds", "0.5", "0.7", "average", "95% interval")
    assert accuracy.rows[0] == ("a", "2", "62.0 ± 2.8", "52.0 ± 2.8", "57.0 ± 2.8", "40.0 to 70.0")
    assert tests.rows == [
        ("b", "-10.0", "-12.0 to -8.0", "0.001", "0.001", "told apart"),
        ("c", "-1.0", "-3.0 to +1.0", "0.6", "0.6", "not told apart"),
    ]
    assert thresholds.rows[0] == ("a", "62.0 ± 2.8", "52.0 ± 2.8", "57.0 ± 2.8")
    assert costs.rows[:2] == [
        ("a", "2.50", "1.5", "12.3", "40", "1.00", "123"),
        ("b", "2.50", "1.5", "12.3", "10", "0.25", "123"),
    ]
    assert len(tables(report(entry("a", None, seeds=1), entry("b", -0.1)))) == 3


def test_what_may_be_concluded() -> None:
    said = " ".join(conclusions(report(entry("a", None), entry("b", -0.1), entry("c", -0.01, p=0.6), drawn=6)))
    assert "a has the highest mAP of all, 57.0 on average (95% interval 40.0 to 70.0)." in said
    assert (
        "Shown to be lower than a (p below 0.05 after Holm's correction for 2 tests): b -10.0 (-12.0 to -8.0)." in said
    )
    assert "Not told apart from a on these videos: c -1.0 (-3.0 to +1.0). This is no proof that they are equal" in said
    assert "There are only 6 videos" in said
    assert "p is never below 0.031" in said
    assert "Two seeds hardly tell" in said
    assert "picked as the best on the very videos" in said
    other = report(entry("full", None, seeds=1), entry("more", 0.1), best=False, notes=("Mind this.",))
    words = " ".join(conclusions(other))
    assert "full has mAP 55.0 on average" in words
    assert "Shown to be higher than full" in words
    assert "Of one seed nothing is known of the next" in words
    assert words.endswith("Mind this.")
    assert "picked" not in words
    assert "only" not in words
    assert any("S - 1 with replacement" in sentence for sentence in method(other))


def test_equal_entries_are_the_best_together() -> None:
    said = " ".join(conclusions(report(entry("a", None), entry("b", 0.0, p=1.0), entry("c", -0.1))))
    assert "a has, together with b, the highest mAP of all, 57.0 on average" in said
    assert "picked" not in said


def test_a_single_entry_is_compared_with_nothing() -> None:
    found = report(entry("a", None), drawn=6)
    accuracy, thresholds, costs = tables(found, every=True)
    assert [one.rows[0][0] for one in (accuracy, thresholds, costs)] == ["a", "a", "a"]
    said = " ".join([*conclusions(found), *method(found), markdown_of(found, "One"), page_of(found, "One")])
    assert "a has mAP 57.0 on average" in said
    assert "There are only 6 videos" in said
    for word in ("highest", "paired", "p is never", "0 tests"):
        assert word not in said


def test_of_one_video_no_difference_can_be_shown() -> None:
    said = " ".join(conclusions(report(entry("a", None), entry("b", -0.1, p=1.0), drawn=1)))
    assert "There is only 1 video: nothing tells what others would show" in said
    assert "wide" not in said


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attributes: Any) -> None:
        self.tags.append(tag)


def test_names_are_text_on_the_page_and_in_markdown() -> None:
    found = report(entry("<script>|*x*", None), entry("b_c", -0.1))
    page = _Page()
    page.feed(page_of(found, "Comparison"))
    assert "script" not in page.tags
    assert page.tags.count("table") == 4
    assert page.tags.count("li") == len(conclusions(found)) + len(method(found))
    text = markdown_of(found, "Comparison")
    assert r"\<script>\|\*x\*" in text
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    widths = {len(re.findall(r"(?<!\\)\|", row)) for row in rows if row.startswith(r"| \<script")}
    assert widths == {7, 4 + 1, 8}


def test_all_figures_are_plain_values() -> None:
    content = report(entry("a", None), entry("b", -0.1)).to_dict()
    assert content["entries"][1]["mean"] == pytest.approx(0.57)
    assert content["entries"][1]["deviation"] == pytest.approx(0.02 * 2**0.5)
    assert content["entries"][1]["test"]["difference"]["value"] == -0.1
    assert content["entries"][0]["costs"]["parameters"] == 2_500_000
