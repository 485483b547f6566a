"""Stride and clip, worked by hand."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from actionformer.advice.sampling import sampling


def backbone(weights: str | None = None) -> Any:
    return SimpleNamespace(name="some", stride=4, num_frames=16, weights_hash=weights)


@pytest.mark.parametrize(
    ("short", "stride", "num_frames"),
    [(10.0, 4, 8), (1.6, 4, 8), (1.59, 3, 6), (0.8, 2, 4), (0.5, 1, 2), (0.1, 1, 2)],  # at 15 frames a second
)
def test_short_actions_span_six_features(short: float, stride: int, num_frames: int) -> None:
    found = sampling(np.full(10, short), 15.0, backbone())
    assert (found.stride, found.num_frames) == (stride, num_frames)


def test_one_action_in_ten_may_be_shorter() -> None:
    assert sampling(np.array([0.1] + [2.0] * 19), 15.0, backbone()).stride == 4


def test_clips_of_learned_weights_stay_as_they_were_trained() -> None:
    found = sampling(np.full(10, 0.8), 15.0, backbone("abc"))
    assert (found.stride, found.num_frames) == (2, 16)
    assert found.num_frames_reason == "the clips that some was trained on"


def test_what_is_given_stays() -> None:
    found = sampling(np.full(10, 0.8), 15.0, backbone(), stride=3)
    assert (found.stride, found.num_frames, found.stride_reason) == (3, 6, "given")
    assert sampling(np.full(10, 0.8), 15.0, backbone(), num_frames=9).num_frames == 9


@pytest.mark.parametrize(
    ("short", "words"),
    [
        (0.8, "0.8 s or more and span 6 features"),
        (125.0, "125 s or more and span 469 features"),
        (0.1, "span 2 features"),
    ],
)
def test_the_reason_gives_length_and_features(short: float, words: str) -> None:
    assert words in sampling(np.full(10, short), 15.0, backbone()).stride_reason
    one = sampling(np.full(10, 0.1), 10.0, backbone())
    assert one.stride_reason == "90% of the actions last 0.1 s or more and span 1 feature"
