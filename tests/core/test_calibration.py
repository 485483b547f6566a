from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actionformer.core.calibration import Calibration, Reliability, ScoreCurve, Threshold
from actionformer.core.detections import Detections
from actionformer.core.errors import InputError

CURVE = ScoreCurve((0.1, 0.5, 0.6), (0.0, 0.8, 0.8))
NOTHING = Reliability((), (), ())
CALIBRATION = Calibration(
    tiou=0.5,
    subset=("validation",),
    videos=3,
    actions=30,
    curve=CURVE,
    overall=Threshold(0.4, 30, 20, 15),
    classes={"jump": Threshold(0.7, 25, 10, 8), "run": Threshold(0.4, 5, 10, 7, own=False)},
    before=NOTHING,
    after=NOTHING,
)
STEPS = st.lists(st.integers(0, 1000), min_size=1, max_size=8, unique=True).map(
    lambda some: sorted(x / 1000 for x in some)
)


def test_a_score_is_worth_what_lies_between_its_neighbours() -> None:
    np.testing.assert_allclose(CURVE.probability([0.0, 0.1, 0.3, 0.5, 1.0]), [0.0, 0.0, 0.4, 0.8, 0.8], atol=1e-3)


@given(STEPS, st.data())
def test_the_order_of_scores_stays_and_every_probability_leads_back(scores: Any, data: st.DataObject) -> None:
    shares = sorted(data.draw(st.lists(st.floats(0, 1), min_size=len(scores), max_size=len(scores))))
    curve = ScoreCurve(tuple(scores), tuple(shares))
    given_scores = np.linspace(0, 1, 101)
    worth = curve.probability(given_scores)
    assert (np.diff(worth) > 0).all()
    assert worth.min() >= 0
    assert worth.max() <= 1
    assert [curve.score(one) for one in worth] == pytest.approx(given_scores.tolist(), abs=1e-6)


def test_scores_above_1_keep_their_order_up_to_the_highest_of_the_curve() -> None:
    curve = ScoreCurve((0.5, 1.5, 2.5), (0.2, 0.8, 0.8))
    given_scores = np.linspace(0, 2.5, 26)
    worth = curve.probability(given_scores)
    assert (np.diff(worth) > 0).all()
    np.testing.assert_allclose(curve.probability([0.5, 1.0, 2.5, 9.0]), [0.2, 0.5, 0.8, 0.8], atol=1e-3)
    assert [curve.score(one) for one in worth] == pytest.approx(given_scores.tolist(), abs=1e-6)


@pytest.mark.parametrize(
    ("scores", "probabilities"),
    [
        ((), ()),
        ((0.1,), (0.1, 0.2)),
        ((0.2, 0.1), (0.1, 0.2)),
        ((0.1, 0.2), (0.2, 0.1)),
        ((0.1,), (1.5,)),
        ((0.1,), (np.nan,)),
        ((-0.1,), (0.5,)),
        ((np.inf,), (0.5,)),
    ],
)
def test_what_is_no_curve_is_refused(scores: Any, probabilities: Any) -> None:
    with pytest.raises(InputError, match="curve"):
        ScoreCurve(scores, probabilities)


def test_thresholds_are_found_by_name_and_unknown_classes_have_that_of_all() -> None:
    assert CALIBRATION.thresholds(("run", "jump", "fall")).tolist() == [0.4, 0.7, 0.4]


def test_calibrated_detections_are_the_same_in_the_same_order() -> None:
    found = Detections(
        np.array([[0, 1], [2, 3], [4, 5]]), np.array([0.6, 0.5, 0.3]), np.array([0, 1, 0]), ("jump", "run")
    )
    calibrated = CALIBRATION.calibrated(found)
    np.testing.assert_allclose(calibrated.scores, [0.8, 0.8, 0.4], atol=1e-3)
    assert calibrated.segments.tolist() == found.segments.tolist()


def test_figures_of_a_threshold() -> None:
    one = Threshold(0.5, actions=10, shown=8, right=6)
    assert (one.precision, one.recall, one.f1) == (0.75, 0.6, 12 / 18)
    assert Threshold(0.5, 0, 0, 0).f1 == Threshold(0.5, 0, 0, 0).precision == 0


def test_the_error_is_the_mean_distance_weighted_by_detections() -> None:
    assert Reliability((0.2, 0.9), (0.1, 0.5), (3, 1)).error == pytest.approx((3 * 0.1 + 0.4) / 4)
    assert NOTHING.error == 0
