import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actionformer.core.annotations import AnnotatedVideo, Annotations
from actionformer.data.groups import groups_of, shared_part, with_others
from actionformer.formats.annotations import read_annotations


def annotated(*ids: str, **groups: str) -> Annotations:
    """Videos without actions, of stated groups where `groups` has their id."""
    nothing, none = np.empty((0, 2)), np.empty(0, np.int64)
    videos = {id_: AnnotatedVideo(id_, "training", 9.0, None, nothing, none, groups.get(id_)) for id_ in ids}
    return Annotations(videos, ("jump",))


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (
            "subject01_run1 subject01_run2 subject02_run1 subject02_run2 subject03_a subject03_b",
            "subject01 subject02 subject03",
        ),
        ("P03_12 P03_13 P04_1 P04_2 P05_1 P05_7", "P03 P04 P05"),
        ("S1_Coffee_C1 S1_Tea_C1 S2_Coffee_C1 S2_Tea_C1 S3_Tea_C1 S3_Coffee_C1", "S1 S2 S3"),
        ("exp01_user01 exp02_user01 exp03_user02 exp04_user02 exp05_user03 exp06_user03", "user01 user02 user03"),
        ("rgb-01-1 rgb-01-2 rgb-02-1 rgb-02-2 rgb-03-1 rgb-03-2", "01 02 03"),
    ],
)
def test_ids_that_tell_who_it_is(ids: str, expected: str) -> None:
    found = shared_part(ids.split())
    assert found is not None
    assert found == [name for name in expected.split() for _ in range(2)]


@pytest.mark.parametrize(
    "ids",
    [
        "walk_01 walk_02 walk_03 run_01 run_02 run_03",  # the first part is a class, the second counts its videos
        "video_validation_0000051 video_validation_0000052 video_validation_0000053",  # every number is one video
        "v_--0edUL8zmA v_0dkIbKXXFzI v_ab_cd12345 v_xy_12",  # parts of random ids
        "P01_1 P01_2 P02_1 P02_2",  # two groups: half of the data each
        "a b c d",
        "s1_x s1_y s2_x s2_y s3_x t3_y",  # not the same letters
        "",
    ],
)
def test_ids_that_tell_nothing(ids: str) -> None:
    assert shared_part(ids.split()) is None


def test_stated_groups_count_before_ids() -> None:
    ids = ["P1_a", "P1_b", "P2_a", "P2_b", "P3_a", "P3_b"]
    guessed = groups_of(annotated(*ids))
    assert guessed.guessed
    assert str(guessed) == "videos of one group stay together: 3 groups by the part of their ids that is 'P1' in 'P1_a'"
    stated = groups_of(annotated(*ids, P1_a="x", P2_a="x"))
    assert not stated.guessed
    assert stated.of["P1_a"] == stated.of["P2_a"]
    assert len(set(stated.of.values())) == 5  # those without a group are alone
    assert groups_of(annotated("a", "b")).by is None


def test_some_videos_have_the_groups_that_all_tell() -> None:
    ids = ["P1_a", "P1_b", "P2_a", "P2_b", "P3_a", "P3_b"]
    found = groups_of(annotated(*ids))
    some = ["P3_a", "P1_a", "P3_b"]  # of themselves they would tell nothing
    assert (found.among(ids), found.among(some), groups_of(annotated(*some)).among(some)) == (3, 2, 0)
    assert found.numbers(some).tolist() == [1, 0, 1]
    assert found.numbers(some, least=3).tolist() == [1, 0, 2], "too few: in the order of their ids"
    assert found.numbers(["P1_b", "P1_a"]).tolist() == [1, 0], "one group tells nothing of others"


def test_one_group_of_all_tells_no_video_from_another() -> None:
    found = groups_of(annotated("a", "b", "c", a="x", b="x", c="x"))
    assert found.one
    assert found.of == {"a": "a", "b": "b", "c": "c"}
    assert found.among(["a", "b"]) == 1


def test_a_group_cannot_be_taken_for_a_video() -> None:
    of = groups_of(annotated("a", "b", "c", a="b")).of
    assert len(set(of.values())) == 3


@given(st.lists(st.text("abS01_-", min_size=1, max_size=8), unique=True, max_size=12))
def test_a_shared_part_is_in_the_id_and_tells_groups(ids: list[str]) -> None:
    found = shared_part(ids)
    if found is not None:
        assert all(part in id_ for part, id_ in zip(found, ids, strict=True))
        assert 3 <= len(set(found)) <= len(ids) / 2


@pytest.mark.parametrize(("data", "groups"), [("hapt", 30), ("gtea", 4), ("salads", 25)])
def test_people_of_real_data(shared: Path, data: str, groups: int) -> None:
    text = (shared / "data" / data / "annotations.json").read_text("utf-8")
    found = shared_part(list(json.loads(text)["database"]))
    assert found is not None
    assert len(set(found)) == groups


def test_a_field_of_the_annotations(tmp_path: Path) -> None:
    path = tmp_path / "annotations.json"
    path.write_text(
        '{"database": {"a": {"subset": "training", "group": "x"}, "b": {"subset": "training", "subject": 3},'
        ' "c": {"subset": "training"}}}',
        "utf-8",
    )
    assert [video.group for video in read_annotations(path).videos.values()] == ["x", "3", None]


def shared_with(annotations: Annotations, *others: str) -> dict[str, set[str]]:
    """Of each other video the annotated ones in its group; of one whose id does not tell, `unsure`."""
    groups, unsure = with_others(annotations, others)
    return {
        id_: {"unsure"} if id_ in unsure else {one for one in annotations.videos if groups[one] == groups[id_]}
        for id_ in others
    }


def test_other_videos_join_the_groups_that_are_stated() -> None:
    people = annotated("cat1_a", "cat1_b", "cat2_a", "cat2_b", cat1_a="Tom", cat1_b="Tom", cat2_a="Kit", cat2_b="Kit")
    assert shared_with(people, "cat1_z", "cat9_a", "holiday") == {
        "cat1_z": {"cat1_a", "cat1_b"},
        "cat9_a": set(),  # somebody new
        "holiday": {"unsure"},
    }
    no_part = annotated("one", "two", "three", one="Tom", two="Tom", three="Kit")
    assert shared_with(no_part, "four") == {"four": {"unsure"}}
    named = annotated("tom_1", "tom_2", "kit_3", "kit_4", tom_1="T", tom_2="T", kit_3="K", kit_4="K")
    assert shared_with(named, "tom_9", "leo_1") == {"tom_9": {"tom_1", "tom_2"}, "leo_1": set()}
    partly = annotated("cat1_a", "cat1_b", "cat2_a", cat1_a="Tom")
    assert shared_with(partly, "cat1_z") == {"cat1_z": {"unsure"}}


def test_other_videos_join_the_groups_that_ids_tell() -> None:
    people = annotated(*(f"cat{i}_{part}" for i in (1, 2, 3) for part in "ab"))
    assert shared_with(people, "cat1_z", "holiday") == {"cat1_z": {"cat1_a", "cat1_b"}, "holiday": {"unsure"}}
    few = annotated("cat1_a", "cat2_a")  # which tell no groups by themselves
    assert shared_with(few, "cat1_z", "cat2_z", "cat3_z", "cat3_y")["cat1_z"] == {"cat1_a"}
    assert shared_with(annotated("a", "b"), "c") == {"c": set()}
    one = annotated("cat1_a", "cat1_b", cat1_a="Tom", cat1_b="Tom")  # groups tell none of them from another
    assert shared_with(one, "cat1_z") == {"cat1_z": set()}
