"""What training draws of a sequence, worked by hand."""

import math

import pytest
import torch
from torch import Tensor

from actionformer.detectors.muses.drawing import (
    BACKGROUND,
    FOREGROUND,
    INCOMPLETE,
    Examples,
    examples_of,
    foreground_shifts,
    matched,
    shifts_to,
)
from actionformer.detectors.muses.settings import MUSESSettings

ACTIONS, LABELS = torch.tensor([[10.0, 20.0], [40.0, 60.0]]), torch.tensor([3, 1])
FITS = [11.0, 19.0]
"""tIoU 0.8 with the first action."""
PART = [10.0, 12.0]
"""tIoU 0.2, all of it inside."""
BESIDE = [70.0, 80.0]
NOTHING = torch.empty(0, 2)


def drawn(proposals: Tensor, actions: Tensor = ACTIONS, labels: Tensor = LABELS, **changes: int) -> Examples:
    torch.manual_seed(0)
    counts = {"foregrounds": 1, "incompletes": 6, "backgrounds": 1, **changes}
    return examples_of(proposals, actions, labels, 100.0, MUSESSettings(**counts))


def test_each_proposal_has_the_action_that_it_overlaps_most() -> None:
    found = matched(torch.tensor([FITS, PART, [15.0, 45.0], BESIDE, [5.0, 5.0]]), ACTIONS)
    assert found.tiou.tolist() == pytest.approx([0.8, 0.2, 5 / 35, 0, 0])
    assert found.share.tolist() == pytest.approx([1, 1, 5 / 30, 0, 0])
    assert found.action.tolist()[:3] == [0, 0, 0]


def test_where_there_is_no_action_nothing_overlaps() -> None:
    found = matched(torch.tensor([FITS]), NOTHING)
    assert (found.tiou.tolist(), found.share.tolist()) == ([0], [0])


def test_shifts_are_in_lengths_of_the_proposal() -> None:
    """The action is 2 steps later than the proposal and twice as long; with a step more in each length, 21 for 11."""
    actions, proposals = torch.tensor([[7.0, 27.0]]), torch.tensor([[10.0, 20.0]])
    assert shifts_to(actions, proposals, 0.0)[0].tolist() == pytest.approx([0.2, math.log(2)])
    assert shifts_to(actions, proposals, 1.0)[0].tolist() == pytest.approx([2 / 11, math.log(21 / 11)])


def test_one_that_fits_six_that_show_a_part_and_one_that_shows_none() -> None:
    found = drawn(torch.tensor([BESIDE, PART]))
    assert found.places.tolist() == found.kinds.tolist() == [FOREGROUND, *[INCOMPLETE] * 6, BACKGROUND]
    assert found.proposals[0].tolist() in ACTIONS.tolist()  # an action itself, as no proposal fits
    assert found.proposals[1:].tolist() == [PART] * 6 + [BESIDE]
    assert found.labels.tolist()[1:] == [4] * 6 + [0]
    assert not found.shifts.any()


def test_foregrounds_are_proposals_that_fit_and_actions_with_their_own_class() -> None:
    """Of two actions at one place each has its own class, though both overlap as much."""
    actions = torch.tensor([[10.0, 20.0], [10.0, 20.0]])
    found = drawn(torch.tensor([FITS]), actions, torch.tensor([0, 1]), foregrounds=200)
    first = found.places == FOREGROUND
    seen = torch.cat((found.proposals, found.labels[:, None]), dim=1)[first]
    assert {tuple(one) for one in seen.tolist()} == {(11.0, 19.0, 1), (10.0, 20.0, 1), (10.0, 20.0, 2)}
    moved = found.shifts[found.proposals[:, 0] == 11.0]
    assert moved[0].tolist() == pytest.approx([0, math.log(10 / 8)])


@pytest.mark.parametrize("missing", [INCOMPLETE, BACKGROUND])
def test_in_the_place_of_a_kind_that_is_not_there_stands_a_foreground(missing: int) -> None:
    found = drawn(torch.tensor([BESIDE if missing == INCOMPLETE else PART]))
    instead = found.places == missing
    assert instead.sum() == (6 if missing == INCOMPLETE else 1)
    assert (found.kinds[instead] == FOREGROUND).all()
    assert found.labels[instead].min() > 0
    assert {tuple(one) for one in found.proposals[instead].tolist()} <= {tuple(one) for one in ACTIONS.tolist()}


def test_without_proposals_actions_are_all_there_is() -> None:
    found = drawn(NOTHING)
    assert found.kinds.tolist() == [FOREGROUND] * 8
    assert {tuple(one) for one in found.proposals.tolist()} == {(10.0, 20.0), (40.0, 60.0)}


def test_without_actions_only_the_background_is_drawn() -> None:
    found = drawn(torch.tensor([FITS, PART]), NOTHING, LABELS[:0])
    assert (found.places.tolist(), found.kinds.tolist(), found.labels.tolist()) == ([BACKGROUND], [BACKGROUND], [0])
    empty = drawn(NOTHING, NOTHING, LABELS[:0])
    assert (len(empty.proposals), len(empty.kinds), empty.shifts.shape) == (0, 0, (0, 2))


def test_a_background_is_longer_than_a_share_of_the_sequence() -> None:
    """Of 100 steps."""
    short, long = [70.0, 72.0], [70.0, 72.5]
    assert drawn(torch.tensor([PART, short])).kinds.tolist()[-1] == FOREGROUND
    assert drawn(torch.tensor([PART, short, long])).proposals[-1].tolist() == long


def test_numbers_of_each_kind_are_settings_and_draws_follow_the_seed() -> None:
    proposals = torch.tensor([FITS, PART, [11.0, 12.0], BESIDE, [80.0, 90.0]])
    found = drawn(proposals, foregrounds=2, incompletes=3, backgrounds=4)
    assert found.places.tolist() == [FOREGROUND] * 2 + [INCOMPLETE] * 3 + [BACKGROUND] * 4
    again = drawn(proposals, foregrounds=2, incompletes=3, backgrounds=4)
    assert all(torch.equal(*pair) for pair in zip(found, again, strict=True))


def test_shifts_of_the_proposals_that_fit_but_not_of_actions() -> None:
    found = foreground_shifts(torch.tensor([FITS, PART, [42.0, 62.0]]), ACTIONS, MUSESSettings())
    assert found.tolist() == [pytest.approx([0, math.log(10 / 8)]), pytest.approx([-0.1, 0])]
    assert foreground_shifts(NOTHING, NOTHING, MUSESSettings()).shape == (0, 2)
