"""Winograd's convolution is the direct one, to the last digits, and so are its gradients."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from actionformer.nn.layers import Conv
from actionformer.nn.winograd import LEAST_CHANNELS, LEAST_MOMENTS, convolved, gains, saved_products, sums_of_weights


def direct(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    return F.conv1d(x.transpose(1, 2), weight.transpose(1, 2), bias, padding=1).transpose(1, 2)


def ways_of(y: Tensor) -> set[str]:
    """What a tensor and what it was sliced from are made by."""
    made = y.grad_fn
    names = set()
    while made is not None:
        names.add(type(made).__name__)
        made = made.next_functions[0][0] if made.next_functions else None
    return names


def drawn(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def test_by_hand() -> None:
    x = torch.tensor([[[1.0], [2.0], [4.0]]])
    weight = torch.tensor([[[10.0], [100.0], [1000.0]]])
    found = convolved(x, sums_of_weights(weight), torch.tensor([0.5]))
    assert found.flatten().tolist() == [100 + 2000 + 0.5, 10 + 200 + 4000 + 0.5, 20 + 400 + 0.5]


@given(
    batch=st.integers(1, 3),
    length=st.integers(1, 40),
    channels=st.integers(1, 6),
    width=st.integers(1, 6),
    seed=st.integers(0, 99),
)
def test_it_is_the_direct_convolution(batch: int, length: int, channels: int, width: int, seed: int) -> None:
    x = drawn(batch, length, channels, seed=seed).requires_grad_()
    weight = drawn(width, 3, channels, seed=seed + 1).requires_grad_()
    bias = drawn(width, seed=seed + 2).requires_grad_()
    found, expected = convolved(x, sums_of_weights(weight), bias), direct(x, weight, bias)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
    gradient = drawn(*found.shape, seed=seed + 3)
    ours, theirs = (torch.autograd.grad(y, (x, weight, bias), gradient) for y in (found, expected))
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)


@given(length=st.integers(4, 30), start=st.integers(1, 3), seed=st.integers(0, 99))
def test_memory_may_lie_in_any_order_and_a_piece_with_its_margins_says_what_the_whole_says(
    length: int, start: int, seed: int
) -> None:
    weight = drawn(2, 3, 3, seed=seed)
    x = drawn(2, 3, length, seed=seed).transpose(1, 2)  # channel after channel in memory
    whole = convolved(x, sums_of_weights(weight), None)
    torch.testing.assert_close(whole, convolved(x.contiguous(), sums_of_weights(weight), None))
    piece = convolved(x[:, start - 1 :], sums_of_weights(weight), None)[:, 1:]
    torch.testing.assert_close(piece, whole[:, start:], rtol=1e-12, atol=1e-12)


def test_gradients_that_nobody_asks_for_are_not_made_and_expanded_ones_are_read() -> None:
    x, weight = drawn(1, 5, 2), drawn(3, 3, 2).requires_grad_()
    convolved(x, sums_of_weights(weight), None).sum().backward()  # an expanded gradient
    assert x.grad is None
    assert weight.grad is not None
    torch.testing.assert_close(weight.grad, torch.autograd.grad(direct(x, weight).sum(), weight)[0])


def test_in_float32_it_is_as_exact_as_the_direct_one() -> None:
    x, weight = drawn(1, 600, 512), drawn(64, 3, 512) / 39
    exact = direct(x, weight)
    errors = [
        (found - exact).abs().max()
        for found in (
            convolved(x.float(), sums_of_weights(weight.float()), None),
            direct(x.float(), weight.float()),
        )
    ]
    assert errors[0] < 2 * errors[1]


def test_training_takes_it_where_it_gains() -> None:
    channels = LEAST_CHANNELS[True]
    conv = Conv(channels, channels, 3)
    x = drawn(2, LEAST_MOMENTS // 2, channels, dtype=torch.float32)
    assert gains(x, conv.weight)
    assert "_ConvolutionBackward" in ways_of(conv(x))
    conv(x).mul_(2)  # in place, as any output
    assert not gains(x[:, 1:], conv.weight)
    assert not gains(x, conv.weight[1:])
    assert not gains(x.bfloat16(), conv.weight.bfloat16())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert not gains(x, conv.weight)
        assert conv(x).dtype == torch.bfloat16
    with torch.no_grad():
        assert not gains(x, conv.weight)
    for other in (Conv(256, 256, 3, stride=2), Conv(256, 256, 3, groups=2), Conv(256, 256, 1)):
        assert not other.is_dense_of_three


@pytest.mark.parametrize("length", [1, 2, 7, 8])
def test_products_that_it_saves(length: int) -> None:
    taken = 4 * ((length + 1) // 2)
    assert saved_products(drawn(2, length, 5), sums_of_weights(drawn(3, 3, 5))) == 2 * (3 * length - taken) * 15
