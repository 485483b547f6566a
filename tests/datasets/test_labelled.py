"""Data sets whose annotations are files of labels."""

from pathlib import Path

import pytest

from actionformer import InputError, read_annotations
from actionformer.datasets.base import Counts
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
    dataset = labelled_dataset(videos, subsets={"train": "training"}, prefix="v_")
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
    with pytest.raises(InputError, match=r"b\.json: expected a file of the format json, found another"):
        labels_of(tmp_path / "deep/er/b.json", "json")
