"""Convolutions over three moments by two thirds of the products, and as exact: Winograd's F(2, 3).

Two neighbouring outputs see four inputs d0 to d3. Directly they take six products; from four sums of the inputs and
four of the weights g0 to g2 they take four (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR
2016, section 4):

    m0 = (d0 - d2) g0    m1 = (d1 + d2) (g0 + g1 + g2) / 2    m2 = (d2 - d1) (g0 - g1 + g2) / 2    m3 = (d1 - d3) g2
    y0 = m0 + m1 + m2    y1 = m1 - m2 - m3

Over all channels each m is one matrix product, and so are the gradients of inputs and weights.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor
from torch.autograd.function import once_differentiable

LEAST_CHANNELS = {False: 512, True: 256}
"""In training or not: channels, of inputs and outputs, from which on it gains."""
LEAST_MOMENTS = 512
"""Of all sequences together, from which on it gains in training."""


def sums_of_weights(weight: Tensor) -> Tensor:
    """(C_out, 3, C_in) -> (4, C_in, C_out)."""
    first, middle, last = weight.unbind(1)
    outer, inner = (first + last) / 2, middle / 2
    return torch.stack((first, outer + inner, outer - inner, last)).transpose(1, 2)


def convolved(x: Tensor, weight_sums: Tensor, bias: Tensor | None) -> Tensor:
    """The convolution of x (B, T, C_in) with zeros beyond both ends: (B, T, C_out).

    Args:
        x: inputs.
        weight_sums: (4, C_in, C_out), those of `sums_of_weights`.
        bias: (C_out,)
    """
    y: Tensor = _Convolution.apply(x, weight_sums, bias)  # type: ignore[no-untyped-call]
    return y[:, : x.shape[1]]


def has_enough_channels(weight: Tensor, *, training: bool) -> bool:
    """Whether products of a weight (C_out, 3, C_in) take so much time that sums cost little beside."""
    return min(weight.shape[0], weight.shape[2]) >= LEAST_CHANNELS[training]


def gains(x: Tensor, weight: Tensor) -> bool:
    """Whether training is faster by it than by a direct convolution, which takes fewer sums.

    Measured by `benchmarks/convolutions.py`, in float32; in bfloat16, and on a GPU, direct ones are faster.
    """
    batch, length, _ = x.shape
    return (
        torch.is_grad_enabled()
        and x.device.type == "cpu"
        and x.dtype == weight.dtype == torch.float32
        and not torch.is_autocast_enabled("cpu")
        and batch * length >= LEAST_MOMENTS
        and has_enough_channels(weight, training=True)
    )


def saved_products(x: Tensor, weight_sums: Tensor) -> int:
    """How many multiply-adds less than a direct convolution it takes."""
    batch, length, _ = x.shape
    return batch * (3 * length - 4 * ((length + 1) // 2)) * weight_sums[0].numel()


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight_sums: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight_sums)
        y = _outputs(torch.bmm(_sums_of_inputs(x), weight_sums), len(x))
        return y if bias is None else y.add_(bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weight_sums = ctx.saved_tensors
        of_x, of_weights, of_bias = ctx.needs_input_grad
        products = _outputs_adjoint(gradient)
        return (
            _sums_of_inputs_adjoint(torch.bmm(products, weight_sums.transpose(1, 2)), *x.shape[:2]) if of_x else None,
            torch.bmm(_sums_of_inputs(x).transpose(1, 2), products) if of_weights else None,
            gradient.sum((0, 1)) if of_bias else None,
        )


def _sums_of_inputs(x: Tensor) -> Tensor:
    """(B, T, C) -> (4, B * pairs, C), of each pair of outputs."""
    batch, length, channels = x.shape
    pairs = (length + 1) // 2
    odd, even = F.pad(x, (0, 0, 1, 1 + length % 2)).view(batch, pairs + 1, 2, channels).unbind(2)
    d0, d1, d2, d3 = odd[:, :-1], even[:, :-1], odd[:, 1:], even[:, 1:]
    sums = x.new_empty(4, batch, pairs, channels)
    torch.sub(d0, d2, out=sums[0])
    torch.add(d1, d2, out=sums[1])
    torch.sub(d2, d1, out=sums[2])
    torch.sub(d1, d3, out=sums[3])
    return sums.flatten(1, 2)


def _sums_of_inputs_adjoint(gradient: Tensor, batch: int, length: int) -> Tensor:
    """(4, B * pairs, C) -> (B, T, C)."""
    m0, m1, m2, m3 = gradient.unflatten(1, (batch, -1))
    x = gradient.new_empty(batch, m0.shape[1] + 1, 2, m0.shape[2])
    odd, even = x.unbind(2)
    odd[:, :-1], odd[:, -1] = m0, 0
    odd[:, 1:] += (m1 + m2).sub_(m0)
    torch.sub(m1, m2, out=even[:, :-1]).add_(m3)
    even[:, -1] = 0
    even[:, 1:] -= m3
    return x.flatten(1, 2)[:, 1 : length + 1]


def _outputs(products: Tensor, batch: int) -> Tensor:
    """(4, B * pairs, C) -> (B, 2 * pairs, C)."""
    m0, m1, m2, m3 = products.unflatten(1, (batch, -1))
    y = products.new_empty(batch, 2 * m0.shape[1], m0.shape[2])
    torch.add(m1, m2, out=y[:, ::2]).add_(m0)
    torch.sub(m1, m2, out=y[:, 1::2]).sub_(m3)
    return y


def _outputs_adjoint(gradient: Tensor) -> Tensor:
    """(B, 2 * pairs, C) -> (4, B * pairs, C)."""
    y0, y1 = gradient[:, ::2], gradient[:, 1::2]
    products = gradient.new_empty(4, *y0.shape)
    products[0] = y0
    torch.add(y0, y1, out=products[1])
    torch.sub(y0, y1, out=products[2])
    torch.neg(y1, out=products[3])
    return products.flatten(1, 2)
