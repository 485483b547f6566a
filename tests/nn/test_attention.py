from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from actionformer.nn.attention import (
    CHUNK,
    Attention,
    global_attention,
    local_attention,
    neighbourhoods,
    spread_over_band,
    windowed_attention_by_definition,
)

WIDTH = 4


def random_input(seed: int, batch: int, length: int, heads: int, window: int) -> tuple[list[Tensor], Tensor]:
    """Query, key, value and relative bias, and a mask in which each query has at least itself to see."""
    generator = torch.Generator().manual_seed(seed)
    tensors = [torch.randn(batch, length, heads, WIDTH, generator=generator) for _ in range(3)]
    return [*tensors, torch.randn(heads, window, generator=generator)], torch.rand(
        batch, length, generator=generator
    ) < 0.8


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**31),
    batch=st.integers(1, 3),
    length=st.integers(1, 100),
    heads=st.sampled_from([1, 2, 3]),
    window=st.sampled_from([3, 5, 9, 19, 31, 65]),
    biased=st.booleans(),
)
def test_local_attention_equals_its_definition(
    seed: int, batch: int, length: int, heads: int, window: int, biased: bool
) -> None:
    tensors, valid = random_input(seed, batch, length, heads, window)
    results = []
    for attention in (local_attention, windowed_attention_by_definition):
        query, key, value, bias = (tensor.clone().requires_grad_() for tensor in tensors)
        attended = attention(query, key, value, valid, window, bias if biased else None)
        attended = attended * valid[:, :, None, None]
        attended.square().sum().backward()
        wanted = [query, key, value, bias] if biased else [query, key, value]
        results.append([attended, *(tensor.grad for tensor in wanted)])
    for fast, plain in zip(*results, strict=True):
        torch.testing.assert_close(fast, plain, rtol=1e-4, atol=2e-5)


def test_a_window_wider_than_the_sequence_is_global() -> None:
    (query, key, value, _), valid = random_input(0, 2, 40, 2, 81)
    valid[:, 0] = True
    local = local_attention(query, key, value, valid, 81)
    torch.testing.assert_close(local, global_attention(query, key, value, valid))


def test_the_window_by_hand() -> None:
    """Equal logits: each moment becomes the mean of itself and its valid neighbours."""
    value = torch.arange(6.0).view(1, 6, 1, 1)
    zeros = torch.zeros_like(value)
    valid = torch.tensor([[True, True, True, False, True, True]])
    attended = local_attention(zeros, zeros, value, valid, 3).flatten()
    expected = torch.tensor([0.5, 1.0, 1.5, 3.0, 4.5, 4.5])
    torch.testing.assert_close(attended, expected)


def test_the_relative_bias_is_added_to_the_scaled_logit_of_its_offset() -> None:
    """Entry w belongs to the key at t + w - W // 2: a large last entry copies the moment after."""
    value = torch.arange(CHUNK + 5.0).view(1, -1, 1, 1)
    zeros = torch.zeros_like(value)
    valid = torch.ones(1, CHUNK + 5, dtype=torch.bool)
    bias = torch.tensor([[0.0, 0.0, 100.0]])
    attended = local_attention(zeros, zeros, value, valid, 3, bias).flatten()
    torch.testing.assert_close(attended[:-1], value.flatten()[1:])
    assert spread_over_band(torch.tensor([[5.0, 6.0, 7.0]]), 1)[0, 4, 4:7].tolist() == [5.0, 6.0, 7.0]


@pytest.mark.parametrize("window", [0, 1, 9])
def test_masked_keys_do_nothing(window: int) -> None:
    (query, key, value, _), valid = random_input(1, 2, 50, 2, 9)

    def attend() -> Tensor:
        if window > 1:
            return local_attention(query, key, value, valid, window)[valid]
        return global_attention(query, key, value, valid)[valid]

    before = attend()
    key[~valid] += 100
    value[~valid] -= 1e6
    assert torch.equal(attend(), before)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("window", [0, 9])
def test_without_a_valid_key_nothing_is_nan(window: int, dtype: torch.dtype) -> None:
    (query, key, value, bias), valid = random_input(2, 2, 50, 2, 9)
    valid[1] = False
    query, key, value = (tensor.to(dtype).requires_grad_() for tensor in (query, key, value))
    if window > 1:
        attended = local_attention(query, key, value, valid, window, bias)
    else:
        attended = global_attention(query, key, value, valid)
    attended.float().sum().backward()
    assert attended.isfinite().all()
    assert all(tensor.grad is not None and tensor.grad.isfinite().all() for tensor in (query, key, value))


def make_attention(**changes: Any) -> Attention:
    settings = {"num_heads": 2, "window": 5, "stride": 1, "relative_position": False, "dropout": 0.0, "exact": True}
    return Attention(8, **settings | changes)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("window", [0, 5])
def test_attention_is_zero_at_padding_and_keeps_the_level_length(stride: int, window: int) -> None:
    valid = torch.arange(13).unsqueeze(0) < torch.tensor([[13], [6]])
    x = torch.randn(2, 13, 8) * valid.unsqueeze(-1)
    attention = make_attention(stride=stride, window=window)
    torch.nn.init.normal_(attention.proj.bias)
    attended = attention(x, valid[:, ::stride])
    assert attended.shape == (2, -(-13 // stride), 8)
    assert not attended[~valid[:, ::stride]].any()
    assert attended[valid[:, ::stride]].abs().sum(-1).min() > 0


def test_a_global_block_has_no_relative_bias() -> None:
    assert make_attention(relative_position=True, window=0).relative_bias is None
    assert make_attention(relative_position=False).relative_bias is None


def test_the_relative_bias_starts_with_deviation_sqrt_two_over_channels() -> None:
    torch.manual_seed(0)
    attention = Attention(64, num_heads=16, window=201, stride=1, relative_position=True, dropout=0.0, exact=True)
    assert attention.relative_bias is not None
    assert attention.relative_bias.shape == (16, 201)
    assert attention.relative_bias.std().item() == pytest.approx((2 / 64) ** 0.5, rel=0.05)


@pytest.mark.parametrize("reach", [0, 4, CHUNK, 2 * CHUNK + 3])
@pytest.mark.parametrize("length", [1, CHUNK, 2 * CHUNK + 5])
def test_gradients_of_chunks_and_what_is_around_them(reach: int, length: int) -> None:
    tail = -length % CHUNK
    x = torch.randn(2, length, 1, 2, dtype=torch.float64, requires_grad=True)
    seen = neighbourhoods(x, reach, tail)
    padded = F.pad(x, (0, 0, 0, 0, reach, reach + tail))
    expected = torch.stack(
        [padded[row, start : start + CHUNK + 2 * reach] for row in (0, 1) for start in range(0, length, CHUNK)]
    )
    assert torch.equal(seen, expected)
    gradient = torch.randn_like(seen)
    torch.testing.assert_close(*(torch.autograd.grad(one, x, gradient)[0] for one in (seen, expected)))
