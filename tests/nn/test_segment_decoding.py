"""Segments that are scored per class, worked by hand."""

from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from actionformer.inference.settings import DecodingSettings
from actionformer.nn.segment_decoding import SegmentDecoder


class Outputs(NamedTuple):
    segments: Tensor
    scores: Tensor
    refined: Tensor | None = None


class Plain(SegmentDecoder):
    def scored(self, outputs: Outputs) -> tuple[Tensor, Tensor]:
        return outputs.segments, outputs.scores

    def reported(self, outputs: Outputs) -> Tensor | None:
        return outputs.refined


def decoder(outputs: Outputs, top_k: int = 3, span: int | None = None) -> Plain:
    made = Plain(DecodingSettings(top_k=top_k, min_probability=0.1, min_length=1.0), span)
    made.add(outputs)
    return made


SEGMENTS = torch.tensor([[[0.0, 4.0], [2.0, 2.5], [6.0, 9.0]]])
SCORES = torch.tensor([[[0.9, 0.2], [0.8, 0.0], [0.05, 0.7]]])


def test_the_best_pairs_that_are_long_enough() -> None:
    """The second segment has half a step, and of the four best only three are looked at."""
    made = decoder(Outputs(SEGMENTS, SCORES))
    (found,) = made.candidates()
    assert found.segments.tolist() == [[0, 4], [6, 9]]
    assert found.labels.tolist() == [0, 1]
    assert found.moments.tolist() == [2, 8]
    assert found.refined is None
    assert made.left_out() == [(pytest.approx(0.2), 0)]
    assert made.overflown() == [False]


def test_what_is_reported_of_each_pair_stands_beside_its_segment() -> None:
    refined = torch.arange(12.0).view(1, 3, 2, 2)
    (found,) = decoder(Outputs(SEGMENTS, SCORES, refined)).candidates()
    assert found.segments.tolist() == [[0, 4], [6, 9]]
    assert found.refined is not None
    assert found.refined.tolist() == [[0, 1], [10, 11]]


def test_what_is_reported_may_overflow() -> None:
    refined = torch.zeros(1, 3, 2, 2)
    refined[0, 1, 1, 0] = torch.inf
    assert decoder(Outputs(SEGMENTS, SCORES, refined)).overflown() == [True]


def test_a_sequence_without_segments_has_no_candidates() -> None:
    made = decoder(Outputs(SEGMENTS[:, :0], SCORES[:, :0], torch.zeros(1, 0, 2, 2)))
    (found,) = made.candidates()
    assert (len(found.scores), made.overflown(), made.left_out()) == (0, [False], [(0.0, 0)])


def test_every_span_keeps_its_best_pairs() -> None:
    """The centres 2 and 2.25 are of the first span of five steps, 7.5 is of the second; of each two pairs are kept."""
    made = decoder(Outputs(SEGMENTS, SCORES), top_k=2, span=5)
    (found,) = made.candidates()
    assert found.segments.tolist() == [[0, 4], [6, 9]]
    assert found.scores.tolist() == pytest.approx([0.9, 0.7])
    assert made.left_out() == [(pytest.approx(0.2), 0)]


def test_a_longer_sequence_has_room_for_more_and_no_batch_mate_takes_it() -> None:
    start = torch.rand(2, 40, generator=torch.manual_seed(0)) * 100
    segments, scores = torch.stack((start, start + 3), dim=-1), torch.rand(2, 40, 2)
    scores[1, 25:] = 0  # as of a sequence with fewer segments
    for row, found in enumerate(decoder(Outputs(segments, scores), span=20).candidates()):
        spans = (segments[row].mean(1) // 20)[:, None].expand(-1, 2)
        best = [scores[row][spans == span].sort(descending=True).values[:3] for span in range(6)]
        expected = torch.cat(best)
        assert found.scores.tolist() == sorted(expected[expected > 0.1].tolist(), reverse=True)
    with_fewer = decoder(Outputs(segments[:1, :25], scores[:1, :25]), span=20)
    alone = decoder(Outputs(segments[:1], scores[:1] * (torch.arange(40) < 25)[:, None]), span=20)
    assert with_fewer.candidates()[0].segments.tolist() == alone.candidates()[0].segments.tolist()
