"""The random crop: cases by hand, and what holds for every draw."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from actionformer.data.crop import TRIALS, Crop, random_crop


def crop(length: int, segments: Any, labels: Any = None, *, rng: Any = None, **changes: Any) -> Crop:
    segments = np.array(segments, dtype=np.float32).reshape(-1, 2)
    settings: dict[str, Any] = {"max_length": 1000, "crop_ratio": (0.9, 1.0), "min_overlap": 0.5, "margin": 1.0}
    labels = np.arange(len(segments)) if labels is None else labels
    return random_crop(length, segments, labels, rng=rng or np.random.default_rng(0), **settings | changes)


class Scripted:
    """Gives the numbers of a list; notes the ranges asked for."""

    def __init__(self, *numbers: int) -> None:
        self.numbers = list(numbers)
        self.asked: list[tuple[int, int]] = []

    def integers(self, low: int, high: int) -> int:
        self.asked.append((low, high))
        return self.numbers.pop(0) if len(self.numbers) > 1 else self.numbers[0]


def test_by_hand() -> None:
    """Window [20, 30), widened to [19, 31]: the first action has 1.5 of 3 steps in it, the second 1.4 of 3."""
    found = crop(100, [[17.5, 20.5], [17.4, 20.4], [25, 26], [30, 40]], max_length=10, rng=Scripted(20))
    assert (found.start, found.stop) == (20, 30)
    np.testing.assert_array_equal(found.labels, [0, 2])
    np.testing.assert_allclose(found.segments, [[-1, 0.5], [5.0, 6]])


def test_by_hand_without_a_margin() -> None:
    """Window [20, 30] itself: 0.5 of 3 steps of the first action lie in it, 1.5 of the second."""
    found = crop(100, [[17.5, 20.5], [18.5, 21.5], [25, 40]], max_length=10, margin=0.0, rng=Scripted(20))
    np.testing.assert_array_equal(found.labels, [1])
    np.testing.assert_allclose(found.segments, [[0, 1.5]])


def test_clipped_to_the_widened_window() -> None:
    found = crop(100, [[0, 100]], max_length=10, min_overlap=0.1, rng=Scripted(20))
    np.testing.assert_allclose(found.segments, [[-1, 11]])


def test_redrawn_until_an_action_lies_in_it() -> None:
    rng = Scripted(0, 10, 50, 70)
    found = crop(100, [[52, 55]], max_length=10, rng=rng)
    assert found.start == 50
    assert rng.asked == [(0, 91)] * 3


def test_gives_up() -> None:
    rng = Scripted(0)
    found = crop(100, [[52, 55]], max_length=10, rng=rng)
    assert len(rng.asked) == TRIALS == 200
    assert (found.start, found.stop, len(found.segments)) == (0, 10, 0)


def test_one_draw_without_actions() -> None:
    rng = Scripted(3)
    found = crop(100, [], max_length=10, rng=rng)
    assert (found.start, found.stop, len(found.segments)) == (3, 13, 0)
    assert found.segments.shape == (0, 2)
    assert len(rng.asked) == 1


def test_nothing_changes_when_the_window_is_all() -> None:
    """Not even an action that reaches beyond the end is clipped."""
    found = crop(100, [[-0.5, 120]], rng=Scripted(100))
    assert (found.start, found.stop) == (0, 100)
    np.testing.assert_allclose(found.segments, [[-0.5, 120]])


def test_lengths_that_may_be_drawn() -> None:
    for length, least in [(100, 90), (64, 58), (7, 6), (1, 1)]:
        rng = Scripted(length)
        crop(length, [[0, 1]], rng=rng)
        assert rng.asked == [(least, length + 1)]


def test_at_and_above_the_longest() -> None:
    draws = {
        (length, (one := crop(length, [], max_length=64, rng=np.random.default_rng(seed))).stop - one.start)
        for length in (64, 65, 500)
        for seed in range(50)
    }
    assert {size for length, size in draws if length == 64} == set(range(58, 65))
    assert {size for length, size in draws if length > 64} == {64}


@given(
    length=st.integers(1, 120),
    max_length=st.integers(1, 80),
    actions=st.lists(st.tuples(st.floats(-2, 120), st.floats(0.01, 60)), max_size=6),
    min_overlap=st.floats(0.05, 1),
    margin=st.floats(0.1, 3),
    seed=st.integers(0, 1000),
)
def test_properties(
    length: int, max_length: int, actions: list[Any], min_overlap: float, margin: float, seed: int
) -> None:
    segments = np.array([(start, start + size) for start, size in actions], dtype=np.float32).reshape(-1, 2)
    found = crop(
        length,
        segments,
        max_length=max_length,
        min_overlap=min_overlap,
        margin=margin,
        rng=np.random.default_rng(seed),
    )
    size = found.stop - found.start
    assert 0 <= found.start < found.stop <= length
    if length > max_length:
        assert size == max_length
    else:
        assert round(0.9 * length) <= size <= length
    if size == length:
        np.testing.assert_array_equal(found.segments, segments)
        return
    left, right = found.start - margin, found.stop + margin
    for label, (start, end) in enumerate(segments):
        inside = min(end, right) - max(start, left)
        kept = label in found.labels
        if abs(inside - min_overlap * (end - start)) > 1e-3 and abs(inside) > 1e-3:
            assert kept == (inside >= min_overlap * (end - start))
    assert (found.segments >= -margin - 1e-3).all()
    assert (found.segments <= size + margin + 1e-3).all()
    np.testing.assert_allclose(found.segments + found.start, segments[found.labels].clip(left, right), atol=1e-3)


def test_other_segments_stay_by_the_rule_for_actions() -> None:
    """As above: window [20, 30), widened by a step."""
    found = crop(100, [[25, 26]], max_length=10, rng=Scripted(20))
    others = np.array([[17.5, 20.5], [17.4, 20.4], [25, 26], [30, 40]], np.float32)
    np.testing.assert_allclose(found.of(others, 0.5, 1.0), [[-1, 0.5], [5.0, 6]])
    assert found.of(others[:0], 0.5, 1.0).shape == (0, 2)
