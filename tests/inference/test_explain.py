from typing import Any

import numpy as np
import pytest
import torch
from variants import TIMING, lively_detector, pyramid_settings

from actionformer.core.errors import InputError
from actionformer.inference.detector import Detector
from actionformer.inference.explain import (
    attention_of,
    explain,
    level_ranges,
    level_windows,
    project,
    surroundings,
)
from actionformer.inference.sequences import FeatureSequence, place
from actionformer.inference.suppression import suppress
from actionformer.nn.attention import windowed_attention_by_definition
from actionformer.nn.attention_maps import attention_at, comparisons
from actionformer.nn.chunks import lookahead
from actionformer.nn.pyramid_network import PyramidNetwork
from actionformer.settings.config import Config


def lively(tiny: Config, **model: Any) -> Detector:
    return lively_detector(tiny, model=model)


def sequence_of(detector: Detector, length: int) -> FeatureSequence:
    array = np.random.default_rng(0).standard_normal((length, 6)).astype(np.float32)
    return place(array, TIMING | {"duration": None}, None, detector.config, detector.card.features)


def understood(detector: Detector, sequence: FeatureSequence) -> Any:
    return explain(detector.runner, sequence)


@pytest.mark.parametrize("padding", ["exact", "published"])
@pytest.mark.parametrize("length", [1, 37, 90])
def test_candidates_are_those_that_detection_suppresses(tiny: Config, padding: str, length: int) -> None:
    detector = lively_detector(tiny, model={"mask_padding": padding}, suppression={"max_detections": 1000})
    sequence = sequence_of(detector, length)
    found = understood(detector, sequence).candidates
    kept = suppress(found.segments, found.scores, found.labels, detector.config.suppression)
    expected = detector.detect(sequence.features[:], fps=10, stride=5, num_frames=10)
    assert len(expected) > 0
    np.testing.assert_allclose(kept.scores, expected.scores, atol=1e-5)
    assert found.levels[kept.index].tolist() == expected.levels.tolist()


def test_candidates_are_no_longer_than_the_actions_of_a_stream(tiny: Config) -> None:
    """3 s are 6 features: levels 0 and 1 are made for distances of up to 4 and 8, level 2 for more."""
    detector = lively_detector(tiny, live={"max_action_seconds": 3.0})
    assert [low for low, _ in pyramid_settings(detector.config).regression_ranges] == [0, 4, 8]
    found = understood(detector, sequence_of(detector, 90)).candidates
    every = understood(lively(tiny), sequence_of(detector, 90)).candidates
    lengths = every.segments[:, 1] - every.segments[:, 0]
    assert found.scores.tolist() == every.scores[(lengths <= 6) & (every.levels < 2)].tolist()
    assert 0 < len(found.scores) < len(every.scores)


def test_scores_and_offsets_are_the_networks(tiny: Config) -> None:
    detector = lively(tiny)
    sequence = sequence_of(detector, 37)
    levels = understood(detector, sequence).levels
    outputs = detector.model(torch.from_numpy(sequence.features[:])[None])
    assert [level.probability.shape for level in levels] == [(37, 3), (19, 3), (10, 3)]
    for level, logits, offsets in zip(levels, outputs.logits, outputs.offsets, strict=True):
        np.testing.assert_allclose(level.probability, logits[0].sigmoid().detach(), atol=1e-6)
        np.testing.assert_allclose(level.offsets, offsets[0].detach(), atol=1e-6)


def test_long_sequences_in_pieces_say_the_same(tiny: Config) -> None:
    detector = lively(tiny)
    sequence = sequence_of(detector, 90)
    whole = understood(detector, sequence).levels
    detector.runner.chunk = 20
    for one, other in zip(whole, understood(detector, sequence).levels, strict=True):
        np.testing.assert_allclose(one.probability, other.probability, atol=1e-5)


def test_drawn_maxima_lose_no_peak(tiny: Config) -> None:
    level = understood(lively(tiny), sequence_of(lively(tiny), 90)).levels[0]
    drawn, together = level.maximum(20)
    assert (drawn.shape, together) == ((3, 18), 5)
    np.testing.assert_array_equal(drawn[:, 3], level.probability[15:20].max(axis=0))
    same, one = level.maximum(90)
    assert one == 1
    np.testing.assert_array_equal(same, level.probability.T)


