"""Multiply-adds, counted by hand."""

import pytest
import torch
from torch import nn
from variants import small_settings

from actionformer.detectors.base import architecture_of
from actionformer.nn.attention import Attention
from actionformer.nn.counting import multiply_adds
from actionformer.nn.layers import Conv
from actionformer.nn.packed import can_pack, packed
from actionformer.nn.winograd import LEAST_CHANNELS
from actionformer.settings.config import Config


def test_layers_by_hand() -> None:
    assert multiply_adds(lambda: nn.Linear(5, 7)(torch.zeros(3, 5))) == 3 * 5 * 7
    assert multiply_adds(lambda: Conv(4, 6, 3)(torch.zeros(2, 10, 4))) == 2 * 10 * 3 * 4 * 6
    assert multiply_adds(lambda: torch.zeros(9).exp()) == 0


def test_attention_counts_its_own_products() -> None:
    length, width = 12, 8
    attention = Attention(
        width, num_heads=2, window=0, stride=1, relative_position=False, dropout=0.0, exact=True
    ).eval()
    x, valid = torch.randn(1, length, width), torch.ones(1, length, dtype=torch.bool)
    with torch.inference_mode():
        found = multiply_adds(lambda: attention(x, valid))
    own = 2 * length * length * width  # queries by keys, weights by values
    rest = multiply_adds_of_layers(attention, x, valid)
    assert found == rest + own


def multiply_adds_of_layers(module: nn.Module, *arguments: torch.Tensor) -> int:
    """Of convolutions and linear maps alone."""
    total = 0

    def add(layer: nn.Module, _: object, output: torch.Tensor) -> None:
        nonlocal total
        assert isinstance(layer.weight, torch.Tensor)
        total += layer.weight.numel() * output.shape[0] * output.shape[1]

    for layer in module.modules():
        if isinstance(layer, Conv | nn.Linear):
            layer.register_forward_hook(add)
    with torch.inference_mode():
        module(*arguments)
    return total


@pytest.mark.parametrize("width", [16, LEAST_CHANNELS[False]])
def test_a_packed_network_computes_as_much_as_the_plain_one(width: int) -> None:
    model = architecture_of(Config(model=small_settings(width=width))).network().eval()
    x = torch.randn(1, 40, 6)
    with torch.inference_mode():
        plain = multiply_adds(lambda: model(x))
        assert plain > 0
        assert not can_pack(model) or multiply_adds(lambda: packed(model)(x)) == plain


def test_gradients_change_no_count() -> None:
    conv, x = Conv(256, 256, 3), torch.randn(1, 600, 256)
    assert multiply_adds(lambda: conv(x)) == 600 * 3 * 256 * 256
