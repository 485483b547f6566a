"""The boundary-matching layer: sampling worked by hand, and the layer against samples that are taken one by one."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from actionformer.detectors.bmn.matching import BoundaryMatching, sampling
from actionformer.detectors.bmn.rules import EXACT, JJBOY, OPENTAD, RULES
from actionformer.nn.segment_map.cells import Cells, cells_of
from actionformer.nn.segment_map.rules import Rules


def dense(cells: Cells, length: int, rules: Rules, bins: int, per_bin: int) -> Tensor:
    """(V, bins, T) what every sample takes of every feature."""
    cell, column, weight = sampling(cells, length, rules, bins=bins, per_bin=per_bin)
    matrix = torch.zeros(len(cells.index), length * bins, dtype=torch.float64)
    matrix.index_put_((cell, column), weight, accumulate=True)
    return matrix.view(len(cells.index), length, bins).transpose(1, 2)


def row(cells: Cells, first: int, last: int) -> int:
    return int(((cells.first == first) & (cells.last == last)).nonzero().item())


def test_cells_by_length_and_by_last_step() -> None:
    by_length, by_last = cells_of(3, 2, OPENTAD), cells_of(3, 3, JJBOY)
    assert (by_length.rows, by_length.columns, by_length.size) == (2, 3, 6)
    assert list(zip(by_length.first.tolist(), by_length.last.tolist(), strict=True)) == [
        (0, 0), (1, 1), (2, 2), (0, 1), (1, 2),
    ]  # fmt: skip
    assert by_length.index.tolist() == [0, 1, 2, 3, 4]
    assert by_last.index.tolist() == [0, 1, 2, 4, 5, 8]
    assert by_length.segments[3].tolist() == [0, 2]
    assert by_length.lengths.tolist() == [1, 1, 1, 2, 2]


def test_samples_worked_by_hand() -> None:
    """Steps 2 and 3 are a segment of 2, from 1.5 to 3.5; a step more on either side: 5 samples at 0.5, 1.5, ... 4.5."""
    cells = cells_of(8, 8, EXACT)
    found = dense(cells, 8, EXACT, bins=5, per_bin=1)[row(cells, 2, 3)]
    expected = torch.zeros(5, 8, dtype=torch.float64)
    for sample in range(5):
        expected[sample, sample : sample + 2] = 0.5
    torch.testing.assert_close(found, expected)


def test_a_bin_is_the_mean_of_its_positions() -> None:
    """OpenTAD: the segment of step 2 has length 1, and is sampled at 1.5, 1.75, ... 2.5 with 5 positions."""
    cells = cells_of(5, 5, OPENTAD)
    (found,) = dense(cells, 5, OPENTAD, bins=1, per_bin=5)[row(cells, 2, 2)]
    assert found.tolist() == pytest.approx([0, (0.5 + 0.25) / 5, (0.5 + 0.75 + 1 + 0.75 + 0.5) / 5, 0.75 / 5, 0])


def test_beyond_the_sequence_are_zeros_and_published_code_counts_a_step_more() -> None:
    """Step 0 alone, sampled at -1, 0 and 1 exactly, and by OpenTAD at -0.5, 0 and 0.5, of which -0.5 counts in full."""
    cells = cells_of(3, 3, EXACT)
    assert dense(cells, 3, EXACT, bins=3, per_bin=1)[0].tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 0]]
    assert dense(cells, 3, OPENTAD, bins=3, per_bin=1)[0].tolist() == [[1, 0, 0], [1, 0, 0], [0.5, 0.5, 0]]


def test_jjboy_takes_a_segment_for_longer_than_it_is() -> None:
    """Step 1 of 4, [1, 2], with length 2: from 0 to 3."""
    cells = cells_of(4, 4, JJBOY)
    found = dense(cells, 4, JJBOY, bins=4, per_bin=1)[row(cells, 1, 1)]
    torch.testing.assert_close(found, torch.eye(4, dtype=torch.float64))


@settings(deadline=None, max_examples=20)
@given(length=st.integers(2, 12), bins=st.integers(2, 5), per_bin=st.integers(1, 3))
def test_exact_samples_of_a_mirrored_sequence_are_mirrored(length: int, bins: int, per_bin: int) -> None:
    cells = cells_of(length, length, EXACT)
    found = dense(cells, length, EXACT, bins, per_bin)
    mirrored = [row(cells, length - 1 - int(last), length - 1 - int(first)) for first, last in
                zip(cells.first, cells.last, strict=True)]  # fmt: skip
    torch.testing.assert_close(found, found[mirrored].flip(1, 2))
    assert (found.sum(2) <= 1 + 1e-9).all()


@pytest.mark.parametrize("convention", RULES)
def test_the_layer_equals_samples_mapped_together(convention: str) -> None:
    rules, length, bins = RULES[convention], 9, 4
    longest = length if rules.by_last else 5
    cells = cells_of(length, longest, rules)
    torch.manual_seed(0)
    layer = BoundaryMatching(3, 6, cells, rules, bins=bins, per_bin=2)
    torch.nn.init.normal_(layer.bias)
    x = torch.randn(2, length, 3, requires_grad=True)
    samples = torch.einsum("vnt,btc->bvnc", dense(cells, length, rules, bins, 2).float(), x)
    expected = layer.bias + torch.einsum("bvnc,onc->bvo", samples, layer.weight)
    expected = torch.cat((expected, layer.bias.expand(2, 1, -1)), dim=1)
    expected = functional.relu(expected)
    found = torch.stack(list(layer(x)))
    torch.testing.assert_close(found, expected)

    weighing = torch.randn(found.shape)
    inputs = [x, layer.weight, layer.bias]
    pairs = (torch.autograd.grad((one * weighing).sum(), inputs) for one in (found, expected))
    for one, other in zip(*pairs, strict=True):
        torch.testing.assert_close(one, other)


def test_tables_are_no_weights_and_go_where_the_layer_goes() -> None:
    layer = BoundaryMatching(2, 2, cells_of(6, 6, EXACT), EXACT, bins=2, per_bin=1)
    assert set(layer.state_dict()) == {"weight", "bias"}
    (low,) = layer.to(torch.bfloat16)(torch.randn(1, 6, 2, dtype=torch.bfloat16))
    assert low.dtype == torch.bfloat16
    assert low.isfinite().all()
