"""Who answers for which action, and what that costs: by hand."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from actionformer.detectors.tadtr.criterion import Actions, TadTRCriterion, iou, pairs_of
from actionformer.detectors.tadtr.network import Outputs
from actionformer.detectors.tadtr.settings import TadTRSettings
from actionformer.nn.assignment import GroundTruth

CPU = torch.device("cpu")


def settings(**changes: Any) -> TadTRSettings:
    return TadTRSettings(**{"input_dim": 4, "num_classes": 2, "width": 32, "num_queries": 3} | changes)


def outputs(segments: list[list[float]], logits: list[list[float]], actionness: float = 0.5) -> Outputs:
    """One layer and one sequence of 10 steps."""
    made, placed = torch.tensor(logits, requires_grad=True)[None, None], torch.tensor(segments)[None, None]
    return Outputs(made, placed, torch.full((1, len(logits)), actionness), torch.tensor([10.0]))


def truth(*actions: tuple[float, float, int]) -> GroundTruth:
    """Of 10 steps, padded to 20."""
    numbers = torch.tensor(actions, dtype=torch.float32).view(-1, 3)
    return GroundTruth([numbers[:, :2]], [numbers[:, 2].long()], [10], 20)


def loss(found: Outputs, wanted: GroundTruth, **changes: Any) -> dict[str, float]:
    (function,) = TadTRCriterion(settings(**changes)).losses([wanted], CPU)
    return {name: part.item() for name, part in function(found).items()}


def test_shares_are_of_the_sequence_or_as_published_of_what_it_is_padded_to() -> None:
    """From -0.5, where the first feature begins, to 4.5: the first half of 10 steps, a quarter of 20."""
    own, published = (Actions.of(truth((-0.5, 4.5, 1)), exact=exact).segments[0, 0].tolist() for exact in (True, False))
    assert own == [0.25, 0.5]
    assert published == [0.125, 0.25]


def test_three_queries_and_two_actions() -> None:
    """Query 1 lies on action 1, query 2 near action 0; query 0 is nobody's."""
    found = outputs([[0.9, 0.1], [0.7, 0.2], [0.2, 0.3]], [[0.0, 0.0]] * 3)
    actions = Actions.of(truth((0.5, 3.5, 0), (5.5, 7.5, 1)), exact=True)
    pairs = pairs_of(found, actions)
    assert pairs.query.tolist() == [1, 2]
    assert pairs.action.tolist() == [1, 0]


def test_losses_by_hand() -> None:
    """A query at 0 to 0.4 answers for the action from 0.1 to 0.5: L1 0.1, IoU 0.3 / 0.5."""
    found = outputs([[0.2, 0.4], [0.8, 0.1], [0.9, 0.1]], [[0.0, 0.0]] * 3)
    parts = loss(found, truth((0.5, 4.5, 1)))
    assert parts["segment"] == pytest.approx(5 * 0.1)
    assert parts["iou"] == pytest.approx(2 * (1 - 0.6))
    # at probability 1/2 the focal loss is alpha / 4 log 2: one positive, five negatives
    assert parts["classification"] == pytest.approx(2 * (0.25 + 5 * 0.75) / 4 * math.log(2))
    assert parts["actionness"] == pytest.approx(4 * (0.1 + 0.5 + 0.5) / 3)


def test_a_batch_without_any_action_is_learned_from() -> None:
    found = outputs([[0.2, 0.4]] * 3, [[0.0, 0.0]] * 3)
    parts = loss(found, truth())
    assert parts["segment"] == parts["iou"] == 0
    assert parts["classification"] == pytest.approx(2 * 6 * 0.75 / 4 * math.log(2))
    assert parts["actionness"] == pytest.approx(4 * 0.5)


def test_more_actions_than_queries_are_learned_as_far_as_there_are_queries() -> None:
    found = outputs([[0.2, 0.4]] * 3, [[0.0, 0.0]] * 3)
    actions = Actions.of(truth(*((i, i + 1.0, 0) for i in range(5))), exact=True)
    assert sorted(pairs_of(found, actions).query.tolist()) == [0, 1, 2]


def test_actionness_of_its_own_sequence_or_of_the_batch() -> None:
    """Query 0 of the second sequence lies on the action of the first."""
    segments = torch.tensor([[[0.2, 0.4]], [[0.2, 0.4]]])[None]
    found = Outputs(torch.zeros(1, 2, 1, 2), segments, torch.tensor([[1.0], [1.0]]), torch.tensor([10.0, 10.0]))
    nothing = torch.empty(0)
    wanted = GroundTruth(
        [torch.tensor([[-0.5, 3.5]]), nothing.view(0, 2)], [torch.tensor([0]), nothing.long()], [10, 10], 10
    )
    own = loss(found, wanted, num_queries=1)["actionness"]
    published = loss(found, wanted, num_queries=1, actionness_target="batch")["actionness"]
    assert own == pytest.approx(4 * (0 + 1) / 2)
    assert published == pytest.approx(0, abs=1e-6)


def test_several_batches_make_the_step_of_one_large_one() -> None:
    generator = torch.Generator().manual_seed(0)

    def parts(rows: Tensor) -> tuple[Outputs, GroundTruth]:
        logits, segments, actionness, spans = everything
        made = Outputs(logits[:, rows], segments[:, rows], actionness[rows], spans[rows])
        return made, GroundTruth([actions[row] for row in rows], [labels[row] for row in rows], [10] * len(rows), 10)

    everything = Outputs(
        torch.randn(2, 4, 3, 2, generator=generator),
        torch.rand(2, 4, 3, 2, generator=generator),
        torch.rand(4, 3, generator=generator),
        torch.full((4,), 10.0),
    )
    actions = [torch.tensor([[i, i + 3.0], [i + 1.0, i + 5.0]])[: i % 3] for i in range(4)]
    labels = [torch.tensor([0, 1])[: i % 3] for i in range(4)]
    batches = [parts(torch.tensor([0, 1])), parts(torch.tensor([2, 3]))]
    criterion = TadTRCriterion(settings())
    small = criterion.losses([wanted for _, wanted in batches], CPU)
    found, wanted = parts(torch.arange(4))
    (large,) = criterion.losses([wanted], CPU)
    for name, part in large(found).items():
        together = sum(one(own)[name].item() for one, (own, _) in zip(small, batches, strict=True))
        assert together == pytest.approx(part.item(), rel=1e-5)


def test_overlap_of_nothing_is_0() -> None:
    assert iou(torch.tensor([0.5, 0.0]), torch.tensor([0.5, 0.0])).item() == 0
