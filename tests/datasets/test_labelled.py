"""Data sets whose annotations are files of labels."""

import json
from pathlib import Path

import pytest

from actionformer import InputError, read_annotations
from actionformer.datasets.base import Counts, missing
from actionformer.datasets.labelled import find_file, labelled_dataset, labels_of
from actionformer.formats.labels import LabelledSegment, LabelledVideo


def segment(start: float, end: float, label: str, layer: str = "") -> LabelledSegment:
    return LabelledSegment(start, end, label, "a.txt: line 1", layer)


def test_what_several_files_say_of_a_video_is_put_together(tmp_path: Path) -> None:
    videos = [
        LabelledVideo("v_a", [segment(1, 2, "run")], subset="Train"),
        LabelledVideo("v_a", [segment(3, 4, "jump"), segment(9, 8, "jump")], duration=10, subset="train"),
        LabelledVideo("v_b", [segment(30, 60, "run")], "frames", fps=30, subset="val"),
    ]
    with pytest.warns(UserWarning, match=r"a\.txt: line 1: an action that ends before it starts is left out"):
        dataset = labelled_dataset(videos, subsets={"train": "training"}, id_of=lambda name: name.removeprefix("v_"))
    (path,) = dataset.write(tmp_path)
    found = read_annotations(path)
    assert found.class_names == ("jump", "run")
    assert {name: video.subset for name, video in found.videos.items()} == {"a": "training", "b": "val"}
    assert found.videos["a"].segments.tolist() == [[1, 2], [3, 4]]
    assert (found.videos["a"].duration, found.videos["b"].fps) == (10, 30)
    assert found.videos["b"].segments.tolist() == [[1, 2]]
    assert not dataset.has_features
    assert [file.name for file in tmp_path.iterdir()] == ["annotations.json"]


def test_a_layer_may_be_chosen() -> None:
    video = LabelledVideo("a", [segment(0, 1, "cut", "verb"), segment(0, 1, "bread", "noun")], subset="training")
    assert labelled_dataset([video], layer="noun").class_names == ("bread",)


def test_counts_that_differ_are_told() -> None:
    video = LabelledVideo("a", [segment(0, 1, "cut")], subset="training")
    published = Counts(1, {"training": 1, "test": 1200}, {"training": 2})
    assert labelled_dataset([video], published=published).differences() == [
        "1,200 test videos (here 0)",
        "2 training actions (here 1)",
    ]
    assert labelled_dataset([video], published=Counts(1)).differences() == []


@pytest.mark.parametrize(
    ("video", "message"),
    [
        (LabelledVideo("a", []), "video 'a': expected one subset, found none"),
        (LabelledVideo("a", [segment(0, 1, "x")], "frames", subset="test"), "does not say their rate"),
    ],
)
def test_what_cannot_be_placed_is_refused(video: LabelledVideo, message: str) -> None:
    with pytest.raises(InputError, match=message):
        labelled_dataset([video])


def test_files_are_looked_for_below(tmp_path: Path) -> None:
    (tmp_path / "deep/er").mkdir(parents=True)
    (tmp_path / "deep/er/b.json").write_text("{}")
    assert find_file(tmp_path, "a.json", "b*.json", expected="labels") == tmp_path / "deep/er/b.json"
    with pytest.raises(InputError, match=r"a\.json: missing, here and in the folders below, expected labels"):
        find_file(tmp_path, "a.json", expected="labels")
    with pytest.raises(InputError, match=r"b\.json: expected the layout of json files .*, found another: is it whole"):
        labels_of(tmp_path / "deep/er/b.json", "json")


def test_an_archive_that_nobody_unpacked_is_named(tmp_path: Path) -> None:
    (tmp_path / "thumos.tar.gz").touch()
    with pytest.raises(InputError, match=r"expected labels; unpack thumos\.tar\.gz first"):
        find_file(tmp_path, "a.json", expected="labels")
    assert str(missing(tmp_path / "features" / "a.npy", "expected more")).endswith("more; unpack thumos.tar.gz first")


def test_a_file_that_ends_too_early_is_no_other_layout(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"database": {"a": {"subset": "trai')
    with pytest.raises(InputError, match=r"a\.json: not valid JSON: Unterminated string"):
        labels_of(tmp_path / "a.json", "json")


def test_what_a_file_leaves_out_is_told_but_for_hidden_labels(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    whole = {"subset": "training", "duration": "ten", "annotations": [{"segment": [1, 2], "label": "run"}, {}]}
    path.write_text(json.dumps({"database": {"a": whole, "b": {"subset": "testing", "annotations": []}}}))
    with pytest.warns(UserWarning, match="is left out") as told:
        labels_of(path, "json")
    assert [str(one.message).removeprefix(f"{path}: video 'a'") for one in told] == [
        ", annotation 1: an annotation without [start, end] or without a label is left out",
        ": a duration that is no number is left out",
    ]


def test_a_class_that_the_data_set_lacks_is_refused() -> None:
    video = LabelledVideo("a", [segment(0, 1, "jmup")], subset="training")
    with pytest.raises(InputError, match=r"a\.txt: line 1: the data set has no class 'jmup', did you mean 'jump'"):
        labelled_dataset([video], ["jump", "run"])
