import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actionformer.core.errors import InputError
from actionformer.formats.activitynet.annotations import parse_annotations
from actionformer.formats.annotations import read_annotations, write_annotations


def action(label: str = "run", segment: Sequence[float] = (0, 1), **others: Any) -> dict[str, Any]:
    return {"label": label, "segment": list(segment), **others}


def one_video(*actions: Any, **others: Any) -> dict[str, Any]:
    return {"database": {"v": {"subset": "training", "duration": 9.0, "annotations": list(actions), **others}}}


def test_reads_videos_and_background() -> None:
    content = one_video(action("run", (1, 2.5)), action("jump"), fps=25)
    content["database"]["empty"] = {"subset": "Test"}
    found = parse_annotations(content)
    assert len(found) == 2
    assert found.class_names == ("jump", "run")
    video = found.videos["v"]
    assert (video.id, video.subset, video.duration, video.fps) == ("v", "training", 9.0, 25.0)
    assert video.segments.tolist() == [[1, 2.5], [0, 1]]
    assert video.labels.tolist() == [1, 0]
    background = found.videos["empty"]
    assert (background.duration, background.fps) == (None, None)
    assert background.segments.shape == (0, 2)
    assert background.labels.dtype == np.int64


def test_ids_from_the_file_holes_and_labels_without_one() -> None:
    found = parse_annotations(
        one_video(
            action("d", label_id=4),
            action("z", label_id=1),
            action("b"),
            action("a"),
            action("d"),
            action("c"),
        )
    )
    assert found.class_names == ("a", "z", "b", "c", "d")
    assert parse_annotations(one_video(action("z", label_id=2))).class_names == ("class_0", "class_1", "z")
    taken = parse_annotations(one_video(action("class_0", label_id=1)))
    assert taken.class_names == ("class_0_", "class_0")


def test_labels_map_to_a_models_classes() -> None:
    found = parse_annotations(one_video(action("run", label_id=0)), class_names=["jump", "run"])
    assert found.class_names == ("jump", "run")
    assert found.videos["v"].labels.tolist() == [1]
    with pytest.raises(InputError, match=r"no class 'runs', did you mean 'run'\?"):
        parse_annotations(one_video(action("runs")), class_names=["jump", "run"])


def test_a_segment_of_no_length_or_beyond_the_video_is_kept() -> None:
    found = parse_annotations(one_video(action(segment=(1, 1)), action(segment=(8, 20))))
    assert found.videos["v"].segments.tolist() == [[1, 1], [8, 20]]


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"segment": [True, 1]}, r"expected 'segment', \[start, end\] in seconds, found \[True, 1\]"),
        ({"segment": [0, float("nan")]}, r"expected 'segment'.* found \[0, nan\]"),
        ({"segment": [0, float("inf")]}, "expected 'segment'"),
        ({"segment": [0, 10**400]}, "expected 'segment'"),
        ({"segment": ["0", "1"]}, r"expected 'segment'.* found \['0', '1'\]"),
        ({"segment": [0, 1, 2]}, "expected 'segment'"),
        ({"segment": None}, "expected 'segment'.* found None"),
        ({"segment": [2, 1]}, r"segment \[2.0, 1.0\] ends before it starts"),
        ({"label": None}, "expected 'label', a class name, found None"),
        ({"label": 3}, "expected 'label', a class name, found 3"),
        ({"label": ""}, "expected 'label'"),
        ({"label_id": -1}, "label_id must be a whole number from 0 on, found -1"),
        ({"label_id": 1.0}, "label_id must be a whole number from 0 on, found 1.0"),
        ({"label_id": True}, "label_id must be a whole number from 0 on, found True"),
        ({"label_id": 10**9}, "label_id must be a whole number"),
        ({"label_id": 7}, "label 'run' has label_id 7, elsewhere 0"),
        ({"label": "jump"}, "label_id 0 belongs to 'jump', elsewhere to 'run'"),
    ],
)
def test_a_broken_annotation_is_named(broken: Any, message: str) -> None:
    content = one_video(action(label_id=0), {**action(label_id=0), **broken})
    with pytest.raises(InputError, match=rf"^file\.json: video 'v', annotation 1: {message}"):
        parse_annotations(content, source="file.json")


def test_an_annotation_that_is_no_object() -> None:
    with pytest.raises(InputError, match=r"video 'v', annotation 0: expected an object .* found 'run'"):
        parse_annotations(one_video("run"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"subset": None}, "expected 'subset', a name such as 'training', found None"),
        ({"subset": 1}, "expected 'subset'"),
        ({"annotations": {"a": 1}}, "expected 'annotations', a list"),
        ({"duration": 0}, "duration must be a positive number, found 0"),
        ({"duration": True}, "duration must be a positive number, found True"),
        ({"duration": "9"}, "duration must be a positive number, found '9'"),
        ({"duration": float("nan")}, "duration must be a positive number, found nan"),
        ({"fps": -1}, "fps must be a positive number, found -1"),
    ],
)
def test_a_broken_video_is_named(changes: Any, message: str) -> None:
    with pytest.raises(InputError, match=rf"video 'v': {message}"):
        parse_annotations(one_video(**changes))


