"""The graph over features: neighbours worked by hand, and what a block may not see."""

import torch
from torch import nn

from actionformer.detectors.gtad.graph import GraphBlock, gathered, nearest


def test_neighbours_are_the_most_alike_the_nearest_first() -> None:
    x = torch.tensor([[[0.0], [10.0], [0.5], [9.0], [2.0]]])
    assert nearest(x, None, 3)[0].tolist() == [[0, 2, 4], [1, 3, 4], [2, 0, 4], [3, 1, 4], [4, 2, 0]]


def test_padding_is_no_neighbour_and_features_without_enough_take_their_own_place() -> None:
    x = torch.tensor([[[0.0], [1.0], [0.0], [0.0]]])
    valid = torch.tensor([[True, True, False, False]])
    assert nearest(x, valid, 3)[0, :2].tolist() == [[0, 1, 0], [1, 0, 1]]


def test_a_short_sequence_has_fewer_neighbours() -> None:
    assert nearest(torch.randn(2, 2, 4), None, 3).shape == (2, 2, 2)


def test_gathered_features() -> None:
    x = torch.arange(6.0).view(1, 3, 2)
    assert gathered(x, torch.tensor([[[2, 0]]])).tolist() == [[[[4.0, 5.0], [0.0, 1.0]]]]


def test_a_block_is_relu_of_three_terms() -> None:
    """Without weights inside there is only x; a bias at the end of one branch is added."""
    block = GraphBlock(4, 2, groups=1, neighbors=2)
    with torch.no_grad():
        for weight in block.parameters():
            weight.zero_()
        nn.init.ones_(block.get_parameter("likeness.2.bias"))
    x = torch.randn(1, 5, 4)
    torch.testing.assert_close(block(x, None), (x + 1).clamp(min=0))


def test_a_block_sees_the_likest_pair_wherever_it_is() -> None:
    """A feature far away counts if it is among the nearest, and does not if it is not."""
    torch.manual_seed(0)
    block = GraphBlock(4, 8, groups=1, neighbors=2)
    x = torch.randn(1, 30, 4)
    x[0, 29] = x[0, 0] + 0.01
    without = block(x, None)[0, 0]
    near, far = x.clone(), x.clone()
    near[0, 29] += 0.01
    far[0, 20] += 100.0
    assert not torch.equal(block(near, None)[0, 0], without)
    assert torch.equal(block(far, None)[0, 0], without)


def test_padding_changes_no_feature() -> None:
    torch.manual_seed(0)
    block = GraphBlock(4, 8, groups=2, neighbors=3)
    x = torch.randn(1, 9, 4)
    padded = torch.cat((x, torch.zeros(1, 3, 4)), dim=1)
    valid = torch.arange(12)[None] < 9
    found = block(padded, valid)
    torch.testing.assert_close(found[:, :9], block(x, None))
    assert not found[:, 9:].any()
