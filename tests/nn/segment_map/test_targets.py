"""Targets worked by hand. Step k lies from k to k + 1."""

import pytest
import torch

from actionformer.detectors.bmn.rules import EXACT, JJBOY, OPENTAD
from actionformer.nn.segment_map.cells import Cells, cells_of
from actionformer.nn.segment_map.rules import Rules
from actionformer.nn.segment_map.targets import Targets, boundary_shares, is_boundary, targets_of, tious


def targets(segments: list[list[float]], labels: list[int], *, lengths: int = 8, rules: Rules = EXACT) -> Targets:
    return targets_of(
        [torch.tensor(segments).view(-1, 2)],
        [torch.tensor(labels, dtype=torch.int64)],
        [lengths],
        cells_of(8, 8, rules),
        rules,
        length=8,
        num_classes=3,
    )


def on(cells: Cells, first: int, last: int) -> int:
    return int(cells.index[(cells.first == first) & (cells.last == last)].item())


def test_boundaries() -> None:
    """A boundary at 3.2 reaches from 1.7 to 4.7: shares of steps 1 to 4 are 0.3, 1, 1 and 0.7."""
    shares = boundary_shares(torch.tensor([3.2]), 8, EXACT)
    assert shares.tolist() == pytest.approx([0, 0.3, 1, 1, 0.7, 0, 0, 0])
    assert is_boundary(shares, EXACT).nonzero().flatten().tolist() == [2, 3, 4]
    assert is_boundary(shares, OPENTAD).nonzero().flatten().tolist() == [2, 3]
    shifted = boundary_shares(torch.tensor([3.2]), 8, JJBOY)
    assert shifted.tolist() == pytest.approx([0, 0, 0.8, 1, 1, 0.2, 0, 0])


def test_every_step_has_its_nearest_boundary() -> None:
    shares = boundary_shares(torch.tensor([1.5, 3.0]), 6, EXACT)
    assert shares.tolist() == pytest.approx([1, 1, 1, 1, 0.5, 0])


def test_overlap_of_segments() -> None:
    """The action from 2 to 5 is steps 2 to 4; steps 2 and 3 are two thirds of it, steps 4 to 6 share one of five."""
    cells = cells_of(8, 8, EXACT)
    found = targets([[2.0, 5.0]], [1])
    overlap = found.overlap[0]
    assert overlap[on(cells, 2, 4)] == 1
    assert overlap[on(cells, 2, 3)] == pytest.approx(2 / 3)
    assert overlap[on(cells, 4, 6)] == pytest.approx(1 / 5)
    assert overlap[on(cells, 5, 6)] == 0
    assert found.classes[0].nonzero().tolist() == [[on(cells, 2, 4), 1]]
    assert found.counts.sum() == 36


def test_a_short_action_is_the_nearest_segment_and_published_is_none() -> None:
    """The action from 2.5 to 4.1 overlaps steps 2 and 3, from 2 to 4, by 1.5 of 2.1."""
    cells = cells_of(8, 8, EXACT)
    assert targets([[2.5, 4.1]], [0]).classes[0].nonzero().tolist() == [[on(cells, 2, 3), 0]]
    assert not targets([[2.5, 4.1]], [0], rules=OPENTAD).classes.any()


def test_the_segments_of_an_action_share_its_weight() -> None:
    """From 0 to 7.6 there are two segments with a tIoU above 0.9: steps 0 to 6 and 0 to 7; from 2 to 3 there is one."""
    found = targets([[0.0, 7.6], [2.0, 3.0]], [0, 1])
    cells = cells_of(8, 8, EXACT)
    assert found.weights[0, [on(cells, 0, 6), on(cells, 0, 7), on(cells, 2, 2)]].tolist() == [0.5, 0.5, 1.0]
    assert found.weights.sum() == 64 - 1
    assert (targets([[0.0, 7.6]], [0], rules=OPENTAD).weights == 1).all()


def test_an_action_longer_than_the_map_is_no_segment() -> None:
    rules, segments = EXACT, torch.tensor([[0.0, 7.0], [0.0, 4.5]])
    found = targets_of(
        [segments], [torch.tensor([0, 1])], [8], cells_of(8, 4, rules), rules, length=8, num_classes=2
    )  # fmt: skip
    cells = cells_of(8, 4, rules)
    assert found.classes[0].nonzero().tolist() == [[on(cells, 0, 3), 1]]


def test_padding_does_not_count_and_published_it_does() -> None:
    found = targets([[1.0, 3.0]], [2], lengths=4)
    assert found.steps.tolist() == [[True] * 4 + [False] * 4]
    assert found.counts.sum() == 10
    assert targets([[1.0, 3.0]], [2], lengths=4, rules=OPENTAD).counts.sum() == 36


def test_without_actions_nothing_is_positive() -> None:
    found = targets([], [])
    assert not found.start.any()
    assert not found.end.any()
    assert not found.overlap.any()
    assert not found.classes.any()


def test_tiou_of_equal_and_of_distant_segments() -> None:
    cells = cells_of(4, 4, EXACT)
    found = tious(torch.tensor([[1.0, 2.0], [9.0, 10.0]]), cells)
    assert found[0, (cells.first == 1) & (cells.last == 1)].item() == 1
    assert not found[1].any()
