"""From what streams say to candidates, worked by hand."""

import math

import pytest
import torch

from actionformer.detectors.muses.decoding import Decoder
from actionformer.detectors.muses.network import Judged, Outputs
from actionformer.inference.settings import DecodingSettings

SETTINGS = DecodingSettings(min_probability=0.0, min_length=0.0)


def said(streams: int) -> Outputs:
    """Two proposals of one class; one of them is padding."""
    shape = streams, 1, 2
    judged = Judged(torch.zeros(*shape, 2), torch.zeros(*shape, 1), torch.zeros(*shape, 1, 2))
    proposals = torch.tensor([[[2.0, 6.0], [0.0, 0.0]]])
    there = torch.tensor([[True, False]])
    return Outputs(judged, torch.zeros(streams, 2), torch.ones(streams, 2), proposals, there)


def test_a_score_is_the_probability_times_the_exponential_of_completeness() -> None:
    outputs = said(1)
    outputs.judged.activity[0, 0, 0, 1] = math.log(3)
    outputs.judged.completeness[0, 0, 0] = 1.0
    decoder = Decoder(SETTINGS, (1.0,))
    decoder.add(outputs)
    (found,) = decoder.candidates()
    assert found.scores.tolist() == pytest.approx([0.75 * math.e])
    assert found.segments.tolist() == [[2, 6]]
    assert found.refined is not None
    assert found.refined.tolist() == [[2, 6]]
    assert decoder.overflown() == [False]


def test_a_proposal_moves_by_shifts_that_are_standardised() -> None:
    """1.5 * 0.2 + 0.2 = 0.5 of its length of 4 to the right, and twice as long."""
    outputs = said(1)._replace(mean=torch.tensor([[0.2, 0.0]]), deviation=torch.tensor([[0.2, math.log(2)]]))
    outputs.judged.shifts[0, 0, 0, 0] = torch.tensor([1.5, 1.0])
    moved = Decoder(SETTINGS, (1.0,)).reported(outputs)
    assert moved[0, 0, 0].tolist() == pytest.approx([2, 10])


def test_streams_are_averaged_by_their_weights_before_anything_else() -> None:
    """(1 * 2.2 + 1.2 * 0) / 2.2 = 1, of shifts each in its own measure."""
    outputs = said(2)._replace(deviation=torch.tensor([[1.0, 1.0], [3.0, 3.0]]))
    for part in outputs.judged:
        part[0] = 2.2
    outputs.judged.activity[0, ..., 0] = 0.0
    outputs.judged.shifts[1, ..., 0] = 1.1
    decoder = Decoder(SETTINGS, (1.0, 1.2))
    assert decoder.mean(outputs.judged.activity)[0, 0].tolist() == pytest.approx([0, 1])
    assert decoder.shifts(outputs)[0, 0, 0].tolist() == pytest.approx([(2.2 + 1.2 * 3.3) / 2.2, 1])
    scores = decoder.scored(outputs)[1]
    assert scores[0, 0].tolist() == pytest.approx([math.e / (1 + math.e) * math.e])


def test_what_grows_beyond_all_numbers_is_told() -> None:
    outputs = said(1)
    outputs.judged.completeness[0, 0, 0] = 200.0
    decoder = Decoder(SETTINGS, (1.0,))
    decoder.add(outputs)
    assert decoder.overflown() == [True]
