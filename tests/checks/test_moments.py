"""Classes that no moment learns are found by the rule of training itself."""

from typing import Any

import numpy as np
import pytest
import torch
from featured import featured
from hypothesis import given
from hypothesis import strategies as st

from actionformer.checks.findings import Finding
from actionformer.checks.moments import check_moments
from actionformer.core.segments import TimeGrid
from actionformer.data.dataset import TrainingSet, place_on_grid
from actionformer.nn.assignment import answering, assign_batch
from actionformer.settings.config import Config

SECOND = TimeGrid(fps=30, stride=30, num_frames=30)
"""A feature a second; moments lie at 0.5, 1.5, ... s."""

BLINKS = [[k + 0.8, k + 1.0] for k in range(3, 50, 6)]


def findings(videos: Any, labels: Any = None, **changes: Any) -> list[Finding]:
    data = {"resize": changes.pop("resize", None)}
    config = Config().replace(model={"num_classes": 3, **changes}, data=data)
    placed = place_on_grid(featured(videos, labels, length=60, grid=SECOND), config.data.resize)
    training = TrainingSet(placed, data=config.data, max_length=config.model.max_length, seed=0)
    return check_moments(training, config, ("blink", "walk", "sleep"))


def test_actions_between_two_moments() -> None:
    (finding,) = findings([BLINKS, BLINKS])
    assert (finding.kind, finding.severity, finding.count, finding.total) == ("no_moment", "error", 16, 16)
    assert str(finding) == (
        "16 of 16 actions are learned by no moment of the pyramid (at most 0.2 s long); "
        "features lie up to 1 s apart: extract them with a smaller stride, --stride 3"
    )


def test_a_class_between_two_moments() -> None:
    (finding,) = findings([[*BLINKS, [20, 25]]], [[0] * 8 + [1]])
    assert (finding.severity, finding.count, finding.total) == ("warning", 1, 2)
    assert "blink (8 of 8, at most 0.2 s long)" in finding.example


def test_most_of_a_class_between_two_moments() -> None:
    found = findings([[*BLINKS, [40.4, 40.6], *[[20, 25]] * 300]], [[0] * 9 + [1] * 300])
    assert [finding.example for finding in found] == ["blink (8 of 9, at most 0.2 s long)"]


def test_short_actions_upon_a_moment_are_learned() -> None:
    assert findings([[[k + 0.4, k + 0.6] for k in range(10)]]) == []


def test_short_actions_may_be_a_part() -> None:
    (finding,) = findings([[*BLINKS, *([k + 0.4, k + 0.6] for k in range(10))]])
    assert (finding.kind, finding.severity, finding.count, finding.total) == ("no_moment", "warning", 8, 18)


def test_resized_sequences_are_looked_at_as_resized() -> None:
    upon = [[[k + 0.4, k + 0.6] for k in range(10)]]
    (finding,) = findings(upon, resize=6)
    assert finding.severity == "error"


def test_actions_beyond_the_last_level() -> None:
    ranges = [[0, 4], [4, 8], [8, 9], [8, 9], [8, 9], [8, 9]]
    (finding,) = findings([[[5, 50], [1, 4]]], [[2, 1]], regression_ranges=ranges)[:1]
    assert (finding.kind, finding.count, finding.total) == ("too_long", 1, 2)
    assert "sleep (1 of 1)" in finding.example
    assert findings([[[5, 50], [1, 4]]], [[2, 1]]) == []


def test_actions_that_only_crops_make_short_enough_are_learned() -> None:
    """Of 30 s a crop of 16 features shows at most 17, half of which the last level reaches."""
    ranges = [[0, 9]] * 6
    assert findings([[[5, 35]]], regression_ranges=ranges, max_length=16) == []
    assert findings([[[5, 35]]], regression_ranges=ranges)[0].severity == "error"


def test_class_hidden_by_shorter_actions() -> None:
    (finding,) = findings([[[10, 30], [10.1, 29.9]]], [[1, 0]])
    assert "walk (1 of 1, " in finding.example
    assert "hidden by shorter actions" in finding.advice


Actions = st.lists(st.tuples(st.floats(-1, 60), st.floats(0.1, 60)), max_size=8)


@given(Actions, Actions, st.sampled_from([None, 1.5, 0.4]))
def test_counts_are_those_of_the_targets(
    first: list[tuple[float, float]], second: list[tuple[float, float]], radius: float | None
) -> None:
    """Of two videos of 50 and 31 features; every action has a class of its own."""
    segments = [torch.tensor([[a, a + length] for a, length in one]).reshape(-1, 2) for one in (first, second)]
    rule: dict[str, Any] = {"strides": (1, 2, 4), "ranges": ((0, 4), (4, 8), (8, 1000)), "center_radius": radius}
    labels = [torch.arange(len(first)), len(first) + torch.arange(len(second))]
    count = len(first) + len(second)
    targets = assign_batch(segments, labels, [50, 31], padded_length=50, num_classes=max(count, 1), **rule)
    expected = (targets.classes * targets.valid[..., None]).sum((0, 1)).numpy()[:count]
    np.testing.assert_array_equal(answering(segments, [50, 31], **rule).numpy(), expected)


def test_videos_of_any_length_are_looked_at_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """In groups of one or of many, the findings are the same."""
    videos, labels = [[[20, 25], [1, 1.1]], BLINKS, [], [[30, 50]]], [[1, 2], [0] * 8, [], [2]]
    together = findings(videos, labels)
    monkeypatch.setattr("actionformer.checks.moments.AT_ONCE", 1)
    assert findings(videos, labels) == together
    assert [finding.count for finding in together] == [1, 1]  # blink, and the short one of sleep
