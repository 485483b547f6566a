from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from actionformer.core.errors import InputError
from actionformer.core.segments import TimeGrid
from actionformer.inference.fusion import fuse
from actionformer.inference.settings import DecodingSettings, FusionSettings, SuppressionSettings
from actionformer.inference.suppression import suppress
from actionformer.nn.decoding import Candidates, decode

SETTINGS = {
    "thumos": (DecodingSettings(), SuppressionSettings()),
    "anet": (
        DecodingSettings(min_length=0.001),
        SuppressionSettings(per_class=False, sigma=0.75, max_detections=100, voting_threshold=0.9),
    ),
    "ablation_conv_fpn": (
        DecodingSettings(top_k=500),
        SuppressionSettings(method="hard", tiou_threshold=0.3, max_detections=50),
    ),
}


def logit(probability: float) -> float:
    return float(np.log(probability / (1 - probability)))


def two_levels(**settings: float) -> Candidates:
    """Level 0: 3 moments, the last is padding. Level 1, stride 2: 1 moment. 2 classes."""
    logits = [
        torch.tensor([[logit(0.6), -20.0], [logit(0.3), logit(0.8)], [9.0, 9.0]]),
        torch.tensor([[-20.0, logit(0.4)]]),
    ]
    offsets = [torch.tensor([[1.0, 2.0], [0.5, 0.0], [1.0, 1.0]]), torch.tensor([[1.5, 3.0]])]
    valid = [torch.tensor([True, True, False]), torch.tensor([True])]
    return decode(logits, offsets, valid, (1, 2), DecodingSettings(**settings))


def test_decodes_by_hand() -> None:
    candidates = two_levels()
    assert_allclose(candidates.scores, [0.8, 0.6, 0.3, 0.4], rtol=1e-6)
    assert_allclose(candidates.segments, [[0.5, 1], [-1.0, 2], [0.5, 1], [-3.0, 6]])
    assert candidates.labels.tolist() == [1, 0, 0, 1]
    assert candidates.levels.tolist() == [0, 0, 0, 1]
    assert candidates.moments.tolist() == [1, 0, 1, 0]


def test_thresholds() -> None:
    assert_allclose(two_levels(min_probability=0.5).scores, [0.8, 0.6], rtol=1e-6)
    assert_allclose(two_levels(top_k=1).scores, [0.8, 0.4], rtol=1e-6)
    assert_allclose(two_levels(min_length=0.5).scores, [0.6, 0.4], rtol=1e-6)
    nothing = two_levels(min_probability=0.9)
    assert nothing.segments.shape == (0, 2)
    assert len(suppress(*nothing[:3], SuppressionSettings()).scores) == 0


