"""From outputs to candidates, worked by hand."""

from typing import Any

import pytest
import torch

from actionformer.detectors.bmn.rules import EXACT, JJBOY
from actionformer.inference.settings import DecodingSettings
from actionformer.nn.decoding import Candidates
from actionformer.nn.segment_map.cells import cells_of
from actionformer.nn.segment_map.decoding import MapDecoder, likely
from actionformer.nn.segment_map.outputs import MapOutputs
from actionformer.nn.segment_map.rules import Rules

T = 4


def decoded(
    start: list[float],
    end: list[float],
    *,
    rules: Rules = EXACT,
    valid: int | None = None,
    most: int = 100,
    **options: Any,
) -> tuple[Candidates, MapDecoder]:
    """Of probabilities of starts and ends; every segment has an overlap of 0.8 and two classes, by 0.5 and 0.25.

    Their odds are 1 and 1/3, their shares 3/4 and 1/4, and so their scores 0.3 and 0.05.
    """
    classes = torch.tensor([0.5, 0.25]).logit().expand(1, T, T, 2)
    mask = None if valid is None else torch.arange(T)[None] < valid
    outputs = MapOutputs(
        torch.tensor([start]).logit(), torch.tensor([end]).logit(), torch.full((1, T, T), 0.8).logit(), classes, mask
    )
    settings = DecodingSettings(min_probability=0.0, **options)
    decoder = MapDecoder(cells_of(T, T, rules), rules, settings, shift=0.5, most=most)
    decoder.add(outputs)
    return decoder.candidates()[0], decoder


def test_peaks_high_ones_and_the_outermost_are_likely() -> None:
    found = likely(torch.tensor([[0.1, 0.2, 0.1, 0.5, 0.9, 0.6, 0.3, 0.31]]))
    assert found.tolist() == [[False, True, False, True, True, True, False, True]]


def test_segments_between_likely_boundaries_x_overlap() -> None:
    """Starts are step 0, always, and 2; ends are step 1 and 3, always."""
    found, _ = decoded([0.1, 0.1, 0.9, 0.1], [0.1, 0.9, 0.1, 0.1])
    of_first = found.labels == 0
    assert found.scores[of_first].tolist() == pytest.approx([0.3] * 3)
    assert found.scores[~of_first].tolist() == pytest.approx([0.05] * 3)
    segments = {tuple(segment) for segment in found.segments[of_first].tolist()}
    assert segments == {(-0.5, 1.5), (-0.5, 3.5), (1.5, 3.5)}
    assert set(found.moments.tolist()) == {0, 1, 2}
    assert not found.levels.any()


def test_all_segments_with_the_scores_of_their_boundaries() -> None:
    start, end = [0.1, 0.2, 0.3, 0.4], [0.9, 0.8, 0.7, 0.6]
    found, _ = decoded(start, end, boundaries="all", boundary_scores=True)
    assert len(found.scores) == 2 * 10
    best = {tuple(s): score for s, score in zip(found.segments.tolist(), found.scores.tolist(), strict=True)}
    assert best[(0.5, 2.5)] in (pytest.approx(0.2 * 0.7 * 0.3), pytest.approx(0.2 * 0.7 * 0.05))
    assert found.scores.max().item() == pytest.approx(0.4 * 0.6 * 0.3)


def test_jjboy_takes_an_end_from_the_next_step_and_so_has_no_last_one() -> None:
    found, _ = decoded([0.5] * 4, [0.1, 0.2, 0.4, 0.8], rules=JJBOY, boundaries="all", boundary_scores=True)
    of_first = found.labels == 0
    last = found.segments[of_first][:, 1]
    assert last.max() == 2.5
    assert found.scores[of_first][last == 2.5].tolist() == pytest.approx([0.5 * 0.8 * 0.3] * 3)


def test_no_segment_reaches_into_padding() -> None:
    """Of two valid steps the second is the last end."""
    found, _ = decoded([0.1, 0.1, 0.9, 0.9], [0.1, 0.1, 0.9, 0.9], valid=2)
    assert {tuple(segment) for segment in found.segments.tolist()} == {(-0.5, 1.5), (0.5, 1.5), (-0.5, 0.5)}


def test_what_is_left_out_is_told() -> None:
    found, decoder = decoded([0.5] * 4, [0.5] * 4, most=10)
    assert found.scores.tolist() == pytest.approx([0.3] * 10)
    assert decoder.left_out() == [(pytest.approx(0.05), 0)]
    assert decoder.overflown() == [False]


def test_a_number_that_is_none_is_told() -> None:
    _, decoder = decoded([float("nan")] * 4, [0.5] * 4)
    assert decoder.overflown() == [True]
