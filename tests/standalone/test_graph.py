"""The graph of a whole detector gives what the detector does, step by step."""

import numpy as np
import pytest
import torch
from variants import lively_detector

from actionformer.inference.sequences import known_grid
from actionformer.settings.config import Config
from actionformer.standalone.graph import DetectionGraph


@pytest.mark.parametrize("resize", [None, 40])
@torch.no_grad()
def test_candidates_reach_as_far_as_in_the_detector(resize: int | None, tiny: Config) -> None:
    """Suppression judges them by that, and of a window others go on."""
    detector = lively_detector(tiny, data={"resize": resize})
    features = np.random.default_rng(0).standard_normal((40, 6)).astype(np.float32)
    grid = None if resize else known_grid(detector.card.features)
    graph = DetectionGraph(detector, grid, suppress=False)
    segments, scores, _ = (one[0] for one in graph(torch.from_numpy(features)[None], torch.ones(1, 40).bool()))

    sequence = detector.placed(features, {})
    (candidates,) = detector.runner.run([sequence]).candidates()
    expected = sequence.grid.to_seconds(candidates.segments.numpy()) / (sequence.duration if resize else 1)
    assert expected.min() < 0
    np.testing.assert_allclose(segments[scores > 0], expected, atol=1e-4)
