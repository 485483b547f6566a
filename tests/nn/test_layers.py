import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from actionformer.nn.blocks import TransformerBlock
from actionformer.nn.layers import Conv, Dropout, GroupNorm, LayerNorm, Linear, ScaledDropPath, masked, max_pool
from actionformer.nn.normalizer import FeatureNormalizer
from actionformer.nn.points import level_lengths, moments
from actionformer.nn.position import PositionEncoding, sinusoids


@pytest.mark.parametrize("length", [1, 2, 9, 10])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("kernel", [1, 3, 5])
@pytest.mark.parametrize("groups", [1, 2, 6])
def test_conv_equals_conv1d(length: int, stride: int, kernel: int, groups: int) -> None:
    channels = 4 if groups < 6 else 6
    conv = Conv(6, channels, kernel, stride=stride, groups=groups)
    assert conv.bias is not None
    torch.nn.init.normal_(conv.bias)
    x = torch.randn(2, length, 6)
    expected = F.conv1d(x.mT, conv.weight.mT, conv.bias, stride=stride, padding=kernel // 2, groups=groups)
    assert conv(x).shape == (2, -(-length // stride), channels)
    torch.testing.assert_close(conv(x), expected.mT)


@pytest.mark.parametrize("groups", [1, 4, 64])
def test_conv_starts_as_torch_does_with_a_bias_of_zero(groups: int) -> None:
    torch.manual_seed(0)
    conv = Conv(64, 64, 3, groups=groups)
    reference = torch.nn.Conv1d(64, 64, 3, groups=groups).weight
    assert not conv.bias.any()
    assert conv.weight.std().item() == pytest.approx(reference.std().item(), rel=0.1)
    assert conv.weight.abs().max().item() <= 1 / math.sqrt(192 / groups)
    assert Conv(4, 4, 3, bias=False).bias is None
    assert not Linear(4, 4).bias.any()


def test_clean_layer_norm_is_zero_at_padding() -> None:
    x, valid = torch.randn(1, 4, 8), torch.tensor([[True, True, False, False]])
    clean, published = LayerNorm(8, exact=True), LayerNorm(8, exact=False)
    for norm in (clean, published):
        torch.nn.init.normal_(norm.bias)
    expected = F.layer_norm(x, (8,), clean.weight, clean.bias, 1e-5)
    torch.testing.assert_close(clean(x, valid), masked(expected, valid))
    assert published(x, valid)[:, 2:].all()


@pytest.mark.parametrize("length", [1, 2, 5, 6, 7])
def test_max_pool_without_padding_is_max_pool1d(length: int) -> None:
    x = torch.randn(2, length, 3) - 5  # all negative: zeros would show
    valid = torch.ones(2, length, dtype=torch.bool)
    expected = F.max_pool1d(x.mT, 3, stride=2, padding=1).mT
    for exact in (True, False):
        assert torch.equal(max_pool(x, valid, exact=exact), expected)


@pytest.mark.parametrize(("exact", "expected"), [(True, [-2.0, -1.0, -1.0, 0.0]), (False, [-2.0, -1.0, 0.0, 0.0])])
def test_max_pool_sees_padding_only_as_published(exact: bool, expected: list[float]) -> None:
    x = torch.tensor([-2.0, -4.0, -5.0, -1.0, -3.0, 0.0, 0.0, 0.0]).view(1, 8, 1)
    valid = torch.arange(8).unsqueeze(0) < 5
    assert max_pool(x, valid, exact=exact).flatten().tolist() == expected


def test_drop_path_scales_then_divides_survivors_by_the_keep_probability() -> None:
    torch.manual_seed(0)
    drop = ScaledDropPath(3, probability=0.25)
    torch.testing.assert_close(drop.scale, torch.full((3,), 1e-4))
    torch.nn.init.normal_(drop.scale)
    x = torch.randn(4000, 2, 3)
    dropped = drop.train()(x)
    survives = dropped.flatten(1).any(dim=1)
    torch.testing.assert_close(dropped[survives], (x * drop.scale / 0.75)[survives])  # all of a sample, or none
    assert survives.float().mean().item() == pytest.approx(0.75, abs=0.03)
    assert torch.equal(drop.eval()(x), x * drop.scale)


def test_sinusoids_by_hand() -> None:
    table = sinusoids(3, 4)
    row = [math.sin(2), math.cos(2), math.sin(2 / 100), math.cos(2 / 100)]
    torch.testing.assert_close(table[2], torch.tensor(row) / 2)
    torch.testing.assert_close(table[0], torch.tensor([0.0, 0.5, 0.0, 0.5]))
    assert sinusoids(3, 5).shape == (3, 5)


def encode(length: int, valid_length: int, *, exact: bool, max_length: int = 4) -> torch.Tensor:
    """Rows that an encoding whose table holds 0, 1, 2, ... adds to zeros."""
    encoding = PositionEncoding(max_length=max_length, channels=1, learned=True, exact=exact).eval()
    assert isinstance(encoding.table, torch.nn.Parameter)
    with torch.no_grad():
        encoding.table.copy_(torch.arange(float(max_length)).unsqueeze(1))
        encoded: torch.Tensor = encoding(torch.zeros(1, length, 1), torch.arange(length).unsqueeze(0) < valid_length)
    return encoded.flatten()


def test_positions_are_cut_and_masked() -> None:
    for exact in (True, False):
        assert encode(3, 2, exact=exact).tolist() == [0.0, 1.0, 0.0]
        assert encode(4, 4, exact=exact).tolist() == [0.0, 1.0, 2.0, 3.0]


def test_published_positions_stretch_over_the_padded_length() -> None:
    expected = [0.0, 0.25, 0.75, 1.25, 1.75, 2.25, 0.0, 0.0]  # half-pixel centres, as align_corners=False
    assert encode(8, 6, exact=False).tolist() == expected


def test_clean_positions_stretch_over_the_sequence_alone() -> None:
    assert encode(8, 4, exact=True).tolist() == [0.0, 1.0, 2.0, 3.0, 0.0, 0.0, 0.0, 0.0]
    assert encode(9, 8, exact=True).tolist() == [0.0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3.0, 0.0]


def test_published_training_never_exceeds_max_length() -> None:
    encoding = PositionEncoding(max_length=4, channels=2, learned=False, exact=False)
    with pytest.raises(ValueError, match="5 exceeds max_length 4"):
        encoding(torch.zeros(1, 5, 2), torch.ones(1, 5, dtype=torch.bool))


def test_fixed_positions_are_not_weights() -> None:
    encoding = PositionEncoding(max_length=4, channels=2, learned=False, exact=True)
    assert not encoding.state_dict()
    assert not list(encoding.parameters())


def test_normalizer_standardises_valid_moments() -> None:
    normalizer = FeatureNormalizer(2)
    normalizer.mean.copy_(torch.tensor([1.0, 2.0]))
    normalizer.deviation.copy_(torch.tensor([2.0, 4.0]))
    x = torch.tensor([[[3.0, 10.0], [1.0, 2.0], [9.0, 9.0]]])
    found = normalizer(x, torch.tensor([[True, True, False]]))
    assert found.tolist() == [[[1.0, 2.0], [0.0, 0.0], [0.0, 0.0]]]


def test_a_block_is_its_formula() -> None:
    """x = pool(x) + s1 * attention(norm(x)); x = x + s2 * MLP(norm(x)), here with an attention that doubles."""

    class Doubling(torch.nn.Module):
        stride = 2
        window = 3

        def forward(self, x: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
            return masked(2 * x[:, ::2], valid)

    attention: Any = Doubling()
    block = TransformerBlock(attention=attention, channels=4, drop_path=0.1, dropout=0.0, exact=True).eval()
    first, second = block.drop_attention, block.drop_mlp
    assert isinstance(first, ScaledDropPath)
    assert isinstance(second, ScaledDropPath)
    torch.nn.init.normal_(first.scale)
    torch.nn.init.normal_(second.scale)
    x, valid = torch.randn(1, 6, 4), torch.ones(1, 6, dtype=torch.bool)
    middle = F.max_pool1d(x.mT, 3, 2, 1).mT + first.scale * 2 * F.layer_norm(x, (4,))[:, ::2]
    hidden = F.gelu(F.layer_norm(middle, (4,)) @ block.expand.weight.mT)
    found, shorter = block(x, valid)
    torch.testing.assert_close(found, middle + second.scale * (hidden @ block.contract.weight.mT))
    assert shorter.shape == (1, 3)


def test_moments_lie_at_multiples_of_the_stride() -> None:
    assert level_lengths(9, [1, 2, 4, 8]) == [9, 5, 3, 2]
    assert [t.tolist() for t in moments([3, 2], [1, 2])] == [[0.0, 1.0, 2.0], [0.0, 2.0]]


def test_an_overflown_variance_is_no_number() -> None:
    """Its root would divide all moments to 0, and nobody would hear of the extreme value."""
    norm = GroupNorm(4, groups=2, exact=True)
    x = torch.randn(1, 5, 4)
    x[0, 2, :2] = 1e30
    found = norm(x, None)
    assert found[..., :2].isnan().all()
    assert found[..., 2:].isfinite().all()


def test_group_norm_is_the_same_with_and_without_a_mask_of_all() -> None:
    torch.manual_seed(0)
    norm = GroupNorm(12, groups=3, exact=True)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    x = (5 + 3 * torch.randn(2, 7, 12)).requires_grad_()
    gradients, results = [], []
    for valid in (None, torch.ones(2, 7, dtype=torch.bool)):
        results.append(norm(x, valid))
        gradients.append(torch.autograd.grad((results[-1] ** 3).sum(), [x, norm.weight, norm.bias]))
    torch.testing.assert_close(*results)
    torch.testing.assert_close(*gradients)


def test_group_norm_tells_an_overflow() -> None:
    x = torch.zeros(1, 7, 12)
    x[0, 3, 5] = 1e30
    for valid in (None, torch.ones(1, 7, dtype=torch.bool)):
        found = GroupNorm(12, groups=3, exact=True)(x, valid)
        assert found[..., 4:8].isnan().all()
        assert found[..., :4].isfinite().all()


@pytest.mark.parametrize("probability", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_dropout_drops_as_many_as_it_should_and_keeps_the_mean(probability: float, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    x = torch.ones(3, 1001, 41, dtype=dtype, requires_grad=True)
    y = Dropout(probability)(x)
    assert y.dtype == dtype
    dropped = (y == 0).float()
    assert dropped.mean().item() == pytest.approx(probability, abs=0.005)
    assert y.float().mean().item() == pytest.approx(1, abs=0.03)
    assert y.unique().numel() == 2
    neighbours = torch.corrcoef(torch.stack([dropped.flatten()[1:], dropped.flatten()[:-1]]))[0, 1]
    assert abs(neighbours.item()) < 0.02
    y.sum().backward()
    assert x.grad is not None
    assert torch.equal(x.grad, y.detach())


def test_dropout_is_drawn_from_the_global_generator_and_off_where_it_should_be() -> None:
    x = torch.randn(7, 3)
    drawn = [(torch.manual_seed(1), Dropout(0.5)(x))[1] for _ in range(2)]
    assert torch.equal(*drawn)
    assert not torch.equal(Dropout(0.5)(x), drawn[0])
    assert torch.equal(Dropout(0.5).eval()(x), x)
    assert torch.equal(Dropout(0.0)(x), x)
    assert torch.equal(Dropout(1.0)(x), torch.zeros(7, 3))
    assert Dropout(0.5)(x[:0]).shape == (0, 3)
    torch.testing.assert_close(Dropout(1e-9)(x), x)
