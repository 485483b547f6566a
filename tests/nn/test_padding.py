"""Clean padding never changes a result, whatever the network is built of; published padding does."""

import pytest
import torch
from torch import Tensor
from variants import VARIANTS, make

from actionformer.nn.outputs import PyramidOutputs
from actionformer.nn.pyramid_network import PyramidNetwork

LENGTHS = (1, 2, 7, 33, 64, 101)  # 64 is max_length: the last is interpolated where there are positions


def sequences() -> list[Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(length, 6, generator=generator) for length in LENGTHS]


@torch.inference_mode()
def predict(model: PyramidNetwork, batch: list[Tensor], length: int) -> PyramidOutputs:
    features = torch.zeros(len(batch), length, 6)
    for row, sequence in zip(features, batch, strict=True):
        row[: len(sequence)] = sequence
    valid = torch.arange(length) < torch.tensor([[len(sequence)] for sequence in batch])
    outputs: PyramidOutputs = model(features, valid)
    return outputs


def difference(one: PyramidOutputs, row: int, other: PyramidOutputs, other_row: int) -> float:
    """The largest difference of two predictions for one sequence, at its valid moments."""
    worst = 0.0
    for level in range(len(one.valid)):
        valid, other_valid = one.valid[level][row], other.valid[level][other_row]
        assert valid.sum() == other_valid.sum()
        for field in ("logits", "offsets", "pyramid"):
            found = getattr(one, field)[level][row][valid]
            expected = getattr(other, field)[level][other_row][other_valid]
            worst = max(worst, (found - expected).abs().max().item())
    return worst


@pytest.mark.parametrize("name", VARIANTS)
def test_clean_padding_changes_nothing(name: str) -> None:
    model = make(**VARIANTS[name])
    batch = sequences()
    alone = [predict(model, [sequence], len(sequence)) for sequence in batch]
    for padded in (101, 102, 160):
        together = predict(model, batch, padded)
        for row, single in enumerate(alone):
            assert difference(single, 0, together, row) < 1e-5
        for logits, pyramid, valid in zip(together.logits, together.pyramid, together.valid, strict=True):
            assert not logits[~valid].any()
            assert not pyramid[~valid].any()


def test_what_lies_in_the_padding_changes_nothing() -> None:
    model, sequence = make(neck="fpn"), sequences()[3]
    expected = predict(model, [sequence], 33)
    noisy = torch.cat([sequence, torch.full((17, 6), 1e4)]).unsqueeze(0)
    with torch.inference_mode():
        found = model(noisy, torch.arange(50).unsqueeze(0) < 33)
    assert difference(expected, 0, found, 0) < 1e-5


@pytest.mark.parametrize("name", VARIANTS)
@torch.inference_mode()
def test_no_mask_is_a_mask_that_is_true_everywhere(name: str) -> None:
    model = make(**VARIANTS[name])
    for length in LENGTHS:
        x = torch.randn(2, length, 6, generator=torch.Generator().manual_seed(length))
        for found, expected in zip(model(x), model(x, torch.ones(2, length, dtype=torch.bool)), strict=True):
            torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["plain", "fpn", "convolution", "sinusoidal", "global", "trident", "tridet"])
def test_published_padding_changes_the_result(name: str) -> None:
    model = make(**VARIANTS[name], mask_padding="published")
    sequence = sequences()[3]
    assert difference(predict(model, [sequence], 33), 0, predict(model, [sequence], 64), 0) > 1e-2


@pytest.mark.parametrize("backbone", ["transformer", "convolution"])
def test_without_padding_both_kinds_agree(backbone: str) -> None:
    sequence = sequences()[4]
    outputs = [predict(make(block=backbone, mask_padding=kind), [sequence], 64) for kind in ("exact", "published")]
    assert difference(outputs[0], 0, outputs[1], 0) < 1e-6


def test_published_pyramid_is_zero_at_padding() -> None:
    outputs = predict(make(mask_padding="published"), sequences(), 160)
    for pyramid, logits, valid in zip(outputs.pyramid, outputs.logits, outputs.valid, strict=True):
        assert not pyramid[~valid].any()
        assert not logits[~valid].any()


def test_offsets_are_never_negative() -> None:
    for kind in ("softplus", "relu"):
        outputs = predict(make(offsets=kind), sequences(), 101)
        assert all((offsets >= 0).all() for offsets in outputs.offsets)
