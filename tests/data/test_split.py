import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actionformer.core.annotations import AnnotatedVideo, Annotations
from actionformer.core.errors import InputError
from actionformer.data.split import HELD_OUT, allot, folds, split, with_held_out

NAMES = ("jump", "run", "swim")


def annotated(*labels: list[int], groups: str = "") -> Annotations:
    """Videos a, b, ... of classes; a letter of `groups` is the group of each."""
    videos = {}
    for place, own in enumerate(labels):
        id_ = chr(ord("a") + place)
        segments = np.array([[2.0 * i, 2.0 * i + 1] for i in range(len(own))]).reshape(-1, 2)
        group = groups[place] if groups else None
        videos[id_] = AnnotatedVideo(id_, "training", 99.0, None, segments, np.array(own, np.int64), group)
    return Annotations(videos, NAMES)


def test_a_quarter_of_four_with_the_class_that_two_have() -> None:
    """Of four videos one is held out; the two that run cannot be on one side, so it is one of these."""
    found = split(annotated([0], [0], [0, 1], [0, 1]), 0.25, seed=0)
    assert found.held_out in (("c",), ("d",))
    assert found.trained == tuple(id_ for id_ in "abcd" if id_ not in found.held_out)
    assert found.one_sided == ()
    assert str(found) == "1 of 4 videos"


def test_a_class_of_one_video_is_told() -> None:
    found = split(annotated([0], [0], [0], [0, 2]), 0.25, seed=0)
    assert found.one_sided == ("swim",)
    assert found.held_out != ("d",)  # what there is one example of is learned


def test_groups_stay_together() -> None:
    data = annotated(*[[0, 1]] * 8, groups="xxyyzzww")
    for seed in range(5):
        found = split(data, 0.25, seed=seed)
        assert found.held_out in (("a", "b"), ("c", "d"), ("e", "f"), ("g", "h"))


def test_seeds_decide() -> None:
    data = annotated(*[[0, 1]] * 12)
    assert split(data, 0.25, seed=3) == split(data, 0.25, seed=3)
    assert len({split(data, 0.25, seed=seed).held_out for seed in range(8)}) > 1


def test_folds_hold_each_video_out_once() -> None:
    found = folds(annotated(*[[0], [1], [0, 1]] * 4), 4, seed=0)
    assert len(found) == 4
    assert sorted(id_ for one in found for id_ in one.held_out) == list("abcdefghijkl")
    assert [one.one_sided for one in found] == [()] * 4
    two = folds(annotated([0], [0]), 2, seed=0)
    assert sorted(one.held_out for one in two) == [("a",), ("b",)]


@pytest.mark.parametrize("share", [0.0, 1.0, -0.5, 25.0, float("nan")])
def test_what_is_no_share(share: float) -> None:
    with pytest.raises(InputError, match=r"validation: expected a share between 0 and 1, such as 0\.25"):
        split(annotated([0], [0]), share, seed=0)


def test_too_few_to_split() -> None:
    with pytest.raises(InputError, match="1 video cannot be split into 2 parts"):
        split(annotated([0]), 0.25, seed=0)
    with pytest.raises(InputError, match="2 video groups cannot be split into 3 parts"):
        folds(annotated([0], [0], [0], groups="xxy"), 3, seed=0)
    assert len(split(annotated([0], [0], groups="xx"), 0.25, seed=0).held_out) == 1, "one group of all is divided"
    with pytest.raises(InputError, match="2 videos cannot be split into 3 parts"):
        folds(annotated([0], [1]), 3, seed=0)
    with pytest.raises(InputError, match="folds: expected 2 or more, found 1"):
        folds(annotated([0], [1]), 1, seed=0)


def test_held_out_videos_change_their_subset_alone() -> None:
    moved = with_held_out(annotated([0], [1]), ["b", "nowhere"])
    assert [video.subset for video in moved.videos.values()] == ["training", HELD_OUT]
    assert moved.videos["b"].labels.tolist() == [1]


@given(
    st.lists(st.lists(st.integers(0, 3), min_size=3, max_size=3), min_size=3, max_size=10),
    st.integers(2, 3),
    st.integers(0, 5),
)
def test_every_part_has_something_and_classes_of_enough_videos(rows: list[list[int]], parts: int, seed: int) -> None:
    counts = np.array([[*row, 1] for row in rows], dtype=float)
    shares = np.full(parts, 1 / parts)
    found = allot(counts, shares, np.random.default_rng(seed))
    assert set(found.tolist()) == set(range(parts))
    sizes = np.bincount(found)
    assert sizes.sum() == len(rows)
    held = counts.astype(bool)
    everywhere = held.all(axis=0)
    for column in np.flatnonzero(everywhere):
        assert all(held[found == part, column].any() for part in range(parts))


def test_rare_classes_are_on_all_sides_of_large_data() -> None:
    rng = np.random.default_rng(0)
    counts = np.concatenate([rng.random((200, 30)) < 0.02, np.ones((200, 1))], axis=1).astype(float)
    found = allot(counts, np.array([0.25, 0.75]), np.random.default_rng(0))
    enough = (counts > 0).sum(axis=0) >= 2
    held, rest = (counts[found == part].sum(axis=0) for part in (0, 1))
    assert ((held > 0) & (rest > 0))[enough].all()
    assert abs(held[-1] - 50) <= 5
