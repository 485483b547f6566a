"""Temporal aggregation: its taps worked out by hand, and beside a plain loop."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from actionformer.detectors.muses.aggregation import SCALES, TemporalAggregation, offsets
from actionformer.detectors.muses.settings import TAPS


def plainly(layer: TemporalAggregation, x: Tensor) -> Tensor:
    """One feature, branch and tap after the other."""
    y = torch.zeros(*x.shape[:2], len(layer.branches[0].get_parameter("bias")))
    for (rows, distance), branch in zip(SCALES, layer.branches, strict=True):
        y += branch.get_parameter("bias")
        for t in range(x.shape[1]):
            for tap, offset in enumerate(offsets(rows, distance)):
                if 0 <= t + offset < x.shape[1]:
                    y[:, t] += x[:, t + offset] @ branch.get_parameter("weight")[:, tap].T
    return y


@pytest.mark.parametrize(
    ("scale", "expected"),
    [
        ((1, 3), [-1, 0, 1]),
        ((3, 3), [-4, -3, -2, -1, 0, 1, 2, 3, 4]),
        ((3, 6), [-7, -6, -5, -1, 0, 1, 5, 6, 7]),
        ((3, 9), [-10, -9, -8, -1, 0, 1, 8, 9, 10]),
    ],
)
def test_taps_of_a_branch_are_three_of_each_row(scale: tuple[int, int], expected: list[int]) -> None:
    assert scale in SCALES
    assert offsets(*scale) == expected


def test_all_branches_have_as_many_taps_as_settings_count() -> None:
    assert sum(len(offsets(*scale)) for scale in SCALES) == TAPS


def test_what_one_feature_gives_to_others() -> None:
    """The first branch counts 1 everywhere, the last 10, 20, ... by tap; feature 12 is the only one that is not 0."""
    layer = TemporalAggregation(1, 1)
    for branch, weight in zip(layer.branches, (1.0, 0.0, 0.0, None), strict=True):
        branch.get_parameter("weight").data.flatten().fill_(weight or 0.0)
    layer.branches[3].get_parameter("weight").data = torch.arange(10.0, 100, 10).view(1, 9, 1)
    x = torch.zeros(1, 25, 1)
    x[0, 12] = 1
    expected = torch.zeros(25)
    expected[[22, 21, 20, 13, 12, 11, 4, 3, 2]] = torch.arange(10.0, 100, 10)
    expected[11:14] += 1
    torch.testing.assert_close(layer(x)[0, :, 0].detach(), expected)


@given(length=st.integers(1, 30), seed=st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_it_is_a_plain_loop_over_taps(length: int, seed: int) -> None:
    torch.manual_seed(seed)
    layer = TemporalAggregation(3, 2)
    for branch in layer.branches:
        branch.get_parameter("bias").data.normal_()
    x = torch.randn(2, length, 3)
    torch.testing.assert_close(layer(x), plainly(layer, x), atol=1e-5, rtol=1e-5)


def test_gradients_of_several_batches_add_up() -> None:
    """Branches get the gradient of one sum, and yet each has its own memory for it."""
    layer = TemporalAggregation(1, 2)
    for _ in range(2):
        layer(torch.ones(1, 5, 1)).sum().backward()
    for branch in layer.branches:
        gradient = branch.get_parameter("bias").grad
        assert gradient is not None
        assert gradient.tolist() == [10, 10]