@pytest.mark.parametrize("content", [[], {}, {"database": []}, {"database": {}}])
def test_no_videos(content: Any) -> None:
    with pytest.raises(InputError, match="no videos; expected"):
        parse_annotations(content)


def test_a_video_that_is_no_object() -> None:
    with pytest.raises(InputError, match=r"video 'v': expected an object .* found 3"):
        parse_annotations({"database": {"v": 3}})


def test_subsets_in_any_case() -> None:
    found = parse_annotations(
        {"database": {name: {"subset": subset} for name, subset in [("a", "Test"), ("b", "val"), ("c", "train")]}}
    )
    assert list(found.subset("test").videos) == ["a"]
    assert list(found.subset(["TRAIN", "Val"]).videos) == ["b", "c"]
    assert found.has_subset("TEST")
    assert not found.has_subset("nothing")
    with pytest.raises(InputError, match="no video in subset 'tset'; there are Test, train, val"):
        found.subset(["train", "tset"])


def test_a_file_gives_back_what_was_written(tmp_path: Path) -> None:
    found = parse_annotations(one_video(action("run", label_id=2), action("jump", (0.1, 0.3)), fps=30))
    write_annotations(tmp_path / "a.json", found)
    again = read_annotations(tmp_path / "a.json")
    assert again.class_names == found.class_names
    assert again.source == str(tmp_path / "a.json")
    first, second = found.videos["v"], again.videos["v"]
    assert (first.subset, first.duration, first.fps) == (second.subset, second.duration, second.fps)
    np.testing.assert_array_equal(first.segments, second.segments)
    np.testing.assert_array_equal(first.labels, second.labels)


def test_a_video_key_that_occurs_twice(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"database": {"v": {"subset": "x"}, "v": {"subset": "y"}}}')
    with pytest.raises(InputError, match=r"a\.json: key 'v' occurs twice"):
        read_annotations(tmp_path / "a.json")


def test_real_files(shared: Path) -> None:
    thumos = read_annotations(shared / "data/thumos14/thumos14.json")
    assert (len(thumos.subset("validation")), len(thumos.subset("test"))) == (200, 212)
    assert len(thumos.class_names) == 20
    hapt = read_annotations(shared / "data/hapt/annotations.json")
    assert sum(len(video.labels) for video in hapt.videos.values()) == 1214
    assert json.loads((shared / "data/hapt/annotations.json").read_text())["version"] == "HAPT 2.1"


def test_classes_that_may_be_one_are_told(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    actions = [{"segment": [0, 1], "label": label} for label in ("Jump", "jump ", "run", "m\u00fcde", "mu\u0308de")]
    path.write_text(json.dumps({"database": {"v": {"subset": "x", "annotations": actions}}}))
    with pytest.warns(UserWarning, match="are taken for different ones") as told:
        found = read_annotations(path)
    assert len(found.class_names) == 5
    assert [str(one.message).count("'") for one in told] == [4, 4]
    assert "'Jump' and 'jump '" in str(told[0].message)


def test_names_in_another_form_of_unicode() -> None:
    action = {"segment": [0, 1], "label": "mu\u0308de"}
    content = {"database": {"v": {"subset": "Pru\u0308fung", "annotations": [action]}}}
    found = parse_annotations(content, class_names=("run", "m\u00fcde"))
    assert found.videos["v"].labels.tolist() == [1]
    assert list(found.subset("PR\u00dcFUNG").videos) == ["v"]


@pytest.mark.parametrize("where", ["id", "subset", "label"])
def test_names_that_are_no_text_are_refused(where: str) -> None:
    id_, subset, label = ("\ud800" if one == where else "a" for one in ("id", "subset", "label"))
    content = {"database": {id_: {"subset": subset, "annotations": [{"segment": [0, 1], "label": label}]}}}
    with pytest.raises(InputError, match=rf"{where} '\\ud800' is not Unicode text"):
        parse_annotations(content)


@pytest.mark.parametrize(
    ("name", "content", "advised"),
    [
        ("a.csv", "video,label,start,end\n", True),
        ("a.json", '[{"id": 1, "annotations": []}]', True),
        ("a.json", '{"database": ', False),
    ],
)
def test_labels_of_another_format_are_to_be_imported(tmp_path: Path, name: str, content: str, advised: bool) -> None:
    (tmp_path / name).write_text(content, "utf-8")
    with pytest.raises(InputError) as refused:
        read_annotations(tmp_path / name)
    advice = "; of labels in another format 'actionformer import' makes annotations"
    assert str(refused.value).endswith(advice) == advised
    with pytest.raises(InputError, match=r"cannot read[^;]*$"):
        read_annotations(tmp_path / "none.csv")
