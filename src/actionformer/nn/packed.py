"""The network with its weights in the order that a CPU's matrix product wants: for inference only, and faster there.

oneDNN multiplies faster by a weight that was reordered once, and applies GELU before a product leaves the cache. A
convolution over time is one such product: the k moments that an output sees lie one after another in a token-major
tensor, so the matrix of them all is a view whose rows overlap. In float32 a convolution over three moments takes fewer
products by sums of its weights, which are made once.
"""

from __future__ import annotations

import copy
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from actionformer.nn import winograd
from actionformer.nn.layers import Conv, Linear
from actionformer.nn.network import Network

EXPECTED_ROWS = 512  # what the order is chosen for; others are as fast
DTYPES = (torch.float32, torch.bfloat16)


def can_pack(model: Network) -> bool:
    """Whether this machine and this build of torch have the product, for where and what the weights are."""
    return has_product(next(model.parameters()))


def has_product(weight: Tensor) -> bool:
    """Whether this machine and this build of torch multiply by such a weight reordered."""
    return (
        torch.backends.mkldnn.is_available()
        and hasattr(torch.ops.mkldnn, "_linear_pointwise")
        and weight.device.type == "cpu"
        and weight.dtype in DTYPES
        and (weight.dtype != torch.bfloat16 or torch.ops.mkldnn._is_mkldnn_bf16_supported())
    )


def packed(model: Network) -> Network:
    """A copy in eval mode, without gradients, whose products are packed.

    Later changes of the model's weights do not reach it.
    """
    products = [module for module in model.modules() if _is_product(module)]
    left: dict[int, Any] = {id(weight): weight for module in products for weight in module.parameters()}
    copied = copy.deepcopy(model, left).eval()  # all but what is packed anyway
    for parent in list(copied.modules()):
        for name, child in parent.named_children():
            if _is_product(child):
                setattr(parent, name, _fast(child))
    return copied


def _is_product(module: nn.Module) -> bool:
    return isinstance(module, Linear) or (isinstance(module, Conv) and module.groups == 1 and module.stride == 1)


def _fast(module: nn.Module) -> nn.Module:
    """The form of a product that is fastest. In float32, of fewer channels, that of three moments is the direct one."""
    if isinstance(module, Linear):
        return PackedLinear(module)
    assert isinstance(module, Conv)
    if not module.is_dense_of_three or module.weight.dtype != torch.float32:
        return PackedConv(module)
    if winograd.has_enough_channels(module.weight, training=False):
        return WinogradConv(module)
    return copy.deepcopy(module).requires_grad_(False)


class Product(nn.Module):
    """x W^T + b by a packed weight, followed by GELU if asked."""

    def __init__(self, weight: Tensor, bias: Tensor | None, *, gelu: bool = False) -> None:
        super().__init__()
        reordered = torch.ops.mkldnn._reorder_linear_weight(weight.detach().contiguous(), EXPECTED_ROWS)
        self.weight = nn.Parameter(reordered, requires_grad=False)
        self.bias = None if bias is None else bias.detach().clone()
        self.activation = "gelu" if gelu else "none"

    def forward(self, x: Tensor) -> Tensor:
        """(..., C_in) -> (..., C_out)."""
        product: Tensor = torch.ops.mkldnn._linear_pointwise(x, self.weight, self.bias, self.activation, [], "none")
        return product


class PackedLinear(nn.Module):
    """The fast version of `Linear`."""

    def __init__(self, linear: Linear) -> None:
        super().__init__()
        self.product = Product(linear.weight, linear.bias, gelu=linear.gelu)

    def forward(self, x: Tensor) -> Tensor:
        """(..., C_in) -> (..., C_out)."""
        y: Tensor = self.product(x)
        return y


class PackedConv(nn.Module):
    """The fast version of `Conv` at stride 1."""

    def __init__(self, conv: Conv) -> None:
        super().__init__()
        self.kernel = conv.kernel
        self.product = Product(conv.weight.flatten(1), conv.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, C_in) -> (B, T, C_out)."""
        batch, length, channels = x.shape
        around = self.kernel // 2
        padded = F.pad(x, (0, 0, around, around))  # (B, T + 2 * around, C)
        rows = batch * (length + 2 * around) - 2 * around  # those between two sequences mean nothing
        views = padded.as_strided((rows, self.kernel * channels), (channels, 1))
        y: Tensor = self.product(views)
        return y.as_strided((batch, length, y.shape[1]), ((length + 2 * around) * y.shape[1], y.shape[1], 1))


class WinogradConv(nn.Module):
    """The fast version of `Conv` over three moments."""

    kernel = 3

    def __init__(self, conv: Conv) -> None:
        super().__init__()
        sums = winograd.sums_of_weights(conv.weight.detach()).contiguous()
        self.weight_sums = nn.Parameter(sums, requires_grad=False)
        self.bias = None if conv.bias is None else conv.bias.detach().clone()

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, C_in) -> (B, T, C_out)."""
        return winograd.convolved(x, self.weight_sums, self.bias)
