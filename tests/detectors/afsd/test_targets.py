"""Targets of AFSD, worked out by hand."""

from typing import Any

import torch

from actionformer.detectors.afsd.settings import AFSDSettings
from actionformer.detectors.afsd.targets import answering, targets_of
from actionformer.nn.assignment import GroundTruth

SETTINGS: dict[str, Any] = {"num_classes": 3, "width": 32, "levels": 2, "frames_per_feature": 2}
SEGMENTS = torch.tensor([[0.5, 6.5], [2.5, 4.5]])
"""In steps; with half a step more, from 1 to 7 and from 3 to 5 features, or 2 to 14 and 6 to 10 frames."""
LABELS = torch.tensor([0, 2])


def truth(segments: torch.Tensor, labels: torch.Tensor) -> GroundTruth:
    return GroundTruth([segments], [labels], [8], 8)


def test_the_shortest_action_around_a_moment_is_learned() -> None:
    """Moments lie at 1, 3, 5, ... frames on level 0, at 2, 6, 10, 14 on level 1; the ends of an action are inside."""
    found = targets_of(truth(SEGMENTS, LABELS), AFSDSettings(**SETTINGS), 0.5)
    assert found.labels.tolist() == [[0, 1, 1, 3, 3, 1, 1, 0, 1, 3, 3, 1]]
    assert found.distances[0, [0, 1, 3, 8, 10]].tolist() == [[0, 0], [1, 11], [1, 3], [0, 12], [4, 0]]


def test_bounds_leave_out_the_least_and_take_in_the_greatest() -> None:
    """In features: level 0 learns up to 2, 4 frames; level 1 what is above 2 and up to 5."""
    bounded = AFSDSettings(**SETTINGS, level_bounds=((0, 2), (2, 5)))
    found = targets_of(truth(SEGMENTS, LABELS), bounded, 0.5)
    assert found.labels.tolist() == [[0, 0, 0, 3, 3, 0, 0, 0, 0, 1, 1, 0]]
    assert answering([SEGMENTS], [8], bounded, 0.5).tolist() == [2, 2]


def test_boundaries_are_regions_of_a_tenth_and_at_least_two_frames() -> None:
    found = targets_of(truth(SEGMENTS, LABELS), AFSDSettings(**SETTINGS), 0.5).boundaries[0]
    assert found[:, 0].nonzero()[:, 0].tolist() == [1, 2, 3, 5, 6, 7]
    assert found[:, 1].nonzero()[:, 0].tolist() == [9, 10, 11, 13, 14, 15]


def test_a_sequence_without_actions_is_background() -> None:
    settings = AFSDSettings(**SETTINGS)
    found = targets_of(truth(torch.empty(0, 2), torch.empty(0, dtype=torch.int64)), settings, 0.5)
    assert not found.labels.any()
    assert not found.distances.any()
    assert not found.boundaries.any()
    assert answering([torch.empty(0, 2)], [8], settings, 0.5).tolist() == []


def test_how_many_moments_learn_counts_padding_up_to_the_last_level() -> None:
    """Of 7 features 8 are computed."""
    assert answering([SEGMENTS, SEGMENTS[:1]], [8, 7], AFSDSettings(**SETTINGS), 0.5).tolist() == [6, 4, 10]
