import numpy as np

from actionformer.core.detections import Detections
from actionformer.recipes.wanted import Wanted

FOUND = Detections(
    np.array([[0, 10], [8, 20], [2, 9]], dtype=float), np.array([0.9, 0.5, 0.2]), np.array([0, 1, 1]), ("jump", "run")
)


def test_what_is_not_shown_takes_no_time_from_what_is() -> None:
    wanted = Wanted(FOUND.class_names, ["run"], min_score=0.1, overlap="none")
    assert wanted(FOUND).segments.tolist() == [[8, 20], [2, 8]]
    all_classes = Wanted(FOUND.class_names, for_people=True, overlap="none")
    assert all_classes(FOUND).segments.tolist() == [[0, 10], [10, 20]]
    assert all_classes.left_out == "1 more score below 0.3 and are left out, --min-score 0 shows them"


def test_people_see_less_in_an_overlay_than_a_file_holds() -> None:
    wanted = Wanted(FOUND.class_names, drawn=True)
    assert len(wanted(FOUND)) == 3
    assert len(wanted.drawn(FOUND)) == 2
    assert (wanted.left_out, wanted.nothing) == (None, None)


def test_what_is_told_when_nothing_is_looked_at() -> None:
    low = FOUND[2:]
    for drawn, told in (
        (True, "warning: nothing scores 0.3 or more, the best is 0.20: lower --min-score"),
        (False, None),
    ):
        wanted = Wanted(FOUND.class_names, drawn=drawn)
        wanted(low)
        assert wanted.nothing == told
    asked = Wanted(FOUND.class_names, min_score=0.4)
    asked(low)
    assert asked.nothing == "nothing scores 0.4 or more, the best is 0.20: lower --min-score"
