"""How unsure models are, worked by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actionformer.core.calibration import Calibration, Reliability, ScoreCurve, Threshold
from actionformer.core.detections import Detections
from actionformer.inference.unsure import UNSURE, UnsureSpan, entropy, joined, probable, unsure_spans


def found(*rows: tuple[float, float, float, str]) -> Detections:
    """Detections of start, end, probability and class."""
    names = ("jump", "wave")
    return Detections(
        [row[:2] for row in rows], [row[2] for row in rows], np.array([names.index(row[3]) for row in rows], int), names
    )


def test_a_probability_is_worth_its_entropy() -> None:
    assert entropy([0.0, 0.25, 0.5, 1.0]).tolist() == pytest.approx([0, 0.811278, 1, 0], abs=1e-6)


def test_where_models_disagree_the_mean_of_theirs_is_unsure_and_each_is_sure() -> None:
    apart = UnsureSpan((0.0, 1.0), "jump", (1.0, 0.0))
    assert (apart.answers, apart.disagreement, apart.reason) == (1, 1, "models disagree: 0.00 to 1.00")
    agreed = UnsureSpan((0.0, 1.0), "jump", (0.5, 0.5))
    assert (agreed.answers, agreed.disagreement, agreed.reason) == (1, 0, "unsure: 0.50")
    between = UnsureSpan((0.0, 1.0), "jump", (0.25, 0.75))
    assert between.disagreement == pytest.approx(1 - 0.811278, abs=1e-6)


def test_detections_of_one_action_are_one_span_whichever_model_they_are_of() -> None:
    first = found((0.0, 4.0, 0.6, "jump"), (0.5, 4.0, 0.3, "jump"), (10.0, 11.0, 0.5, "jump"))
    second = found((0.0, 3.0, 0.8, "jump"), (0.0, 4.0, 0.7, "wave"))
    spans = {(span.segment, span.label): span.probabilities for span in joined([first, second])}
    assert spans == {
        ((0.0, 3.0), "jump"): (0.6, 0.8),  # of tIoU 0.75 and 0.625; the third is the first model's second best
        ((0.0, 4.0), "wave"): (0.0, 0.7),
        ((10.0, 11.0), "jump"): (0.5, 0.0),
    }


def test_the_least_sure_come_first_and_the_sure_not_at_all() -> None:
    spans = unsure_spans([found((0, 1, 0.95, "jump"), (2, 3, 0.7, "jump"), (4, 5, 0.45, "jump"), (6, 7, 0.1, "jump"))])
    assert [span.segment for span in spans] == [(4, 5), (2, 3)]


def test_a_calibration_says_what_scores_are_worth_and_without_one_the_shown_score_is_half() -> None:
    one = found((0, 1, 0.3, "jump"), (2, 3, 0.65, "jump"), (4, 5, 0.15, "wave"))
    assert probable(one, None).scores.tolist() == pytest.approx([0.75, 0.5, 0.25])
    threshold, nothing = Threshold(0.5, 1, 1, 1), Reliability((), (), ())
    curve = ScoreCurve((0.0, 1.0), (0.0, 0.5))
    calibration = Calibration(0.5, ("test",), 1, 1, curve, threshold, {}, nothing, nothing)
    assert probable(one, calibration).scores.tolist() == calibration.calibrated(one).scores.tolist()


SPANS = st.tuples(st.floats(0, 20), st.floats(0, 5), st.floats(0, 1), st.sampled_from(["jump", "wave"]))


@given(
    st.lists(
        st.lists(SPANS, max_size=6).map(lambda rows: found(*[(a, a + b, p, c) for a, b, p, c in rows])),
        min_size=1,
        max_size=3,
    )
)
def test_every_detection_counts_once_at_most_and_none_is_lost(models: list[Detections]) -> None:
    spans = joined(models)
    assert len(spans) <= sum(map(len, models))
    assert bool(spans) == any(map(len, models))
    for span in spans:
        assert len(span.probabilities) == len(models)
        assert 0 <= span.disagreement <= span.answers <= 1
    best = max((float(one.scores[0]) for one in models if len(one)), default=0.0)
    assert max((max(span.probabilities) for span in spans), default=0.0) == best
    assert all(span.answers >= UNSURE for span in unsure_spans(models))
