"""Norms over a whole sequence: two passes over its chunks give what one pass over the sequence gives."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from variants import VARIANTS, make

from actionformer.nn.chunks import NetworkChunks, with_last
from actionformer.nn.layers import GroupNorm
from actionformer.nn.pyramid_network import PyramidNetwork
from actionformer.nn.two_passes import Statistics, with_known_statistics

NAMES = ["temporalmaxer, groupnorm", "temporalmaxer, groupnorm, fpn"]
Part = tuple[Tensor, Tensor | None]


def parts_of(x: Tensor, sizes: list[int], length: int) -> Iterator[Part]:
    """Parts of features whose first `length` are valid; the mask is left out of those that have no padding."""
    valid, start = torch.arange(len(x)) < length, 0
    for size in [*sizes, len(x)]:
        if start < len(x):
            part = slice(start, start + size)
            yield x[part], None if valid[part].all() else valid[part]
        start += size


@torch.inference_mode()
def in_two_passes(model: PyramidNetwork, x: Tensor, sizes: list[int], length: int) -> list[list[Tensor]]:
    """Logits and offsets of every level."""
    chunks = NetworkChunks(with_known_statistics(model, parts_of(x, sizes, length)))
    levels: list[list[list[Tensor]]] = [[] for _ in model.offset_activation.scales]
    for (features, valid), last in with_last(parts_of(x, sizes, length)):
        for found in chunks.push(features, valid, last=last):
            levels[found.level].append([found.logits[0], found.offsets[0]])
    return [[torch.cat(tensors) for tensors in zip(*parts, strict=True)] for parts in levels]


@pytest.mark.parametrize("padding", ["exact", "published"])
@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=15)
@given(
    length=st.integers(1, 200),
    padded=st.integers(0, 90),
    sizes=st.lists(st.integers(1, 80), max_size=8),
    seed=st.integers(0, 99),
)
def test_two_passes_give_what_one_pass_gives(
    name: str, padding: str, length: int, padded: int, sizes: list[int], seed: int
) -> None:
    model = make(**VARIANTS[name], mask_padding=padding)
    x = torch.randn(length, 6, generator=torch.Generator().manual_seed(seed))
    x = torch.cat([x, torch.zeros(padded, 6)])
    with torch.inference_mode():
        whole = model(x[None], torch.arange(len(x))[None] < length)
    for found, logits, offsets in zip(in_two_passes(model, x, sizes, length), whole.logits, whole.offsets, strict=True):
        torch.testing.assert_close(found, [logits[0], offsets[0]], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("exact", [True, False])
def test_statistics_are_those_of_all_moments_however_they_come(exact: bool) -> None:
    """Far from 0, where a sum of squares in float32 would lose all digits of the variance."""
    rng = np.random.default_rng(0)
    x = (rng.standard_normal((5000, 8)) + 3000).astype(np.float32)
    valid = np.arange(5000) < 4321
    statistics = Statistics(GroupNorm(8, groups=4, exact=exact, affine=False))
    for start in range(0, 5000, 611):
        part = slice(start, start + 611)
        statistics.add(torch.from_numpy(x[part])[None], torch.from_numpy(valid[part])[None])
    seen = x[valid if exact else slice(None)].reshape(-1, 4, 2).astype(np.float64)
    np.testing.assert_allclose(statistics.mean, seen.mean((0, 2)), rtol=1e-6)
    np.testing.assert_allclose(statistics.squares / statistics.count, seen.var((0, 2)), rtol=1e-4)


def test_a_sequence_that_changes_far_away_changes_everywhere() -> None:
    """Or two passes would not be needed."""
    model = make(**VARIANTS[NAMES[0]])
    x = torch.randn(300, 6, generator=torch.Generator().manual_seed(0))
    other = torch.cat([x[:200], 9 * x[200:]])
    one, two = (in_two_passes(model, sequence, [64] * 9, 300)[0][0][10] for sequence in (x, other))
    assert (one - two).abs().max() > 1e-3
