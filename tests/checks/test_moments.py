"""Classes that no moment learns are found by the rule of training itself."""

from typing import Any

import numpy as np
import torch
from featured import featured
from hypothesis import given
from hypothesis import strategies as st

from actionformer.checks.findings import Finding
from actionformer.checks.moments import check_moments
from actionformer.config import Config
from actionformer.data.dataset import TrainingSet, place_on_grid
from actionformer.segments import TimeGrid
from actionformer.training.targets import answering, assign_batch

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
        "16 of 16 actions are learned by no moment of the pyramid, they are at most 0.2 s long; "
        "features lie up to 1 s apart: extract them with a smaller stride"
    )


def test_a_class_between_two_moments() -> None:
    (finding,) = findings([[*BLINKS, [20, 25]]], [[0] * 8 + [1]])
    assert (finding.severity, finding.count, finding.total) == ("warning", 1, 2)
    assert "blink (8 actions, at most 0.2 s long)" in finding.example


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
    assert "walk (1 actions" in finding.example
    assert "hidden by shorter actions" in finding.advice


@given(
    st.lists(st.tuples(st.floats(-1, 60), st.floats(0.1, 60)), max_size=8),
    st.sampled_from([None, 1.5, 0.4]),
)
def test_counts_are_those_of_the_targets(actions: list[tuple[float, float]], radius: float | None) -> None:
    segments = torch.tensor([[start, start + length] for start, length in actions]).reshape(-1, 2)
    rule: dict[str, Any] = {"strides": (1, 2, 4), "ranges": ((0, 4), (4, 8), (8, 1000)), "center_radius": radius}
    labels = torch.arange(len(segments))
    targets = assign_batch([segments], [labels], [50], padded_length=50, num_classes=max(len(segments), 1), **rule)
    expected = targets.classes[0].sum(0).numpy()[: len(segments)]
    np.testing.assert_array_equal(answering(segments, 50, **rule).numpy(), expected)