@pytest.mark.parametrize("block", [0, 1, 2, 3])
def test_weights_within_the_window_are_those_of_the_blocks_attention(tiny: Config, block: int) -> None:
    detector = lively(tiny, relative_position=True)
    sequence = sequence_of(detector, 40)
    model = detector.model
    pyramid: Any = model.pyramid
    attention = pyramid.blocks[block].attention
    torch.nn.init.normal_(attention.relative_bias)
    seen = project(detector.runner, sequence, (0, 40), block)
    length = seen.length
    identity = torch.eye(length)[None, :, None, :].expand(1, length, attention.num_heads, length)  # values: who am I
    expected = windowed_attention_by_definition(
        seen.query[None], seen.key[None], identity, torch.ones(1, length, dtype=torch.bool), 5, attention.relative_bias
    )[0].detach()
    for position in (0, 1, length // 2, length - 1):
        found = attention_at(seen, position, everywhere=False)
        full = np.zeros((attention.num_heads, length))
        full[:, found.positions] = found.weights
        np.testing.assert_allclose(full, expected[position], atol=1e-6)


def test_weights_everywhere_are_global_attention_over_the_same_queries_and_keys(tiny: Config) -> None:
    detector = lively(tiny)
    seen = project(detector.runner, sequence_of(detector, 40), (0, 40), 0)
    found = attention_at(seen, 7, everywhere=True)
    assert found.positions.tolist() == list(range(40))
    logits = torch.einsum("hd,khd->hk", seen.query[7], seen.key) / seen.key.shape[-1] ** 0.5
    np.testing.assert_allclose(found.weights, logits.softmax(-1), atol=1e-6)
    near = attention_at(seen, 7, everywhere=False)
    assert near.positions.tolist() == [5, 6, 7, 8, 9]
    np.testing.assert_allclose(
        near.weights, found.weights[:, 5:10] / found.weights[:, 5:10].sum(1, keepdims=True), atol=1e-6
    )


def test_a_global_block_looks_everywhere(tiny: Config) -> None:
    detector = lively(tiny, window=1)
    seen = project(detector.runner, sequence_of(detector, 30), (0, 30), 1)
    assert len(attention_at(seen, 3, everywhere=False).positions) == 30
    assert comparisons(seen) == (900, 900)


def test_published_padding_is_not_looked_at(tiny: Config) -> None:
    detector = lively(tiny, mask_padding="published")
    seen = project(detector.runner, sequence_of(detector, 37), (0, 37), 3)
    assert len(seen.key) == seen.length == 10


@pytest.mark.parametrize("seconds", [0.0, 30.0, 61.3, 99.9, 120.0])
def test_surroundings_give_the_weights_of_the_whole_video(
    tiny: Config, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    detector = lively(tiny)
    sequence = sequence_of(detector, 203)
    whole = project(detector.runner, sequence, (0, 203), 2)
    monkeypatch.setattr("actionformer.inference.explain.SURROUNDINGS", 120)
    part = surroundings(detector.runner, sequence, seconds)
    assert part != (0, 203)
    seen = project(detector.runner, sequence, part, 2)
    position = level_windows(detector.runner.levels, sequence, seconds)[1].position
    one, other = (attention_at(projections, position, everywhere=False) for projections in (whole, seen))
    assert one.positions.tolist() == other.positions.tolist()
    np.testing.assert_allclose(one.weights, other.weights, atol=1e-5)


def test_windows_and_comparisons_worked_by_hand(tiny: Config) -> None:
    detector = lively(tiny)
    sequence = sequence_of(detector, 40)  # position i stands for 0.5 i + 0.5 s
    first, second, _ = level_windows(detector.runner.levels, sequence, 5.5)
    assert (first.position, first.first, first.last) == (10, 8, 12)
    assert first.seconds == (4.25, 6.75)
    assert (second.position, second.first, second.last) == (5, 3, 7)
    assert second.seconds == (3.0, 8.0)
    assert level_windows(detector.runner.levels, sequence, 0.0)[0].first == 0
    assert level_windows(detector.runner.levels, sequence, 1e6)[0].last == 39
    seen = project(detector.runner, sequence, (0, 40), 0)
    assert comparisons(seen) == (5 * 40 - 6, 1600)


def test_ranges_in_seconds(tiny: Config) -> None:
    detector = lively(tiny)
    grid = sequence_of(detector, 5).grid
    rows = level_ranges(detector.runner.levels, grid)
    assert isinstance(detector.model, PyramidNetwork)
    reaches = lookahead(detector.model)
    assert [row.window_seconds for row in rows] == [2.5, 5.0, 10.0]
    assert [row.reach_seconds for row in rows] == [0.5 * reach for reach in reaches]
    assert [row.action_range for row in rows] == [(0.0, 2.0), (2.0, 4.0), (4.0, None)]
    everywhere = lively(tiny, window=1)
    assert level_ranges(everywhere.runner.levels, grid)[0].reach_seconds is None


def test_blocks_have_names_and_convolutions_no_attention(tiny: Config) -> None:
    detector = lively(tiny)
    assert attention_of(detector.runner).names()[-2:] == ["branch 1 (stride 2)", "branch 2 (stride 4)"]
    with pytest.raises(InputError, match="blocks 0 to 3"):
        project(detector.runner, sequence_of(detector, 8), (0, 8), 4)
    plain = lively(tiny, block="convolution")
    with pytest.raises(InputError, match="no attention"):
        project(plain.runner, sequence_of(plain, 8), (0, 8), 0)
