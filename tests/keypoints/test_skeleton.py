import numpy as np
import pytest

from actionformer.core.errors import InputError
from actionformer.keypoints.skeleton import Skeleton, chosen_ends
from actionformer.keypoints.tracks import Tracks, believed

GONE = float("nan")


def tracks(places: object, points: tuple[str, ...], animals: tuple[str, ...] = ("",), least: float = 0.5) -> Tracks:
    return Tracks(animals, points, np.array(places, np.float32), least)


@pytest.mark.parametrize(
    ("points", "origin", "end"),
    [
        ("nose left_eye left_shoulder right_shoulder left_hip right_hip", "left_hip right_hip",
         "left_shoulder right_shoulder"),
        ("LHip RHip Neck", "LHip RHip", "Neck"),
        ("snout leftear rightear spine1 tailbase tailend", "tailbase", "leftear rightear"),
        ("Ear_left Ear_right Nose Center Tail_base Tail_end", "Tail_base", "Ear_left Ear_right"),
        ("head thorax abdomen", "abdomen", "thorax"),
        ("nose center", "center", "nose"),
        ("mid_hip neck", "mid_hip", "neck"),
    ],
)  # fmt: skip
def test_names_tell_hips_and_shoulders(points: str, origin: str, end: str) -> None:
    assert chosen_ends(points.split()) == (tuple(origin.split()), tuple(end.split()))


@pytest.mark.parametrize("points", ["a b", "hip knee", "thorax", "left_hip nose"])
def test_names_that_do_not_tell(points: str) -> None:
    assert chosen_ends(points.split()) is None


def test_a_skeleton_is_written_as_it_is_read() -> None:
    text = "left_hip+right_hip/neck/2/left_hip,right_hip,neck"
    assert str(Skeleton.parsed(text)) == text
    assert Skeleton.parsed("") == Skeleton()
    assert Skeleton.parsed("a/b") == Skeleton(("a",), ("b",))
    assert not Skeleton.parsed("a/b/2").complete


@pytest.mark.parametrize("text", ["tail", "a/b/c", "a/b/0", "a//2", "a/b/1/c/d"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"keypoints:.*(expected ORIGIN/END|no number of animals)"):
        Skeleton.parsed(text)


def test_what_is_open_is_chosen() -> None:
    seen = np.ones((20, 3, 2, 3))
    seen[1:, 2] = GONE  # the third animal is seen in one frame of twenty
    found = Skeleton().fitted(tracks(seen, ("nose", "tailbase"), ("a", "b", "c")), "f.csv")
    assert str(found) == "tailbase/nose/2/nose,tailbase"
    assert found.fitted(tracks(seen[:, :1], ("tailbase", "nose")), "g.csv") == found


def test_points_that_are_farthest_apart_are_said() -> None:
    line = [[[[0, 0, 1], [5, 0, 1], [9, 0, 1]]]]
    with pytest.warns(UserWarning, match=r"f\.csv: .* from p to r, which are farthest apart; .* keypoints:ORIGIN/END"):
        found = Skeleton().fitted(tracks(line, ("p", "q", "r")), "f.csv")
    assert (found.origin, found.end) == (("p",), ("r",))


@pytest.mark.parametrize(
    ("skeleton", "points", "message"),
    [
        ("", ("a",), r"f: has 1 point, expected two at least"),
        ("", ("a/b", "c"), r"f: a point is called 'a/b': use names without / , \+"),
        ("tail/nose", ("nose", "tailbase"), r"f: no point 'tail'"),
    ],
)
def test_skeletons_that_do_not_fit(skeleton: str, points: tuple[str, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Skeleton.parsed(skeleton).fitted(tracks(np.ones((2, 1, len(points), 3)), points), "f")


def test_nothing_seen_is_an_error() -> None:
    with pytest.raises(InputError, match="f: no point is seen in any frame"):
        Skeleton.parsed("a/b").fitted(tracks(np.full((2, 1, 2, 3), GONE), ("a", "b")), "f")
    with pytest.raises(InputError, match="f: no two points are seen together"):
        Skeleton().fitted(tracks(np.full((2, 1, 2, 3), GONE), ("a", "b")), "f")


def test_points_that_are_not_believed_are_not_seen() -> None:
    places = np.array([[1, 2, 0.9], [1, 2, 0.4], [1, GONE, 0.9], [1, 2, GONE], [GONE, GONE, GONE]], np.float32)
    expected = [[1, 2, 0.9], [GONE, GONE, 0.4], [GONE, GONE, 0.9], [1, 2, 1], [GONE, GONE, 0]]
    np.testing.assert_array_equal(believed(places, 0.5), np.array(expected, np.float32))


def test_animals_that_are_seen_most_are_taken_and_the_rest_is_said() -> None:
    skeleton = Skeleton.parsed("b/a/2/a,b")
    places = np.ones((10, 3, 2, 3))
    places[2:, 0] = GONE
    found, notes = skeleton.places(tracks(places, ("b", "a"), ("x", "y", "z")), "f")
    assert found.shape == (10, 2, 2, 3)
    assert np.isfinite(found).all()
    assert notes == ["x of its animals are left out: those that are seen most are taken"]
    alone, notes = skeleton.places(tracks(places[:, :1], ("a", "b")), "f")
    assert np.isnan(alone[:, 1, :, :2]).all()
    assert (alone[:, 1, :, 2] == 0).all()
    assert notes == [
        "shows 1 animal of 2 that are expected: the rest count as not seen",
        "80% of its points are missing or of a confidence below 0.5: not seen",
    ]
    with pytest.raises(InputError, match="f: no point 'a'"):
        skeleton.places(tracks(places, ("b", "c")), "f")
