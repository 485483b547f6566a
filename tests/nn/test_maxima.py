"""Maxima of stretches beside a plain loop."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from actionformer.nn.maxima import stretch_maxima


@given(length=st.integers(1, 33), seed=st.integers(0, 10_000), whole=st.booleans())
@settings(max_examples=60, deadline=None)
def test_maxima_are_those_of_a_plain_loop(length: int, seed: int, whole: bool) -> None:
    draw = torch.Generator().manual_seed(seed)
    features = torch.randn(2, length, 3, generator=draw)
    features = (features.round() if whole else features).requires_grad_()  # of whole numbers many are equal
    ends = torch.randint(length, (2, 7, 2), generator=draw).sort(-1).values
    plain = torch.zeros(2, 7, 3)
    share = torch.zeros_like(features)
    for sequence, stretch in torch.cartesian_prod(torch.arange(2), torch.arange(7)).tolist():
        first, last = ends[sequence, stretch].tolist()
        for channel in range(3):
            column = features[sequence, first : last + 1, channel].tolist()
            plain[sequence, stretch, channel] = max(column)
            share[sequence, first + column.index(max(column)), channel] += 1
    found = stretch_maxima(features, *ends.unbind(-1))
    found.sum().backward()
    assert torch.equal(found, plain)
    assert features.grad is not None
    assert torch.equal(features.grad, share)


def test_the_first_of_equal_maxima_has_the_gradient() -> None:
    features = torch.tensor([[[1.0], [3], [3], [0]]], requires_grad=True)
    stretch_maxima(features, torch.tensor([[0, 2]]), torch.tensor([[3, 3]])).sum().backward()
    assert features.grad is not None
    assert features.grad.flatten().tolist() == [0, 1, 1, 0]


def test_of_a_negative_zero_and_a_zero_the_first_has_the_gradient() -> None:
    features = torch.tensor([[[-0.0], [0.0], [-1]]], requires_grad=True)
    stretch_maxima(features, torch.tensor([[0]]), torch.tensor([[2]])).sum().backward()
    assert features.grad is not None
    assert features.grad.flatten().tolist() == [1, 0, 0]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_what_is_no_number_is_not_hidden(dtype: torch.dtype) -> None:
    features = torch.tensor([[[1.0], [torch.nan], [2], [torch.inf]]], dtype=dtype)
    found = stretch_maxima(features, torch.tensor([[0, 0, 2]]), torch.tensor([[1, 0, 3]]))
    assert found.dtype == dtype
    assert found[0, 0].isnan().all()
    assert found[0, 1:].flatten().tolist() == [1, torch.inf]


def test_no_stretch_has_no_maximum() -> None:
    none = torch.zeros(1, 0, dtype=torch.int64)
    assert stretch_maxima(torch.zeros(1, 4, 2), none, none).shape == (1, 0, 2)
