"""What proposals are judged by: regions worked out by hand, and bins beside a plain loop."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from actionformer.detectors.muses.regions import extended, extended_in_frames, region_maxima


@pytest.mark.parametrize(
    ("proposal", "expected"),
    [
        ([2.5, 6.5], [1.0, 9.0]),  # from 3 to 7 features, and 2 on either side
        ([0.5, 6.5], [0.0, 10.0]),  # would begin at -2
        ([7.5, 11.5], [6.0, 12.0]),  # would end at 14
        ([13.5, 15.5], [12.0, 12.0]),  # lies behind the sequence
    ],
)
def test_half_of_the_length_on_either_side(proposal: list[float], expected: list[float]) -> None:
    assert extended(torch.tensor([[proposal]]), torch.tensor([12])).tolist() == [[expected]]


@pytest.mark.parametrize(
    ("training", "frames", "expected"),
    [
        # 66 frames and 33 on either side; in training the first of them is left out
        (True, [230, 296], [198, 329]),
        (False, [230, 296], [197, 329]),
        # 25 frames: half of them is 12, or 12.5 before both ends are rounded down
        (True, [392, 417], [381, 429]),
        (False, [392, 417], [379, 429]),
        (True, [454, 480], [442, 480]),
        (False, [454, 480], [441, 480]),
        # 249 of 480 frames is a little less than 249 frames
        (False, [208, 256], [184, 279]),
        (False, [0, 0], [0, 1]),
    ],
)
def test_whole_frames_as_published(training: bool, frames: list[int], expected: list[int]) -> None:
    """Of a video of 480 frames; a feature has 8, and the last frame is inside."""
    proposals = torch.tensor([[frames]]) / 8 - 0.5
    found = extended_in_frames(proposals, torch.tensor([480]), 8, training=training)
    assert (found[0, 0] * 8).tolist() == [expected[0], expected[1] + 1]


def binned(region: list[float], bins: int, length: int = 10) -> list[float]:
    """Of features whose value is 1 + their number."""
    features = torch.arange(1.0, 11)[None, :, None]
    found = region_maxima(features, torch.tensor([[region]]), torch.tensor([length]), bins)
    return found[0, 0, :, 0].tolist()


def test_bins_worked_by_hand() -> None:
    assert binned([1, 9], 4) == [3, 5, 7, 9]
    assert binned([0.5, 4.5], 4) == [2, 3, 4, 5]  # the first covers from 0.5 to 1.5, and touches two features
    assert binned([2, 3], 4) == [3, 3, 3, 3]
    assert binned([6, 10], 4) == [7, 8, 9, 10]


def test_what_lies_outside_of_the_sequence_is_0() -> None:
    assert binned([6, 10], 4, length=8) == [7, 8, 0, 0]
    assert binned([12, 14], 4) == [0, 0, 0, 0]
    assert binned([-2, 2], 4) == [0, 0, 1, 2]
    assert binned([3, 3], 4) == [0, 0, 0, 0]


def test_without_proposals_there_is_nothing() -> None:
    found = region_maxima(torch.ones(2, 5, 3), torch.zeros(2, 0, 2), torch.tensor([5, 4]), 8)
    assert found.shape == (2, 0, 8, 3)


@given(length=st.integers(1, 40), seed=st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_bins_are_those_of_a_plain_loop(length: int, seed: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    features = torch.randn(2, length, 70, generator=draw, requires_grad=True)  # more than one part of the channels
    regions = (torch.rand(2, 5, 2, generator=draw) * (length + 6) - 3).sort(-1).values
    lengths = torch.tensor([length, (length + 1) // 2])
    found = region_maxima(features, regions, lengths, 4)
    plain = plainly(features, regions, lengths)
    torch.testing.assert_close(found, plain)
    weights = torch.randn(found.shape, generator=draw)
    ours, theirs = (torch.autograd.grad((one * weights).sum(), features)[0] for one in (found, plain))
    torch.testing.assert_close(ours, theirs)


def plainly(features: Tensor, regions: Tensor, lengths: Tensor) -> Tensor:
    rows = []
    for x, own, length in zip(features, regions, lengths.tolist(), strict=True):
        for start, end in own:
            width = (end - start) / 4
            for bin in range(4):
                first, behind = math.floor(start + bin * width), math.ceil(start + (bin + 1) * width)
                part = x[max(first, 0) : min(max(behind, 0), length)]
                rows.append(part.amax(0) if len(part) else torch.zeros(x.shape[1]))
    return torch.stack(rows).view(*regions.shape[:2], 4, -1)
