"""Boundary pooling: regions worked out by hand, and maxima beside a plain loop."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from actionformer.detectors.afsd.pooling import boundary_maxima, boundary_regions


def plainly(features: Tensor, regions: Tensor, lengths: Tensor) -> Tensor:
    """One region and half of the channels after the other."""
    half = features.shape[-1] // 2
    found = torch.empty(*regions.shape[:2], 2 * half)
    for row, moments in enumerate(regions.tolist()):
        for moment, region in enumerate(moments):
            for side in range(2):
                first, last = (min(max(at, 0), int(lengths[row]) - 1) for at in region[2 * side : 2 * side + 2])
                channels = slice(side * half, (side + 1) * half)
                found[row, moment, channels] = features[row, first : max(first, last) + 1, channels].amax(0)
    return found


def test_a_region_reaches_a_quarter_inwards_and_a_tenth_outwards() -> None:
    """Of a segment from 10 to 50; the ends of the region, 6, 20, 40 and 54, are its last positions."""
    assert boundary_regions(*torch.tensor([10.0, 50.0, 40.0])).tolist() == [6, 20, 40, 54]


def test_the_regions_of_short_segments_reach_one_position_and_halves_go_to_even_numbers() -> None:
    assert boundary_regions(*torch.tensor([5.5, 6.5, 1.0])).tolist() == [4, 6, 6, 8]


@given(length=st.integers(1, 33), seed=st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_maxima_are_those_of_a_plain_loop(length: int, seed: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    features = torch.randn(2, length, 6, generator=draw)
    regions = torch.randint(-5, length + 5, (2, 7, 4), generator=draw)
    lengths = torch.tensor([length, max(length // 2, 1)])
    torch.testing.assert_close(boundary_maxima(features, regions, lengths), plainly(features, regions, lengths))


def test_the_first_of_equal_maxima_has_the_gradient() -> None:
    features = torch.tensor([[1.0, 3, 3, 0], [0.0, 2, 5, 5]]).T[None].clone().requires_grad_()
    boundary_maxima(features, torch.tensor([[[0, 3, 1, 3]]]), torch.tensor([4])).sum().backward()
    assert features.grad is not None
    assert features.grad[0].T.tolist() == [[0, 1, 0, 0], [0, 0, 1, 0]]


@pytest.mark.parametrize(("region", "value"), [([6, 2], 6.0), ([-9, -3], 0.0), ([30, 40], 7.0), ([2, 5], 5.0)])
def test_what_lies_outside_or_ends_before_it_begins_is_one_position(region: list[int], value: float) -> None:
    features = torch.arange(8.0)[None, :, None].expand(1, 8, 2)
    found = boundary_maxima(features, torch.tensor([[region * 2]]), torch.tensor([8]))
    assert found.tolist() == [[[value, value]]]
