"""The cheapest action gives the offsets' target: cases worked by hand, and what stays as everywhere."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from actionformer.detectors.base import architecture_of
from actionformer.detectors.pyramid import PyramidCriterion
from actionformer.detectors.temporalmaxer.criterion import CheapestOffsets, surroundings, with_cheapest
from actionformer.nn.assignment import GroundTruth
from actionformer.nn.losses import diou_loss, focal_loss
from actionformer.nn.outputs import PyramidOutputs
from actionformer.settings.config import Config

CONFIG = Config().replace(
    model={
        "detector": "temporalmaxer",
        "offset_target": "cheapest",
        "num_classes": 2,
        "branch_blocks": 1,
        "regression_ranges": [[0, 6], [6, 100]],
    }
)
CPU = torch.device("cpu")


def truth_of(*videos: list[tuple[float, float, int]], length: int = 16) -> GroundTruth:
    segments = [torch.tensor([action[:2] for action in video]).view(-1, 2) for video in videos]
    labels = [torch.tensor([action[2] for action in video], dtype=torch.int64) for video in videos]
    return GroundTruth(segments, labels, [length] * len(videos), padded_length=length)


def outputs_of(videos: int, length: int = 16, seed: int | None = None) -> PyramidOutputs:
    """All logits 0 and all offsets 1, or drawn at random."""
    generator = torch.Generator().manual_seed(seed or 0)
    lengths = (length, length // 2)

    def made(channels: int, otherwise: float) -> list[Tensor]:
        shapes = [(videos, one, channels) for one in lengths]
        if seed is None:
            return [torch.full(shape, otherwise) for shape in shapes]
        return [torch.randn(shape, generator=generator).abs() for shape in shapes]

    valid = [torch.ones(videos, one, dtype=torch.bool) for one in lengths]
    return PyramidOutputs(made(2, 0.0), made(2, 1.0), valid, valid)


def test_the_outputs_choose_among_the_actions_around_a_moment() -> None:
    """Moment 5 of level 0 answers for (4, 6) alone; the longer action contains it too, and its offsets come nearer."""
    truth = truth_of([(4, 6, 0), (2, 10, 1)])
    criterion = CheapestOffsets(CONFIG)
    targets = criterion.targets(truth)
    outputs = outputs_of(1)
    around = surroundings(truth, targets, (1, 2))
    chosen = with_cheapest(targets, around, outputs)
    assert targets.offsets[0, 5].tolist() == chosen.offsets[0, 5].tolist() == [1, 1]  # as the outputs have it
    outputs.offsets[0][0, 5] = torch.tensor([3.0, 5.0])
    assert with_cheapest(targets, around, outputs).offsets[0, 5].tolist() == [3, 5]
    outputs.logits[0][0, 5] = torch.tensor([9.0, -9.0])  # sure of class 0: 2 + 0.2 against 0 + 6.8 of the other
    assert with_cheapest(targets, around, outputs).offsets[0, 5].tolist() == [1, 1]
    assert torch.equal(chosen.classes, targets.classes)
    assert torch.equal(chosen.positive_moments, targets.positive_moments)


def test_offsets_are_in_strides_of_the_level() -> None:
    truth = truth_of([(1, 15, 0), (2, 14, 1)])
    targets = CheapestOffsets(CONFIG).targets(truth)
    outputs = outputs_of(1)
    outputs.offsets[1][0, 4] = torch.tensor([3.5, 3.5])  # moment 8 at stride 2: 1 to 15
    chosen = with_cheapest(targets, surroundings(truth, targets, (1, 2)), outputs)
    assert targets.offsets[0, 16 + 4].tolist() == [3, 3]
    assert chosen.offsets[0, 16 + 4].tolist() == [3.5, 3.5]


@given(
    data=st.lists(
        st.lists(st.tuples(st.integers(0, 12), st.integers(1, 8), st.integers(0, 1)), max_size=5),
        min_size=1,
        max_size=3,
    ),
    seed=st.integers(0, 99),
)
def test_no_action_around_a_moment_is_cheaper(data: list[list[tuple[int, int, int]]], seed: int) -> None:
    """Against a search pair by pair."""
    videos = [[(float(start), float(start + size), label) for start, size, label in video] for video in data]
    truth, outputs = truth_of(*videos), outputs_of(len(videos), seed=seed)
    targets = CheapestOffsets(CONFIG).targets(truth)
    chosen = with_cheapest(targets, surroundings(truth, targets, (1, 2)), outputs)
    logits, offsets = (torch.cat(level, dim=1) for level in (outputs.logits, outputs.offsets))
    for video, moment in targets.positive.nonzero().tolist():
        stride = 1 if moment < 16 else 2
        position = moment if moment < 16 else 2 * (moment - 16)
        costs = []
        for start, end, label in videos[video]:
            if start <= position <= end:
                distances = torch.tensor([position - start, end - position]) / stride
                wanted = torch.eye(2)[label]
                cost = focal_loss(logits[video, moment], wanted) + 2 * diou_loss(offsets[video, moment], distances)
                costs.append((cost.item(), distances.tolist()))
        least = min(cost for cost, _ in costs)
        assert chosen.offsets[video, moment].tolist() in [one for cost, one in costs if cost < least + 1e-5]


def test_a_video_without_actions_trains() -> None:
    criterion = CheapestOffsets(CONFIG)
    outputs = outputs_of(2, seed=1)
    for tensors in (outputs.logits, outputs.offsets):
        for tensor in tensors:
            tensor.requires_grad_()
    for truth in (truth_of([], []), truth_of([], [(4, 6, 0)])):
        (loss,) = criterion.losses([truth], CPU)
        parts = loss(outputs)
        torch.stack(list(parts.values())).sum().backward()
        assert all(part.isfinite() for part in parts.values())
        assert (parts["regression"] > 0) == any(len(one) for one in truth.segments)


def test_where_no_actions_overlap_it_is_the_rule_of_all_pyramids() -> None:
    truth, outputs = truth_of([(1, 4, 0), (6, 14, 1)], [(3, 7, 1)]), outputs_of(2, seed=3)
    losses = [kind(CONFIG).losses([truth], CPU)[0](outputs) for kind in (CheapestOffsets, PyramidCriterion)]
    assert losses[0] == losses[1]


@pytest.mark.parametrize(("offset_target", "kind"), [("shortest", PyramidCriterion), ("cheapest", CheapestOffsets)])
def test_the_setting_chooses_the_rule(offset_target: str, kind: type) -> None:
    config = CONFIG.replace(model={"offset_target": offset_target})
    assert type(architecture_of(config).criterion()) is kind
