"""Suppression inside a graph keeps what `suppress` keeps."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from actionformer.inference.settings import SuppressionSettings
from actionformer.inference.suppression import suppress
from actionformer.standalone.ranking import NONE, Ranked
from actionformer.standalone.suppression import suppressed

METHODS: list[dict[str, Any]] = [
    {},
    {"per_class": False},
    {"sigma": 0.9, "min_score": 0.2, "max_detections": 5},
    {"soft_from": 0.4, "soft_from_width": 0.5, "per_class": False},
    {"method": "hard", "tiou_threshold": 0.4},
    {"method": "hard", "tiou_threshold": 0.0, "per_class": False, "min_score": 0.3},
    {"method": "none", "max_detections": 7},
]


def drawn(count: int, seed: int, *, ties: bool) -> Ranked:
    rng = np.random.default_rng(seed)
    start = rng.integers(0, 40, (2, count)) if ties else rng.uniform(0, 40, (2, count))
    segments = np.stack((start, start + rng.integers(1, 9, (2, count))), axis=-1)
    scores = rng.integers(1, 6, (2, count)) / 5 if ties else rng.uniform(0.01, 1, (2, count))
    scores[1, count // 2 :] = NONE
    labels = torch.from_numpy(rng.integers(0, 3, (2, count)))
    return Ranked(torch.from_numpy(segments).float(), torch.from_numpy(scores).float(), labels)


@pytest.mark.parametrize("settings", METHODS, ids=str)
@given(count=st.integers(1, 60), seed=st.integers(0, 999), ties=st.booleans())
def test_a_graph_keeps_what_suppress_keeps(settings: dict[str, Any], count: int, seed: int, ties: bool) -> None:
    chosen, lengths = SuppressionSettings(**settings), [50, 40]
    found = drawn(count, seed, ties=ties and chosen.method != "soft")  # decay rounds equal scores apart
    most = torch.tensor([chosen.max_detections, 3])
    kept = suppressed(found, torch.tensor(lengths), most, chosen.max_detections + 1, chosen)
    for row, length in enumerate(lengths):
        there = found.scores[row] > 0
        segments, scores, labels = (one[row][there].numpy() for one in found)
        limited = chosen.model_copy(update={"max_detections": int(most[row])}).in_steps(length)
        expected = suppress(segments, scores, labels, limited)
        count = len(expected.scores)
        assert not kept.scores[row][count:].any()
        np.testing.assert_array_equal(kept.labels[row][:count], expected.labels)
        np.testing.assert_array_equal(kept.segments[row][:count], expected.segments)
        np.testing.assert_allclose(kept.scores[row][:count], expected.scores, rtol=1e-5)


def test_nothing_is_kept_of_nothing() -> None:
    nothing = drawn(5, 0, ties=False)._replace(scores=torch.full((2, 5), NONE))
    kept = suppressed(nothing, torch.tensor([9, 9]), torch.tensor([3, 3]), 3, SuppressionSettings())
    assert kept.scores.shape == (2, 3)
    assert not kept.scores.any()
