"""The loss of AFSD: worked out by hand, and the same for a step in one batch or in two."""

import math
from typing import Any

import pytest
import torch

from actionformer.detectors.afsd.architecture import AFSD
from actionformer.detectors.afsd.criterion import AFSDCriterion, focal, tiou
from actionformer.detectors.afsd.settings import AFSDSettings
from actionformer.nn.assignment import GroundTruth
from actionformer.settings.config import Config

CPU = torch.device("cpu")
SMALL: dict[str, Any] = {"input_dim": 6, "num_classes": 3, "width": 32, "levels": 3, "frames_per_feature": 2}


def architecture(**changes: Any) -> AFSD:
    return AFSD(Config(model=AFSDSettings(**SMALL | changes)).replace(data={"window": 16}))


def test_tiou_of_segments_about_a_moment() -> None:
    """[2, 2] and [1, 4] about one moment share 3 of 6; two that lie apart are below 0."""
    assert tiou(torch.tensor([2.0, 2.0]), torch.tensor([1.0, 4.0])).item() == pytest.approx(0.5)
    assert tiou(torch.tensor([-2.0, 3.0]), torch.tensor([3.0, -2.0])).item() < 0


def test_the_background_counts_a_quarter_and_actions_three() -> None:
    logits = torch.zeros(1, 2, 4)
    expected = (1 - 0.25) ** 2 * math.log(4)
    found = focal(logits, torch.tensor([[0, 2]]))[0]
    torch.testing.assert_close(found, torch.tensor([0.25, 0.75]) * expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("best", "expected"), [(False, [0, 0, 0]), (True, [0, 2, 0])])
def test_where_none_is_good_enough_the_best_may_be_learned(best: bool, expected: list[int]) -> None:
    criterion = AFSDCriterion(AFSDSettings(**SMALL, refined_tiou=0.6, refine_best=best), 0.5)
    distances, wanted = torch.tensor([[[1.0, 1], [2, 2], [5, 5]]]), torch.tensor([[[4.0, 4], [4, 4], [5, 5]]])
    assert criterion.refined_labels(distances, torch.tensor([[1, 2, 0]]), wanted).tolist() == [expected]


def test_a_coarse_segment_that_is_too_short_is_moved_by_halves_of_its_length() -> None:
    """Four fifths of the action: a tIoU of 0.8; a quarter of the coarse length is missing, on both sides together."""
    model = architecture(location_weight=3.0)
    truth = GroundTruth([torch.tensor([[0.0, 15.0]])], [torch.tensor([1])], [16], 16)
    outputs, targets = model.perfect(truth), model.criterion().targets(truth)
    outputs = outputs._replace(distances=outputs.distances * 0.8)
    sides = targets.distances / targets.distances.sum(-1, keepdim=True)
    parts = model.criterion().parts(targets, 1, outputs)
    assert parts["location"].item() == pytest.approx(3 * 0.2, abs=1e-4)
    assert parts["refined_location"].item() == pytest.approx(3 * 0.5, abs=1e-4)
    mended = model.criterion().parts(targets, 1, outputs._replace(shifts=0.5 * sides))
    assert mended["refined_location"].item() == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("moves", [False, True])
def test_how_well_a_segment_fits_moves_it_only_where_asked(moves: bool) -> None:
    """Published, a segment of which little is expected is drawn away from its action: shorter costs less."""
    model = architecture(center_moves=moves)
    truth = GroundTruth([torch.tensor([[2.0, 9.0]])], [torch.tensor([1])], [16], 16)
    outputs = model.perfect(truth)
    shifts = torch.full_like(outputs.shifts, -0.2).requires_grad_()
    outputs = outputs._replace(shifts=shifts, center=-outputs.center.abs())
    parts = model.criterion().parts(model.criterion().targets(truth), 1, outputs)
    (parts["center"] + 0 * shifts.sum()).backward()
    assert shifts.grad is not None
    assert (shifts.grad.sum().item() > 1) == moves


def test_perfect_outputs_cost_next_to_nothing() -> None:
    model = architecture()
    truth = GroundTruth([torch.tensor([[2.0, 6.0], [8.0, 13.0]])], [torch.tensor([1, 2])], [16], 16)
    (loss,) = model.criterion().losses([truth], CPU)
    parts = {name: part.item() for name, part in loss(model.perfect(truth)).items()}
    assert sum(parts.values()) == pytest.approx(0, abs=1e-3), parts
    decoder = model.decoder()
    decoder.add(model.perfect(truth))
    (found,) = decoder.candidates()
    best = found.scores > 0.9
    together = {
        (tuple(one), label)
        for one, label in zip(found.segments[best].tolist(), found.labels[best].tolist(), strict=True)
    }
    assert {(tuple(round(x, 4) for x in one), label) for one, label in together} == {((2, 6), 1), ((8, 13), 2)}


def test_two_batches_make_the_step_that_one_makes() -> None:
    torch.manual_seed(0)
    model = architecture()
    network, features = model.network(), torch.randn(2, 16, 6)
    segments = [torch.tensor([[1.0, 5.0]]), torch.empty(0, 2)]
    labels = [torch.tensor([2]), torch.empty(0, dtype=torch.int64)]
    whole = GroundTruth(segments, labels, [16, 16], 16)
    halves = [GroundTruth(segments[i : i + 1], labels[i : i + 1], [16], 16) for i in range(2)]
    (loss,) = model.criterion().losses([whole], CPU)
    together = loss(network(features))
    apart = [loss(network(features[i : i + 1])) for i, loss in enumerate(model.criterion().losses(halves, CPU))]
    for name, part in together.items():
        torch.testing.assert_close(part, apart[0][name] + apart[1][name])


def test_a_sequence_without_actions_teaches_the_background() -> None:
    model = architecture()
    truth = GroundTruth([torch.empty(0, 2)], [torch.empty(0, dtype=torch.int64)], [16], 16)
    (loss,) = model.criterion().losses([truth], CPU)
    network = model.network()
    parts = loss(network(torch.randn(1, 16, 6)))
    assert parts["location"].item() == parts["refined_location"].item() == parts["center"].item() == 0
    assert parts["classification"].item() > 0
    torch.stack(list(parts.values())).sum().backward()
    assert all(one.grad is None or one.grad.isfinite().all() for one in network.parameters())
