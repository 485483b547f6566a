"""Sampling in time: by hand at the borders, and against torch's own sampling of an image of height 1."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from actionformer.detectors.tadtr.attention import DeformableAttention, sampling_rows


def rows_at(*places: float, length: int = 4) -> list[list[float]]:
    """What each of some features counts at single places."""
    where = torch.tensor(places)[None, None, :, None]
    found: list[list[float]] = sampling_rows(where, torch.ones_like(where), length)[0, 0].tolist()
    return found


def test_a_place_counts_the_two_features_around_it() -> None:
    """Feature t stands at t + 1/2: at 1.5 it is feature 1 alone, at 2 half of 1 and half of 2."""
    assert rows_at(1.5, 2.0, 2.25) == [[0, 1, 0, 0], [0, 0.5, 0.5, 0], [0, 0.25, 0.75, 0]]


def test_at_the_borders_what_lies_beyond_is_0() -> None:
    """At 0, the very beginning, half of feature 0 is left, half a step further nothing; at the end likewise."""
    assert rows_at(0.0, -0.5, -3.0) == [[0.5, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert rows_at(4.0, 4.5, 99.0) == [[0, 0, 0, 0.5], [0, 0, 0, 0], [0, 0, 0, 0]]


def test_places_of_one_query_add_up() -> None:
    places, shares = torch.tensor([[[[1.5, 1.5, 2.0]]]]), torch.tensor([[[[0.2, 0.3, 0.5]]]])
    assert sampling_rows(places, shares, 4)[0, 0, 0].tolist() == pytest.approx([0, 0.75, 0.25, 0])


def test_what_is_no_number_stays_none() -> None:
    places = torch.tensor([[[[float("nan")], [float("inf")]]]])
    assert not sampling_rows(places, torch.ones_like(places), 4).sum(-1).isfinite().any()


@settings(deadline=None)
@given(st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_it_is_bilinear_sampling(length: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    places = (torch.rand(2, 3, 5, 4, generator=generator, dtype=torch.float64) * 2 - 0.5) * length
    shares = torch.rand(2, 3, 5, 4, generator=generator, dtype=torch.float64)
    value = torch.randn(2, 3, length, 6, generator=generator, dtype=torch.float64)
    image = value.flatten(0, 1).mT[:, :, None]  # (B H, d, 1, T)
    grid = torch.stack((places / length * 2 - 1, torch.zeros_like(places)), dim=-1).flatten(0, 1)
    sampled = functional.grid_sample(image, grid, align_corners=False)  # (B H, d, L, P)
    expected = (sampled * shares.flatten(0, 1)[:, None]).sum(-1).mT.unflatten(0, (2, 3))
    torch.testing.assert_close(sampling_rows(places, shares, length) @ value, expected)


def test_where_heads_look_at_first() -> None:
    """Around a point in steps, around a segment in shares of half its width; heads look to both sides."""
    attention = DeformableAttention(8, num_heads=2, num_points=2)
    attention.reset()
    query, lengths = torch.randn(1, 1, 8), torch.tensor([20.0])
    point = attention.places(query, torch.tensor([[[0.5]]]), lengths)
    assert point[0, :, 0].tolist() == [[11, 12], [11, 12]]  # cos(0) and cos(2 pi) are 1
    segment = attention.places(query, torch.tensor([[[0.5, 0.4]]]), lengths)
    assert segment[0, 0, 0].tolist() == pytest.approx([12, 14])  # 10 + 1 / 2 * 4, 10 + 2 / 2 * 4
    assert attention.shares(query).flatten().tolist() == [0.5] * 4
