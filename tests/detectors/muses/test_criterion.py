"""The losses of one sequence and of several, worked by hand."""

import math

import pytest
import torch
from torch import Tensor

from actionformer.detectors.muses.criterion import MUSESCriterion
from actionformer.detectors.muses.drawing import BACKGROUND, FOREGROUND, INCOMPLETE, DrawnTruth, Examples
from actionformer.detectors.muses.network import Judged, Outputs
from actionformer.detectors.muses.settings import MUSESSettings

CPU = torch.device("cpu")
CLASSES = 2
COUNTS = {"num_classes": CLASSES, "foregrounds": 1, "incompletes": 6, "backgrounds": 1}
ONE, SIX = (FOREGROUND,), (INCOMPLETE,) * 6


def examples(
    places: tuple[int, ...], labels: list[int], kinds: tuple[int, ...] | None = None, shift: float = 0.0
) -> Examples:
    kind = torch.tensor(kinds or places)
    shifts = torch.zeros(len(places), 2)
    shifts[kind == FOREGROUND] = shift
    return Examples(torch.zeros(len(places), 2), torch.tensor(places), kind, torch.tensor(labels), shifts)


def outputs(rows: int, *, sequences: int = 1, streams: int = 1) -> Outputs:
    """Of a network that knows nothing: all logits are 0."""
    shape = streams, sequences, rows
    said = Judged(torch.zeros(*shape, 1 + CLASSES), torch.zeros(*shape, CLASSES), torch.zeros(*shape, CLASSES, 2))
    there = torch.ones(sequences, rows, dtype=torch.bool)
    return Outputs(
        said, torch.zeros(streams, 2), torch.ones(streams, 2), torch.zeros(sequences, rows, 2), there
    )  # fmt: skip


def losses(every: list[Examples], said: Outputs, **changes: float) -> dict[str, float]:
    truth = DrawnTruth([], [], [9] * len(every), 9, proposals=[one.proposals for one in every], examples=every)
    (loss,) = MUSESCriterion(MUSESSettings.model_validate(COUNTS | changes)).losses([truth], CPU)
    return {name: part.item() for name, part in loss(said).items()}


DRAWN = examples((*ONE, *SIX, BACKGROUND), [2, 1, 1, 1, 1, 1, 2, 0])


def test_what_a_network_loses_that_knows_nothing() -> None:
    """Three classes alike; a foreground lacks 1, the worst of the others has 1 too much; 2 are divided by 1 + 1."""
    found = losses([DRAWN], outputs(8))
    assert found == {"activity": pytest.approx(math.log(3)), "completeness": pytest.approx(0.5), "refinement": 0}


def test_classes_of_incomplete_proposals_do_not_count() -> None:
    said = outputs(8)
    said.judged.activity[0, 0, 1:7, 0] = 9.0
    assert losses([DRAWN], said)["activity"] == pytest.approx(math.log(3))
    said.judged.activity[0, 0, 7, 1] = 2.0  # of the background
    share = 1 / (2 + math.exp(2))
    assert losses([DRAWN], said)["activity"] == pytest.approx((math.log(3) - math.log(share)) / 2)


def test_completeness_learns_from_the_worst_of_the_incomplete_of_its_class() -> None:
    """The foreground says 0.5 too little, 3 of its class; the worst of the others is 0.7 - (-1)."""
    said = outputs(8)
    said.judged.completeness[0, 0, 0] = torch.tensor([9.0, 0.5])
    said.judged.completeness[0, 0, 1:7, 0] = torch.tensor([-2.0, 0.7, -1.0, 0.1, 0.0, 9.0])  # the last is of class 2
    assert losses([DRAWN], said, completeness_weight=1.0)["completeness"] == pytest.approx((0.5 + 1.7) / 2)
    said.judged.completeness[0, 0, 0, 1] = 1.5  # more than enough
    assert losses([DRAWN], said, completeness_weight=1.0)["completeness"] == pytest.approx(1.7 / 2)


def test_a_share_of_the_incomplete_is_kept() -> None:
    """Half of six: 2, 1.5 and 1; with 17% of seven, and of two, there is one."""
    said = outputs(8)
    said.judged.completeness[0, 0, 1:7, 0] = torch.tensor([1.0, 0.5, 0.0, -1.0, -1.0, 0.0])
    several = examples((*ONE, *SIX, BACKGROUND), [2, 1, 1, 1, 1, 1, 1, 0])
    found = losses([several], said, completeness_weight=1.0, hard_share=0.5)
    assert found["completeness"] == pytest.approx((1 + 2 + 1.5 + 1) / 4)
    few = examples((*ONE, INCOMPLETE, INCOMPLETE), [2, 1, 1])
    assert losses([few], outputs(3), completeness_weight=1.0, incompletes=2)["completeness"] == pytest.approx(1)


