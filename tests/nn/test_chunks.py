"""A sequence in pieces gives what one pass gives, whatever the network is built of and however it is cut."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from variants import VARIANTS, computed_length, make, published_length, small_settings

from actionformer.detectors.actionformer.settings import ActionFormerSettings
from actionformer.nn.chunks import NetworkChunks, lookahead
from actionformer.nn.pyramid_network import PyramidNetwork

STATISTICS = {"temporalmaxer, groupnorm", "temporalmaxer, groupnorm, fpn"}
WITHOUT_BOUND = (
    {"sinusoidal", "learned", "global", "some global"} | STATISTICS | {name for name in VARIANTS if "tridet" in name}
)
WITH_BOUND = sorted(VARIANTS.keys() - WITHOUT_BOUND)
EXACT: dict[str, Any] = {"rtol": 1e-5, "atol": 1e-5}


def features(length: int, seed: int = 0) -> Tensor:
    return torch.randn(length, 6, generator=torch.Generator().manual_seed(seed))


def in_pieces(model: PyramidNetwork, x: Tensor, sizes: list[int], valid: Tensor | None = None) -> list[list[Tensor]]:
    """Logits, offsets and mask of every level, joined; checks that the pieces follow one another."""
    pieces, start = NetworkChunks(model), 0
    levels: list[list[list[Tensor]]] = [[] for _ in model.offset_activation.scales]
    while start < len(x):
        size = sizes.pop(0) if sizes else len(x) - start
        part = slice(start, start + size)
        start += size
        for found in pieces.push(x[part], None if valid is None else valid[part], last=start >= len(x)):
            assert found.first == sum(len(part[0]) for part in levels[found.level])
            logits, offsets, mask = (tensor[0] for tensor in (found.logits, found.offsets, found.valid))
            assert len(logits) == len(offsets) == len(mask) > 0
            levels[found.level].append([logits, offsets, mask])
        counts = [sum(len(part[0]) for part in level) for level in levels]
        assert start >= len(x) or pieces.complete_after(start) == counts
    return [[torch.cat(tensors) for tensors in zip(*parts, strict=True)] for parts in levels]


@torch.inference_mode()
def in_one_pass(model: PyramidNetwork, x: Tensor, valid: Tensor | None = None) -> list[list[Tensor]]:
    outputs = model(x[None], None if valid is None else valid[None])
    return [[t[0] for t in level] for level in zip(outputs.logits, outputs.offsets, outputs.valid, strict=True)]


@pytest.mark.parametrize("name", WITH_BOUND)
@settings(max_examples=5)
@given(length=st.integers(1, 300), sizes=st.lists(st.integers(1, 80), max_size=8), seed=st.integers(0, 99))
def test_pieces_give_what_one_pass_gives(name: str, length: int, sizes: list[int], seed: int) -> None:
    model, x = make(**VARIANTS[name]), features(length, seed)
    for found, expected in zip(in_pieces(model, x, sizes), in_one_pass(model, x), strict=True):
        torch.testing.assert_close(found, expected, **EXACT)


@pytest.mark.parametrize("name", WITH_BOUND)
@settings(max_examples=4)
@given(length=st.integers(1, 200), padding=st.integers(0, 90), sizes=st.lists(st.integers(1, 80), max_size=8))
def test_pieces_of_a_padded_sequence_too(name: str, length: int, padding: int, sizes: list[int]) -> None:
    model = make(**VARIANTS[name], mask_padding="published")
    x = torch.cat([features(length), torch.zeros(padding, 6)])
    valid = torch.arange(len(x)) < length
    for found, expected in zip(in_pieces(model, x, sizes, valid), in_one_pass(model, x, valid), strict=True):
        torch.testing.assert_close(found, expected, **EXACT)


@pytest.mark.parametrize("name", WITH_BOUND)
def test_lookahead_is_what_outputs_depend_on(name: str) -> None:
    """To the moment, in float64, where the faint influence of the farthest can be seen."""
    model, x = make(**VARIANTS[name]).double(), features(400).double()
    reaches = lookahead(model)
    assert reaches is not None
    before = in_one_pass(model, x)
    for level, (reach, stride) in enumerate(zip(reaches, small_settings(**VARIANTS[name]).strides, strict=True)):
        moment = 160 // stride  # a multiple of every stride
        for distance in (reach, reach + 1):
            other = x.clone()
            other[160 + distance :] *= -100
            pairs = zip(in_one_pass(model, other)[level][:2], before[level][:2], strict=True)
            same = all(torch.equal(found[moment], expected[moment]) for found, expected in pairs)
            # With an fpn neck a finer level may see a little less far than its bound, and the farthest of several
            # moments need not be their maximum.
            may_see_less = ("fpn" in name and level + 1 < len(reaches)) or "pool" in name
            assert same is (distance > reach) or (same and may_see_less), (level, distance)


@pytest.mark.parametrize("name", sorted(WITHOUT_BOUND))
def test_what_sees_everything_has_no_lookahead(name: str) -> None:
    assert lookahead(make(**VARIANTS[name])) is None


@pytest.mark.parametrize("name", VARIANTS)
@settings(max_examples=5)
@given(length=st.integers(1, 140))
def test_no_more_is_computed_of_published_padding_than_can_be_seen(name: str, length: int) -> None:
    model = make(**VARIANTS[name], mask_padding="published")
    config = small_settings(**VARIANTS[name], mask_padding="published")
    outputs = []
    for padded in (published_length(length, config), computed_length(length, config)):
        x = torch.cat([features(length), torch.zeros(padded - length, 6)])
        outputs.append(in_one_pass(model, x, torch.arange(padded) < length))
    for stride, (logits, offsets, _), (fewer_logits, fewer_offsets, valid) in (
        (stride, *levels) for stride, levels in zip(config.strides, zip(*outputs, strict=True), strict=True)
    ):
        moments = -(-length // stride)
        assert valid.sum() == moments
        torch.testing.assert_close(fewer_logits[:moments], logits[:moments], **EXACT)
        torch.testing.assert_close(fewer_offsets[:moments], offsets[:moments], **EXACT)


def test_a_short_sequence_is_not_computed_at_full_published_length() -> None:
    thumos = ActionFormerSettings(mask_padding="published", max_length=2304)
    assert published_length(300, thumos) == 2304
    assert computed_length(300, thumos) == 352
    assert computed_length(2304, thumos) == 2304
