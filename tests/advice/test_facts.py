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