def test_shifts_of_the_own_class_are_standardised() -> None:
    """(0.5 - 0.1) / 0.2 = 2 for the centre, of which 0.5 is said: 1.5 - 0.5. The length: (0.5 - 0.5) / 1 = 0, and 0.6
    is said: 0.6^2 / 2."""
    said = outputs(8)._replace(mean=torch.tensor([[0.1, 0.5]]), deviation=torch.tensor([[0.2, 1.0]]))
    said.judged.shifts[0, 0, 0] = torch.tensor([[9.0, 9.0], [0.5, 0.6]])
    said.judged.shifts[0, 0, 1:] = 7.0
    several = examples((*ONE, *SIX, BACKGROUND), [2, 1, 1, 1, 1, 1, 2, 0], shift=0.5)
    assert losses([several], said)["refinement"] == pytest.approx((1.0 + 0.18) / 2)
    assert losses([several], said, refinement_weight=3.0)["refinement"] == pytest.approx(1.5 * (1.0 + 0.18))


def test_a_foreground_in_the_place_of_another_kind_counts_in_both() -> None:
    """Its class and its shift are learned; in the place of an incomplete one its completeness should be low."""
    kinds = (FOREGROUND,) * 7 + (BACKGROUND,)
    instead = examples((*ONE, *SIX, BACKGROUND), [1] * 7 + [0], kinds, shift=1.0)
    said = outputs(8)
    said.judged.activity[0, 0, 3, 1] = 20.0  # certain of one
    said.judged.completeness[0, 0, 3, 0] = 2.0
    said.judged.shifts[0, 0, 3, 0] = 1.0
    found = losses([instead], said, completeness_weight=1.0)
    assert found["activity"] == pytest.approx(7 / 8 * math.log(3))
    assert found["completeness"] == pytest.approx((1 + 3) / 2)
    assert found["refinement"] == pytest.approx(6 / 7 * 0.5)


def test_sequences_without_examples_lose_nothing_and_the_others_are_averaged() -> None:
    """The second has one background, the third nothing at all."""
    background = examples((BACKGROUND,), [0])
    nothing = Examples(*(one[:0] for one in DRAWN))
    said = outputs(8, sequences=3)
    said.judged.activity.requires_grad_()
    found = losses([DRAWN, background, nothing], said)
    assert found["activity"] == pytest.approx(2 / 3 * math.log(3))
    assert found["completeness"] == pytest.approx(0.5 / 3)
    alone = losses([nothing], outputs(0))
    assert set(alone.values()) == {0.0}


def test_batches_of_a_step_are_divided_by_its_sequences() -> None:
    truths = [DrawnTruth([], [], [9], 9, proposals=[DRAWN.proposals], examples=[DRAWN]) for _ in range(2)]
    parts = [loss(outputs(8)) for loss in MUSESCriterion(MUSESSettings.model_validate(COUNTS)).losses(truths, CPU)]
    assert sum(part["activity"].item() for part in parts) == pytest.approx(math.log(3))


def test_streams_learn_side_by_side() -> None:
    """Each of two has the loss of one alone, and its own gradient."""
    both, one = outputs(8, streams=2), outputs(8)
    both.judged.activity[0] = one.judged.activity[0] = torch.linspace(-1, 1, 24).view(8, 3)
    said = [Outputs(Judged(*(part.clone().requires_grad_() for part in one.judged)), *one[1:]) for one in (both, one)]
    truth = DrawnTruth([], [], [9], 9, proposals=[DRAWN.proposals], examples=[DRAWN])
    gradients: list[Tensor] = []
    for some in said:
        (loss,) = MUSESCriterion(MUSESSettings.model_validate(COUNTS)).losses([truth], CPU)
        torch.stack(list(loss(some).values())).sum().backward()
        assert some.judged.activity.grad is not None
        gradients.append(some.judged.activity.grad[0])
    torch.testing.assert_close(*gradients)
    nothing = losses([DRAWN], outputs(8, streams=2))
    assert nothing["activity"] == pytest.approx(2 * math.log(3))
