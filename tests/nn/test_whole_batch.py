"""What is drawn for a sequence does not depend on which process computes it."""

import pytest
import torch
from torch import Tensor, nn

from actionformer.nn.layers import Dropout, ScaledDropPath
from actionformer.nn.whole_batch import in_whole_batch, rows_of_batch

PARTS = (range(0, 3), range(3, 4), range(4, 8))


def drawn(module: nn.Module, x: Tensor, rows: range) -> Tensor:
    torch.manual_seed(0)
    with rows_of_batch(rows, len(x)):
        y: Tensor = module(x[rows.start : rows.stop])
    return torch.cat((y.flatten(), torch.rand(1)))  # whoever draws next draws the same


@pytest.mark.parametrize("module", [Dropout(0.3), ScaledDropPath(5, probability=0.5)])
def test_parts_of_a_batch_are_what_they_are_in_the_whole(module: nn.Module) -> None:
    x = torch.randn(8, 7, 5)
    torch.manual_seed(0)
    whole = module.train()(x)
    after = torch.rand(1)
    parts = [drawn(module, x, rows) for rows in PARTS]
    assert torch.equal(torch.cat([part[:-1] for part in parts]).view_as(whole), whole)
    assert all(torch.equal(part[-1:], after) for part in parts)
    assert (whole == 0).any()


def test_gradients_are_those_of_the_own_rows() -> None:
    x = torch.randn(8, 7, 5, requires_grad=True)
    with rows_of_batch(range(2, 5), 8):
        in_whole_batch(lambda one: 3 * one, x[2:5]).sum().backward()
    assert x.grad is not None
    assert x.grad[2:5].eq(3).all()
    assert x.grad[[0, 1, 5, 6, 7]].eq(0).all()


def test_a_whole_batch_is_left_as_it_is() -> None:
    x = torch.randn(4, 2)
    with rows_of_batch(range(4), 4):
        assert in_whole_batch(lambda one: one, x) is x
    assert in_whole_batch(lambda one: one, x) is x
