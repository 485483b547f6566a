"""Maxima of stretches beside a plain loop."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from actionformer.nn.maxima import stretch_maxima


@given(length=st.integers(1, 33), seed=st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_maxima_are_those_of_a_plain_loop(length: int, seed: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    features = torch.randn(2, length, 3, generator=draw)
    ends = torch.randint(length, (2, 7, 2), generator=draw).sort(-1).values
    first, last = ends.unbind(-1)
    longest = int((last - first).max()) + 1
    plain = torch.stack(
        [
            torch.stack([one[a : b + 1].amax(0) for a, b in rows])
            for one, rows in zip(features, ends.tolist(), strict=True)
        ]
    )
    assert torch.equal(stretch_maxima(features, first, last), plain)
    assert torch.equal(stretch_maxima(features, first, last, longest=longest), plain)


def test_the_first_of_equal_maxima_has_the_gradient() -> None:
    features = torch.tensor([[[1.0], [3], [3], [0]]], requires_grad=True)
    stretch_maxima(features, torch.tensor([[0, 2]]), torch.tensor([[3, 3]])).sum().backward()
    assert features.grad is not None
    assert features.grad.flatten().tolist() == [0, 1, 1, 0]
