import math
from collections.abc import Sequence

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from actionformer.backbones.posture import FASTEST, Body, Poses, described, pooled

THREE = Body(points=3, origin=(0,), end=(1,))
"""A body of an origin, the end of its torso, and a hand."""


def poses(*moments: Sequence[Sequence[float]]) -> list[Poses]:
    """Moments of one body, each point with confidence 1; None is not seen."""
    return [np.array([[(*point, 1.0) for point in moment]], np.float32) for moment in moments]


def numbers(body: Body, moments: list[Poses], fps: float) -> NDArray[np.float32]:
    return np.stack(list(described(moments, body, fps)))


GONE = [np.nan, np.nan]


def test_two_moments_by_hand() -> None:
    # The torso is 10 pixels long and points up; the hand is a torso to the right, then moves 5 right and 15 down
    first = [[10.0, 10.0], [10.0, 0.0], [20.0, 10.0]]
    second = [[15.0, 10.0], [15.0, 0.0], [25.0, 20.0]]
    found = numbers(THREE, poses(first, second), fps=2.0)
    assert found.shape == (2, THREE.numbers)
    still: list[float] = [0, 0, 1, 0, -1, 0, *6 * [0], 1, 1, 1, 1, 1, 0, 0, 0, 0, -1, 0]
    np.testing.assert_allclose(found[0], still, atol=1e-6)
    positions, velocities = [0.0, 0.0, 1.0, 0.0, -1.0, 1.0], [0.0, 0.0, 0.0, 0.0, 0.0, 2.0]
    # Points at (0, 0), (0, -1), (1, 0), then at (0, 0), (0, -1), (1, 1): squared ways from their middle 4/3, then 8/3
    box, shift, growth = [1, 2], [1, 2 / 3], [2 * math.log(2) / 2]
    heading, turn = [0, -1], [0]
    expected = np.array([*positions, *velocities, 1, 1, 1, *box, *shift, *growth, *heading, *turn], np.float32)
    np.testing.assert_allclose(found[1], expected, atol=1e-5)


def test_a_body_that_is_turned_points_right() -> None:
    body = Body(points=3, origin=(0,), end=(1,), turned=True)
    up = [[10.0, 10.0], [10.0, 0.0], [20.0, 10.0]]  # the hand is at its right
    right = [[10.0, 10.0], [20.0, 10.0], [10.0, 20.0]]  # likewise
    found = numbers(body, poses(up, right), fps=4.0)
    np.testing.assert_allclose(found[:, :6], 2 * [[0, 1, 0, 0, 0, 1]], atol=1e-6)
    np.testing.assert_allclose(found[:, 6:12], 0, atol=1e-5)  # nothing moves as the body sees it
    np.testing.assert_allclose(found[:, -3:], np.array([[0, -1, 0], [1, 0, 4 * np.pi / 2]]), atol=1e-5)


def test_what_is_not_seen_is_no_number_and_its_neighbours_stay() -> None:
    seen = [[10.0, 10.0], [10.0, 0.0], [20.0, 10.0]]
    hidden = [[10.0, 10.0], [10.0, 0.0], GONE]
    found = numbers(THREE, poses(seen, hidden, seen), fps=1.0)
    assert np.isnan(found).sum(1).tolist() == [0, 4, 2]  # x, y and their velocities; then there is no velocity yet
    np.testing.assert_allclose(found[2, :6], found[0, :6])
    # Without the origin, the middle of what is seen stands for it; the torso keeps its last length and direction
    headless = numbers(THREE, poses(seen, [GONE, [10.0, 0.0], [20.0, 10.0]]), fps=1.0)
    np.testing.assert_allclose(headless[1, [1, 2, 4, 5]], [-0.5, 0.5, -0.5, 0.5], atol=1e-6)
    np.testing.assert_allclose(headless[1, -3:], [0, -1, 0], atol=1e-6)
    briefly = numbers(THREE, poses(seen, [GONE, [10.0, 0.0], [20.0, 10.0]], seen), fps=10.0)
    assert np.isnan(briefly[1, :12]).all()  # a tenth of a second is waited out
    np.testing.assert_allclose(briefly[2, :6], briefly[0, :6])
    # Of a body that is not there, nothing is a number but the confidences
    nobody = [np.array([[(np.nan, np.nan, 0.1)] * 3], np.float32)]
    np.testing.assert_allclose(numbers(THREE, nobody, 1.0)[0, 12:15], 0.1)
    assert np.isnan(numbers(THREE, nobody, 1.0)).sum() == THREE.numbers - 3