def test_equals_a_plain_loop() -> None:
    torch.manual_seed(0)
    shapes, strides, settings = [(12, 3), (6, 3)], (1, 2), DecodingSettings(min_probability=0.4, top_k=7)
    logits = [torch.randn(shape) for shape in shapes]
    offsets = [torch.rand(length, 2) * 3 for length, _ in shapes]
    valid = [torch.rand(length) > 0.3 for length, _ in shapes]
    expected = []
    for level, stride in enumerate(strides):
        found = []
        for moment in range(len(valid[level])):
            for label in range(3):
                score = float(logits[level][moment, label].sigmoid())
                start, end = (moment + offsets[level][moment] * torch.tensor([-1, 1])) * stride
                if valid[level][moment] and score > 0.4:
                    found.append((score, float(start), float(end), label, level))
        best = sorted(found, reverse=True)[:7]
        expected += [row for row in best if row[2] - row[1] > settings.min_length]
    segments, scores, labels, levels, *_ = decode(logits, offsets, valid, strides, settings)
    actual = np.column_stack((scores, segments, labels, levels))
    assert_allclose(actual, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", list(SETTINGS))
def test_equals_the_published_detections(name: str, shared: Path) -> None:
    folder = shared / "parity" / name
    with np.load(folder / "inference.npz") as stored:
        numbers = dict(stored)
    decoding, suppression = SETTINGS[name]
    for case in json.loads((folder / "cases.json").read_text()):
        i = case["index"]
        levels = range(sum(key.startswith(f"{i}.level") and key.endswith(".logits") for key in numbers))
        logits, offsets, masks = (
            [torch.from_numpy(numbers[f"{i}.level{level}.{what}"]) for level in levels]
            for what in ("logits", "offsets", "mask")
        )
        candidates = decode(logits, offsets, masks, [2**level for level in levels], decoding)
        kept = suppress(candidates.segments, candidates.scores, candidates.labels, suppression)
        grid = TimeGrid(case["fps"], case["feat_stride"], case["num_frames"])
        seconds = grid.to_seconds(np.asarray(kept.segments, np.float64)).clip(0, case["duration"])
        expected = [numbers[f"{i}.{what}"] for what in ("segments", "scores", "labels")]
        assert len(kept.scores) == len(expected[1])
        assert_paired((seconds, kept.scores, kept.labels), expected)


def assert_paired(found: tuple[np.ndarray, ...], expected: list[np.ndarray]) -> None:
    """Every detection has its own partner: same label, ends to 1e-3 s, score to 1e-5."""
    free = np.ones(len(expected[1]), dtype=bool)
    for segment, score, label in zip(*found, strict=True):
        near = (np.abs(expected[0] - segment) < 1e-3).all(axis=1) & (np.abs(expected[1] - score) < 1e-5)
        partners = np.flatnonzero(free & near & (expected[2] == label))
        assert partners.size, f"no partner for {segment}, score {score}, label {label}"
        free[partners[0]] = False


def test_fusion_by_hand() -> None:
    segments = [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]
    fused = fuse(segments, [0.1, 0.9, 0.4], [0.0, 0.64, 0.16], FusionSettings(max_proposals=2))
    assert fused.index.tolist() == [1, 2, 1, 2]
    assert fused.labels.tolist() == [1, 1, 2, 2]
    assert_allclose(fused.scores, np.sqrt([0.9 * 0.64, 0.4 * 0.64, 0.9 * 0.16, 0.4 * 0.16]), rtol=1e-6)
    assert_array_equal(fused.segments, np.array(segments)[[1, 2, 1, 2]])


def test_fusion_by_the_product_orders_alike() -> None:
    given = [[0.0, 1.0], [2.0, 3.0]], [0.1, 0.9], [0.64, 0.16]
    fused, rooted = (fuse(*given, FusionSettings(score=how)) for how in ("product", "root"))
    assert_allclose(fused.scores, [0.576, 0.144, 0.064, 0.016], rtol=1e-6)
    assert fused.index.tolist() == rooted.index.tolist() == [1, 1, 0, 0]


def test_fusion_of_nothing() -> None:
    fused = fuse(np.empty((0, 2)), [], [0.2, 0.8])
    assert fused.segments.shape == (0, 2)


@pytest.mark.parametrize("class_scores", [[[0.5]], [np.nan, 1], [-1, 1]])
def test_fusion_refuses_broken_class_scores(class_scores: object) -> None:
    with pytest.raises(InputError, match="class scores"):
        fuse([[0, 1]], [0.5], class_scores)


def refined(*rows: tuple[float, float]) -> Candidates:
    """Candidates of score 0.5 whose reported segments are a step later."""
    segments = torch.tensor(rows, dtype=torch.float64).view(-1, 2)
    nothing = torch.zeros(len(segments), dtype=torch.int64)
    return Candidates(segments, torch.full((len(segments),), 0.5), nothing, nothing, nothing, segments + 1)


def test_what_is_reported_goes_with_its_candidate() -> None:
    found = refined((0, 4), (6, 9))
    assert found.chosen(torch.tensor([1])).reported.tolist() == [[7, 10]]
    assert found.chosen(torch.tensor([True, False])).reported.tolist() == [[1, 5]]
    later = found.moved(10.0)
    assert (later.segments.tolist(), later.reported.tolist()) == ([[10, 14], [16, 19]], [[11, 15], [17, 20]])
    plain = found._replace(refined=None)
    assert plain.moved(1.0).refined is plain.chosen(torch.tensor([0])).refined is None
    assert plain.reported is plain.segments


def test_candidates_are_joined_with_what_they_report() -> None:
    found, plain = refined((0, 4)), refined((6, 9))._replace(refined=None)
    assert Candidates.joined([found, plain]).reported.tolist() == [[1, 5], [6, 9]]
    assert Candidates.joined([plain, plain]).refined is None
