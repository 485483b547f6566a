"""The packed network says what the plain one says."""

import pytest
import torch
from variants import VARIANTS, make

from actionformer.nn.packed import PackedConv, PackedLinear, WinogradConv, can_pack, packed
from actionformer.nn.winograd import LEAST_CHANNELS

pytestmark = pytest.mark.skipif(not can_pack(make()), reason="this build of torch has no packed matrix product")


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("padding", ["exact", "published"])
@torch.inference_mode()
def test_it_says_what_the_plain_network_says(name: str, padding: str) -> None:
    model = make(**VARIANTS[name], mask_padding=padding)
    twin = packed(model)
    for batch, length in ((1, 1), (1, 37), (3, 64), (2, 101)):
        x = torch.randn(batch, length, 6, generator=torch.Generator().manual_seed(length))
        valid = torch.arange(length) < torch.tensor([[length], [max(length // 2, 1)], [1]])[:batch]
        for found, expected in zip(twin(x, valid), model(x, valid), strict=True):
            torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


@torch.inference_mode()
def test_in_bfloat16_too() -> None:
    model = make().to(torch.bfloat16)
    if not can_pack(model):
        pytest.skip("this processor has no packed matrix product in bfloat16")
    x = torch.randn(2, 50, 6, generator=torch.Generator().manual_seed(0))
    for found, expected in zip(packed(model)(x).logits, model(x).logits, strict=True):
        assert found.dtype == torch.bfloat16
        torch.testing.assert_close(found, expected, rtol=0.05, atol=0.1)


def test_all_products_are_made_fast_and_the_model_stays_as_it_was() -> None:
    model = make(input_dim=(4, 2), projection=(10, 6), neck="fpn")
    names = {name: type(module) for name, module in model.named_modules()}
    twin = packed(model)
    assert {name: type(module) for name, module in model.named_modules()} == names
    kinds = [type(module) for module in twin.modules()]
    assert kinds.count(PackedLinear) == sum(kind.__name__ == "Linear" for kind in names.values())
    assert kinds.count(PackedConv) == 4  # laterals
    assert kinds.count(WinogradConv) == 0  # of few channels
    x = torch.randn(1, 20, 6)
    with torch.no_grad():
        before = twin(x).logits[0].clone()
        for weight in model.parameters():
            weight.mul_(2)
        assert torch.equal(twin(x).logits[0], before)


@torch.inference_mode()
def test_convolutions_of_many_channels_are_winograds() -> None:
    model = make(width=LEAST_CHANNELS[False])
    twin = packed(model)
    kinds = [type(module) for module in twin.modules()]
    assert kinds.count(WinogradConv) == 1 + 2 * 2  # the second of the embedding, and of both heads all but the outputs
    x = torch.randn(2, 41, 6, generator=torch.Generator().manual_seed(0))
    for found, expected in zip(twin(x), model(x), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def test_what_a_cpu_cannot_multiply_so_is_not_packed() -> None:
    assert not can_pack(make().to(torch.float64))
    assert not can_pack(make().to("meta"))
