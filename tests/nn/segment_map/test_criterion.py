"""The loss: its balance worked by hand, and what is drawn."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from actionformer.detectors.bmn.rules import EXACT, JJBOY, OPENTAD
from actionformer.nn.assignment import GroundTruth
from actionformer.nn.segment_map.cells import cells_of
from actionformer.nn.segment_map.criterion import MapCriterion
from actionformer.nn.segment_map.outputs import MapOutputs
from actionformer.nn.segment_map.rules import Rules

T, K = 6, 2
CELLS = cells_of(T, T, EXACT)


def criterion(rules: Rules = EXACT, draw: Callable[..., Tensor] = torch.rand, classes: int = K) -> MapCriterion:
    return MapCriterion(cells_of(T, T, rules), rules, length=T, num_classes=classes, shift=0.0, draw=draw)


def truth(*videos: list[list[float]], labels: list[list[int]] | None = None) -> GroundTruth:
    segments = [torch.tensor(video).view(-1, 2) for video in videos]
    classes = [torch.tensor(one) for one in labels or [[0] * len(video) for video in videos]]
    return GroundTruth(segments, classes, [T] * len(videos), T)


def outputs(videos: int = 1, seed: int | None = None, classes: int = K) -> MapOutputs:
    generator = torch.Generator().manual_seed(seed or 0)
    shapes = [(videos, T), (videos, T), (videos, T, T), (videos, T, T, classes)]
    tensors = [torch.randn(shape, generator=generator) if seed else torch.zeros(shape) for shape in shapes]
    start, end, overlap, of_classes = tensors
    return MapOutputs(start, end, overlap, of_classes)


def parts(one: MapCriterion, batches: list[GroundTruth], said: list[MapOutputs]) -> list[dict[str, float]]:
    losses = one.losses(batches, torch.device("cpu"))
    return [
        {name: part.item() for name, part in loss(out).items()} for loss, out in zip(losses, said, strict=True)
    ]  # fmt: skip


def test_without_knowledge_every_balanced_part_is_log_2() -> None:
    (found,) = parts(criterion(), [truth([[1.0, 4.0]])], [outputs()])
    assert found["boundaries"] == pytest.approx(2 * math.log(2))
    assert found["classes"] == pytest.approx(math.log(2))


def test_positive_and_negative_steps_count_half_each() -> None:
    """The start at 1 makes steps 0 to 2 positive [of which half lies around it: -0.5 to 2.5], 3 to 5 negative."""
    said = outputs()._replace(start=torch.tensor([[5.0, 5.0, 5.0, -5.0, -5.0, 5.0]]))
    (found,) = parts(criterion(), [truth([[1.1, 3.0]])], [said])
    right, wrong = math.log1p(math.exp(-5)), math.log1p(math.exp(5))
    positive, negative = right, (2 * right + wrong) / 3
    assert found["boundaries"] == pytest.approx((positive + negative) / 2 + math.log(2))


def test_of_negative_segments_those_of_other_classes_count_as_much_as_all_that_are_none() -> None:
    batch = truth([[0.0, 2.0], [3.0, 6.0]], labels=[[0, 1]])
    classes = torch.zeros(1, T, T, K)
    first, second = ((last - first, first) for first, last in ((0, 1), (3, 5)))
    classes[0, *second, 0] = 3.0  # the segment of class 1 is taken for one of class 0
    (found,) = parts(criterion(), [batch], [outputs()._replace(classes=classes)])
    wrong, plain = math.log1p(math.exp(3)), math.log(2)
    assert found["classes"] == pytest.approx((plain / 2 + wrong / 4 + plain / 4 + plain) / 2)
    assert first != second


def test_a_class_without_segments_in_the_step_teaches_nothing() -> None:
    said = outputs()
    changed = said._replace(classes=said.classes + torch.tensor([0.0, 7.0]))
    first, second = (parts(criterion(), [truth([[0.0, 2.0]])], [one]) for one in (said, changed))
    assert first[0]["classes"] == second[0]["classes"] == pytest.approx(math.log(2))


def test_without_actions_losses_are_finite_and_only_overlaps_teach() -> None:
    said = outputs(seed=1)
    for rules in (EXACT, OPENTAD):
        (found,) = parts(criterion(rules, classes=1), [truth([])], [outputs(seed=1, classes=1)])
        assert all(math.isfinite(one) for one in found.values())
    (found,) = parts(criterion(), [truth([])], [said])
    assert found["boundaries"] == found["classes"] == 0
    expected = said.overlap.flatten(1)[0, CELLS.index].sigmoid().square().mean()
    assert found["overlap"] == pytest.approx(5 * expected.item(), rel=1e-5)


def test_batches_of_one_step_are_as_one_batch() -> None:
    videos = [[[0.0, 2.0]], [[1.0, 5.0], [2.0, 3.0]]]
    labels = [[0], [1, 0]]
    whole = outputs(2, seed=3)
    apart = [MapOutputs(*(one[row : row + 1] for one in whole[:4])) for row in range(2)]
    (together,) = parts(criterion(draw=torch.ones), [truth(*videos, labels=labels)], [whole])
    batches = [truth(video, labels=[label]) for video, label in zip(videos, labels, strict=True)]
    found = parts(criterion(draw=torch.ones), batches, apart)
    for name, part in together.items():
        assert sum(one[name] for one in found) == pytest.approx(part, rel=1e-5)


def test_as_many_segments_of_less_overlap_are_drawn_as_there_are_of_much() -> None:
    one = criterion(draw=lambda shape: torch.linspace(0, 1, shape[1]).expand(shape))
    target = one.targets(truth([[1.0, 4.0]]))
    (number,) = one.drawn([target])
    high = target.overlap > 0.7
    assert number[high].eq(1).all()
    assert number[~target.counts].eq(0).all()
    assert high.sum() < number.sum() < target.counts.sum()


@pytest.mark.parametrize("rules", [EXACT, OPENTAD, JJBOY])
def test_where_few_can_be_drawn_published_code_takes_all_of_the_map(rules: Rules) -> None:
    """The whole sequence is one action: more segments overlap it much than middling or little."""
    one = criterion(rules, draw=torch.zeros)
    target = one.targets(truth([[0.0, 6.0]]))
    target.overlap[(target.overlap > 0) & (target.overlap <= 0.7)] = 0.9
    target.overlap[0, target.counts[0].nonzero()[0]] = 0.5
    (number,) = one.drawn([target])
    expected = target.counts if rules is OPENTAD else torch.ones_like(target.counts)
    high = target.overlap > 0.7
    if rules is EXACT:
        assert number.sum() == high.sum() + 1
    else:
        assert (number - high.float() >= expected.float()).all()


@pytest.mark.parametrize("rules", [EXACT, OPENTAD])
def test_parts_of_a_batch_draw_what_it_draws(rules: Rules) -> None:
    videos: list[list[list[float]]] = [[[1.0, 4.0]], [[0.0, 2.0], [3.0, 5.5]], [], [[2.0, 2.9]], [[0.0, 5.0]]]
    batches = [truth(*videos)], [truth(*videos[:2]), truth(videos[2]), truth(*videos[3:])]
    drawn = []
    for parts_of_batch in batches:
        torch.manual_seed(0)
        one = criterion(rules)
        drawn.append(torch.cat(one.drawn([one.targets(part) for part in parts_of_batch])))
    assert torch.equal(*drawn)
    assert len(set(drawn[0].flatten().tolist())) > 1
