"""The trident boundary, worked by hand."""

import math

import pytest
import torch
from torch import Tensor, nn

from actionformer.nn.heads import Head, TridentBoundary
from actionformer.nn.layers import Conv


def reading(channel: int) -> Head:
    """A head that gives one channel of what it looks at, for two classes: as it is, and its negative."""
    output = Conv(2, 2, 1)
    with torch.no_grad():
        output.weight.zero_()
        output.weight[:, 0, channel] = torch.tensor([1.0, -1.0])
    return Head(convs=nn.ModuleList(), norms=nn.ModuleList(), output=output)


def distances(starts: list[float], ends: list[float], bins: int, offsets: Tensor | None = None) -> Tensor:
    """(T, 2 classes, 2) for these scores of the first class; without offsets they are 0."""
    boundary = TridentBoundary(start=reading(0), end=reading(1), bins=bins)
    x = torch.tensor([starts, ends], dtype=torch.float32).T[None]
    given = torch.zeros(1, len(starts), 2 * (bins + 1)) if offsets is None else offsets[None]
    found: Tensor = boundary(x, given, None)
    return found[0].detach()


def test_a_sharp_start_and_end_are_where_they_stand() -> None:
    """Moment 3 of 6, two bins on each side: the start stands at moment 1, the end at moment 4."""
    found = distances([-50, 50, -50, -50, -50, -50], [-50, -50, -50, -50, 50, -50], bins=2)
    torch.testing.assert_close(found[3, 0], torch.tensor([2.0, 1.0]))


def test_without_any_sign_a_distance_is_the_mean_of_its_bins() -> None:
    found = distances([0.0] * 9, [0.0] * 9, bins=4)
    torch.testing.assert_close(found[4], torch.full((2, 2), 2.0))


def test_beyond_the_sequence_scores_are_zero() -> None:
    """The first of two moments: starts at -1 (0) and 0 (log 3), weighed 1 : 3; its end at 0 (log 3) and 1 (0)."""
    found = distances([math.log(3), 0.0], [math.log(3), 0.0], bins=1)
    torch.testing.assert_close(found[0, 0], torch.tensor([0.25, 0.25]))
    torch.testing.assert_close(found[0, 1], torch.tensor([0.75, 0.75]))  # the other class, of scores -log 3


def test_each_moment_shifts_its_own_bins() -> None:
    offsets = torch.tensor([[40.0, 0, 0, 0, 0, 40.0], [0, 0, 40.0, 40.0, 0, 0]])
    torch.testing.assert_close(distances([0.0, 0], [0.0, 0], bins=2, offsets=offsets)[:, 0],
                               torch.tensor([[2.0, 2.0], [0.0, 0.0]]))  # fmt: skip


def test_its_heads_leave_the_pyramid_alone() -> None:
    boundary = TridentBoundary(start=reading(0), end=reading(1), bins=2)
    x = torch.randn(1, 5, 2, requires_grad=True)
    offsets = torch.zeros(1, 5, 6, requires_grad=True)
    boundary(x, offsets, None).sum().backward()
    assert x.grad is None
    assert offsets.grad is not None
    assert boundary.start.output.weight.grad is not None


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_expectations_are_taken_in_float32(dtype: torch.dtype) -> None:
    """Sums of up to 64 bins in half the digits would be off by a tenth of a stride."""
    torch.manual_seed(0)
    boundary = TridentBoundary(start=reading(0), end=reading(1), bins=64)
    x, offsets = torch.randn(1, 200, 2), torch.randn(1, 200, 130)
    expected = boundary(x, offsets, None)
    with torch.autocast("cpu", dtype=dtype):
        found = boundary(x, offsets, None)
    assert (found - expected).abs().max() < 0.1