def test_the_length_of_the_torso_is_that_of_the_last_seconds() -> None:
    short, long = [[0.0, 0.0], [0.0, 10.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 40.0], [0.0, 0.0]]
    found = numbers(THREE, poses(short, long), fps=10.0)
    np.testing.assert_allclose(found[:, 4], [1, 40 / 20], atol=1e-6)  # the geometric mean of 10 and 40
    settled = numbers(THREE, poses(*10 * [short], *600 * [long]), fps=10.0)
    np.testing.assert_allclose(settled[-1, 4], 1, atol=1e-3)
    without = numbers(THREE, poses([GONE, [0.0, 0.0], [30.0, 40.0]]), fps=1.0)
    np.testing.assert_allclose(without[0, [1, 2, 4, 5]], [-0.6, 0.6, -0.8, 0.8], atol=1e-6)  # both 25 from the middle


def test_what_leaps_is_cut() -> None:
    here, there = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0]], [[0.0, 0.0], [0.0, 1.0], [900.0, 0.0]]
    assert numbers(THREE, poses(here, there), fps=30.0)[1, 8] == FASTEST


def test_two_bodies_see_one_another() -> None:
    body = Body(points=2, origin=(0,), end=(1,), animals=2, turned=True)
    assert body.numbers == 2 * 18 + 6
    first, second = [[0.0, 0.0], [2.0, 0.0]], [[8.0, 0.0], [8.0, -8.0]]  # torsos of 2 and 8: to the right, and up
    nearer = [[4.0, 0.0], [4.0, -8.0]]
    moments = [
        np.array([[(*point, 1.0) for point in animal] for animal in animals], np.float32)
        for animals in ([first, second], [first, nearer])
    ]
    found = numbers(body, moments, fps=2.0)
    # The first has the second 4 torsos ahead; the second has the first a torso to its left; 8 / sqrt(2 * 8) apart
    np.testing.assert_allclose(found[0, -6:], [4, 0, 0, -1, 2, 0], atol=1e-5)
    np.testing.assert_allclose(found[1, -6:], [2, 0, 0, -0.5, 1, -2], atol=1e-5)


coordinates = st.integers(-50, 50)
moments_of_4_points = st.lists(
    st.lists(st.tuples(coordinates, coordinates), min_size=4, max_size=4, unique=True), min_size=2, max_size=3
)


@settings(max_examples=15, deadline=None)
@given(moments_of_4_points, st.floats(0.5, 8), st.floats(-3, 3), st.floats(-200, 200), st.booleans())
def test_place_and_size_do_not_matter_nor_direction_where_bodies_are_turned(
    moments: list[list[tuple[int, int]]], scale: float, angle: float, shift: float, turned: bool
) -> None:
    body = Body(points=4, origin=(0, 1), end=(2,), turned=turned)
    plain = poses(*moments)
    for pose in plain:  # torsos of a length that rounding leaves alone
        pose[0, 2, :2] += 200
    cosine, sine = (np.cos(angle), np.sin(angle)) if turned else (1.0, 0.0)
    turn = np.array([[cosine, sine], [-sine, cosine]])
    moved = [np.concatenate([scale * pose[..., :2] @ turn + shift, pose[..., 2:]], -1) for pose in plain]
    found, expected = numbers(body, moved, 5.0), numbers(body, plain, 5.0)
    kept = slice(0, -3) if turned else slice(None)  # the way of the torso is what has changed
    np.testing.assert_allclose(found[:, kept], expected[:, kept], atol=2e-2)


def test_pooling_leaves_out_what_is_not_seen() -> None:
    clip = torch.tensor([[[1.0, 5.0, np.nan], [3.0, np.nan, np.nan]]])
    torch.testing.assert_close(pooled(clip), torch.tensor([[2.0, 5.0, 0.0, 1.0, 0.0, 0.0]]))


def test_no_moments_give_no_numbers() -> None:
    assert list(described([], THREE, 1.0)) == []
