"""Annotation files that are being made."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actionformer.core.errors import InputError
from actionformer.formats.activitynet.labelled import LabelledFile, VideoLabels
from actionformer.formats.annotations import read_annotations

NEW = {"subset": "training", "duration": 10.0, "fps": 25.0}
ELSEWHERE = {
    "taxonomy": ["kept"],
    "database": {
        "old": {"subset": "test", "url": "kept", "annotations": [{"segment": [1, 2], "label": "run", "label_id": 3}]}
    },
}


def labelled(*actions: tuple[float, float, str], done: bool = False) -> VideoLabels:
    return VideoLabels(actions, done)


def test_only_videos_with_actions_or_that_are_done_are_in_the_database(tmp_path: Path) -> None:
    begun = LabelledFile().with_labels("a", labelled((2.0, 3.0, "run"), (0.5, 1.0, "jump")), NEW)
    nothing = begun.with_labels("b", labelled(done=True), NEW).with_labels("c", labelled(), NEW)
    (tmp_path / "labels.json").write_text(nothing.text(), "utf-8")
    read = read_annotations(tmp_path / "labels.json")
    assert set(read.videos) == {"a", "b"}
    assert read.videos["a"].segments.tolist() == [[0.5, 1.0], [2.0, 3.0]]
    assert (read.videos["a"].duration, read.videos["a"].fps, read.videos["a"].subset) == (10.0, 25.0, "training")
    assert len(read.videos["b"].labels) == 0
    taken_back = nothing.with_labels("b", labelled(), NEW)
    assert "b" not in json.loads(taken_back.text())["database"]


def test_what_a_file_has_from_elsewhere_is_done_and_stays() -> None:
    content = LabelledFile(ELSEWHERE)
    assert content.of("old") == VideoLabels([(1, 2, "run")], done=True)
    more = content.with_labels("old", labelled((1, 2, "run"), (4.0, 5.0, "run"), (6.0, 7.0, "swim"), done=True), NEW)
    saved = json.loads(more.text())
    assert saved["taxonomy"] == ["kept"]
    assert saved["database"]["old"] == {
        "subset": "test",
        "url": "kept",
        "annotations": [
            {"segment": [1, 2], "label": "run", "label_id": 3},
            {"segment": [4.0, 5.0], "label": "run", "label_id": 3},
            {"segment": [6.0, 7.0], "label": "swim"},
        ],
    }


def test_what_a_file_says_of_a_video_outlives_its_actions() -> None:
    emptied = LabelledFile(json.loads(LabelledFile(ELSEWHERE).with_labels("old", labelled(), NEW).text()))
    assert "old" not in json.loads(emptied.text())["database"]
    back = json.loads(emptied.renamed("run", "walk").with_labels("old", labelled(done=True), NEW).text())
    assert back["database"]["old"] == {"subset": "test", "url": "kept", "annotations": []}
    assert "entries" not in back["labelling"]


def test_a_class_is_renamed_wherever_it_is() -> None:
    labels = VideoLabels([(0.0, 1.0, "run"), (1.0, 2.0, "jump")], decided=[(3.0, 4.0, "run")])
    first = LabelledFile().with_labels("a", labels, NEW)
    both = first.with_labels("b", labelled((0.0, 1.0, "jump")), NEW).with_classes(["jump", "run", "swim"])
    renamed = LabelledFile(json.loads(both.renamed("run", "walk").text()))
    assert renamed.class_names == ["jump", "walk", "swim"]
    assert [label for *_, label in renamed.of("a").actions] == ["walk", "jump"]
    assert renamed.of("a").decided == [(3.0, 4.0, "walk")]
    assert renamed.of("b") == both.of("b")


def test_former_names_are_told_from_classes() -> None:
    first = LabelledFile().with_classes(["run", "jump"]).renamed("run", "walk").renamed("walk", "stroll")
    assert first.called_now(["run", "walk", "stroll", "jump", "swim"]) == ["stroll"] * 3 + ["jump", "swim"]
    back = first.renamed("stroll", "run")
    assert back.called_now(["run", "walk", "stroll"]) == ["run"] * 3
    assert first.with_classes(["run"]).called_now(["run", "walk"]) == ["run", "stroll"]


@pytest.mark.parametrize("labelling", [[], {"videos": {"a": {}}}, {"videos": {"a": {"done": True, "decided": [[1]]}}}])
def test_what_is_no_labelling_is_told_with_the_file(tmp_path: Path, labelling: object) -> None:
    path = tmp_path / "labels.json"
    path.write_text(json.dumps({"database": {}, "labelling": labelling}), "utf-8")
    with pytest.raises(InputError, match=r"labels\.json.*remove it from the file"):
        LabelledFile.read(path)


NAMES = st.text(min_size=1, max_size=3)
ACTIONS = st.lists(
    st.tuples(st.floats(0, 100), st.floats(0.1, 5), NAMES).map(lambda one: (one[0], one[0] + one[1], one[2])),
    max_size=4,
)


@given(st.lists(st.tuples(st.sampled_from("abc"), ACTIONS, st.booleans(), ACTIONS), max_size=6))
def test_what_was_said_of_each_video_last_is_read_back(
    changes: list[tuple[str, list[tuple[float, float, str]], bool, list[tuple[float, float, str]]]],
) -> None:
    content, last = LabelledFile(), {}
    for video, actions, done, decided in changes:
        content = content.with_labels(video, VideoLabels(actions, done, decided), NEW)
        last[video] = (sorted(actions, key=lambda one: one[:2]), done, decided)
    read = LabelledFile(json.loads(content.text()))
    assert read.videos == set(last)
    for video, said in last.items():
        labels = read.of(video)
        assert (list(labels.actions), labels.done, labels.decided) == said
