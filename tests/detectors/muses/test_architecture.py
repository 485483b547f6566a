"""What training and the oracle ask of the detector."""

import math

import pytest
import torch

from actionformer.detectors.base import architecture_of
from actionformer.detectors.muses.architecture import MUSES
from actionformer.detectors.muses.network import MUSESNetwork, Stream
from actionformer.nn.assignment import GroundTruth
from actionformer.nn.weight_rules import WeightRule
from actionformer.settings.config import Config

NOTHING = torch.empty(0, 2)
ACTIONS = [torch.tensor([[2.0, 12.0], [20.0, 30.0]]), NOTHING]
PROPOSALS = [torch.tensor([[3.0, 12.0], [20.0, 22.0], [32.0, 38.0]]), torch.tensor([[5.0, 9.0]])]
TRUTH = GroundTruth(ACTIONS, [torch.tensor([1, 0]), torch.empty(0).long()], [40, 30], 40, PROPOSALS)


def detector(**changes: object) -> MUSES:
    counts = {"foregrounds": 1, "incompletes": 6, "backgrounds": 1}
    settings = {"detector": "muses", "input_dim": 4, "num_classes": 2, "width": 8, **counts, **changes}
    decoding = {"min_probability": 0.0}
    found = architecture_of(Config().replace(model=settings, decoding=decoding))
    assert isinstance(found, MUSES)
    return found


def test_what_is_drawn_takes_the_place_of_all_proposals() -> None:
    torch.manual_seed(0)
    drawn = detector().drawn(TRUTH)
    assert [len(one) for one in drawn.proposals] == [8, 1]
    assert drawn.proposals[0][1:].tolist() == [[20, 22]] * 6 + [[32, 38]]
    assert drawn.proposals[1].tolist() == [[5, 9]]  # a video without actions shows the background
    assert (drawn.segments, drawn.lengths, drawn.padded_length) == (TRUTH.segments, TRUTH.lengths, 40)
    assert len(drawn.examples) == 2


def test_a_published_sequence_is_one_feature_longer() -> None:
    """As 16 frames every 8 are: a background is longer than 0.02 of it."""
    assert detector().steps(40) == 40
    assert detector(whole_frames=8).steps(40) == 41


def test_shifts_are_measured_on_the_proposals_that_fit() -> None:
    """Two of them: half a step to the left of 9, and 1 to the right of 8."""
    proposals = [torch.tensor([[3.0, 12.0], [20.0, 22.0], [20.0, 28.0]]), NOTHING]
    truth = GroundTruth(ACTIONS, TRUTH.labels, [40, 30], 40, proposals)
    made = detector(stream_weights=(1.0, 1.0))
    network = made.network()
    made.keep_statistics(network, truth)
    shifts = torch.tensor([[-0.5 / 9, math.log(10 / 9)], [1 / 8, math.log(10 / 8)]])
    for stream in network.streams:
        assert isinstance(stream, Stream)
        torch.testing.assert_close(stream.mean, shifts.mean(0))
        torch.testing.assert_close(stream.deviation, (shifts[1] - shifts[0]) / 2)
    assert {"streams.0.mean", "streams.1.deviation"} <= network.state_dict().keys()


def test_proposals_that_are_the_actions_are_measured_as_nearly_exact() -> None:
    made = detector()
    network = made.network()
    made.keep_statistics(network, GroundTruth(ACTIONS, TRUTH.labels, [40, 30], 40, ACTIONS))
    assert network.streams[0].get_buffer("deviation").tolist() == pytest.approx([1e-3, 1e-3])


def test_proposals_that_fit_nothing_are_warned_of() -> None:
    made = detector()
    network = made.network()
    truth = GroundTruth(ACTIONS, TRUTH.labels, [40, 30], 40, [PROPOSALS[0][1:], NOTHING])
    with pytest.warns(UserWarning, match=r"no proposal has a tIoU above 0\.7 with an action"):
        made.keep_statistics(network, truth)
    assert network.streams[0].get_buffer("mean").tolist() == [0, 0]
    assert network.streams[0].get_buffer("deviation").tolist() == [1, 1]


def test_biases_do_not_decay_and_learn_fast() -> None:
    made = detector()
    rules = {name: made.weight_rule(name, weight) for name, weight in made.network().named_parameters()}
    assert rules["streams.0.own.bias"] == WeightRule(decay_factor=0, rate_factor=2)
    assert rules["streams.0.layers.1.branches.3.weight"] == WeightRule()


def test_perfect_outputs_are_the_actions_of_the_proposals_that_fit() -> None:
    made = detector()
    decoder = made.decoder()
    decoder.add(made.perfect(TRUTH))
    first, second = decoder.candidates()
    best = first.scores.argmax()
    assert first.reported[best].tolist() == pytest.approx([2, 12], abs=1e-5)
    assert first.labels[best] == 1
    assert (first.scores > 0.5).sum() == 1
    assert second.scores.max() < 1e-6
    assert made.perfect(GroundTruth(ACTIONS, TRUTH.labels, [40, 30], 40)) is None


def test_padding_needs_no_computing() -> None:
    assert detector().computed_length(17) == 17
    assert isinstance(detector().network(), MUSESNetwork)
