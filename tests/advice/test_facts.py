"""Facts of training videos."""

import numpy as np
import pytest

from actionformer.advice.facts import Facts
from actionformer.core.annotations import AnnotatedVideo
from actionformer.core.segments import TimeGrid
from actionformer.data.collection import FeaturedVideo
from actionformer.data.settings import DataSettings
from actionformer.features import Features, FeatureSpec


@pytest.mark.parametrize(("window", "sequences"), [(None, 1), (100, 2), (2000, 1)])
def test_sequences_are_those_that_training_sees(window: int | None, sequences: int) -> None:
    segments = np.array([[210.0, 240.0]])  # in two windows of 100 every 50; the other 17 have no action
    video = AnnotatedVideo("a", "training", 1000.0, None, segments, np.array([0]))
    featured = FeaturedVideo(video, Features((), (1000, 4)), TimeGrid(fps=1, stride=1, num_frames=1), FeatureSpec())
    data = DataSettings(window=window)
    facts = Facts.of([featured], data)
    assert (len(facts.sequences(data)), facts.steps.tolist(), facts.lengths.tolist()) == (sequences, [30.0], [1000])


def test_coverage_is_that_of_one_class() -> None:
    segments = np.array([[0.0, 40.0], [40.0, 70.0], [70.0, 90.0]])
    video = AnnotatedVideo("a", "training", 100.0, None, segments, np.array([0, 1, 0]))
    featured = FeaturedVideo(video, Features((), (100, 4)), TimeGrid(fps=1, stride=1, num_frames=1), FeatureSpec())
    assert Facts.of([featured], DataSettings()).coverage == pytest.approx(0.6)


def test_actions_of_resized_videos_have_the_length_they_are_seen_with() -> None:
    video = AnnotatedVideo("a", "training", 100.0, None, np.array([[10.0, 30.0]]), np.array([0]))
    featured = FeaturedVideo(video, Features((), (100, 4)), TimeGrid(fps=1, stride=1, num_frames=1), FeatureSpec())
    facts = Facts.of([featured], DataSettings(resize=50))
    assert (facts.steps.tolist(), facts.lengths.tolist()) == ([10.0], [50])
