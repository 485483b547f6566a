"""1-D RoI-align by hand, at the borders, and against the rule written out as loops."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from actionformer.nn.roi_align import roi_align

RAMP = torch.arange(8.0)[None, :, None] ** 2  # (1, 8, 1): 0 1 4 9 16 25 36 49


def bins_of(start: float, end: float, bins: int) -> list[float]:
    return roi_align(RAMP, torch.tensor([[[start, end]]], dtype=torch.float32), bins=bins, longest=16)[
        0, 0, :, 0
    ].tolist()


def test_by_hand() -> None:
    """[1, 5] in 2 bins: each 2 wide with samples at 1.5, 2.5 and 3.5, 4.5, halfway between squares."""
    assert bins_of(1, 5, 2) == pytest.approx([((1 + 4) / 2 + (4 + 9) / 2) / 2, ((9 + 16) / 2 + (16 + 25) / 2) / 2])


def test_a_short_segment_is_one_step_long() -> None:
    """[2, 2.2] becomes [2, 3]: samples at 2.25 and 2.75."""
    assert bins_of(2, 2.2, 2) == pytest.approx([4 + 0.25 * 5, 4 + 0.75 * 5])


def test_at_the_borders() -> None:
    """Up to 1 before the first feature it counts, further away nothing does; from the last on, the last, up to T."""
    assert bins_of(-2, 2, 4) == pytest.approx([0, 0, 0.5, 2.5])
    assert bins_of(6, 10, 4) == pytest.approx([42.5, 49, 0, 0])  # samples at 6.5, 7.5, 8.5, 9.5


def plain(features: Tensor, start: float, end: float, bins: int) -> Tensor:
    length = len(features)
    width = max(end - start, 1.0) / bins
    count = math.ceil(width)
    rows = []
    for b in range(bins):
        row = torch.zeros_like(features[0])
        for i in range(count):
            t = start + b * width + (i + 0.5) * width / count
            if -1 <= t <= length:
                t = max(t, 0.0)
                low = math.floor(t)
                last = low >= length - 1
                row += features[-1] if last else features[low] * (1 - t + low) + features[low + 1] * (t - low)
        rows.append(row / count)
    return torch.stack(rows)


@settings(deadline=None)
@given(
    st.integers(-50, 150).map(lambda n: n / 8 + 5 / 2048),
    st.integers(0, 160).map(lambda n: n / 8),
    st.integers(1, 5),
    st.integers(1, 12),
)
def test_it_is_the_rule_written_out(start: float, span: float, bins: int, length: int) -> None:
    """No sample lies at -1 or T exactly, where rounding decides."""
    generator = torch.Generator().manual_seed(length)
    features = torch.randn(length, 3, generator=generator)
    segments = torch.tensor([[start, start + span]])
    found = roi_align(features[None], segments, bins=bins, longest=20)
    first, last = segments[0].tolist()
    torch.testing.assert_close(found[0, 0], plain(features, first, last, bins), atol=1e-4, rtol=1e-4)


def test_padding_is_not_seen() -> None:
    """Each sequence of a batch is as long as it is, and (N, 2) segments are those of every sequence."""
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(2, 9, 4, generator=generator)
    segments = torch.tensor([[0.0, 3.0], [4.0, 9.0], [5.5, 30.0]])
    together = roi_align(features, segments.expand(2, 3, 2), bins=3, longest=30, lengths=torch.tensor([9, 6]))
    torch.testing.assert_close(together[0], roi_align(features[:1], segments, bins=3, longest=30)[0])
    torch.testing.assert_close(together[1], roi_align(features[1:, :6], segments, bins=3, longest=30)[0])


def test_a_gradient_reaches_the_features_alone() -> None:
    features, segments = torch.randn(1, 6, 2, requires_grad=True), torch.tensor([[[1.0, 4.0]]], requires_grad=True)
    roi_align(features, segments, bins=2, longest=6).sum().backward()
    assert segments.grad is None
    assert features.grad is not None
    assert features.grad.sum() == pytest.approx(2 * 2)  # every bin is a mean of features, in both channels


def test_a_segment_that_is_no_number_gives_none() -> None:
    segments = torch.tensor([[float("nan"), float("nan")], [1.0, 3.0]])
    found = roi_align(RAMP, segments, bins=2, longest=8)
    assert found[0, 0].isnan().all()
    assert found[0, 1].isfinite().all()
