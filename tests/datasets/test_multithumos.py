"""MultiTHUMOS as JSON and as text."""

from pathlib import Path

import pytest

from actionformer import InputError
from actionformer.datasets.multithumos import read


def test_the_json_file_is_whole(shared: Path) -> None:
    with pytest.warns(UserWarning, match=r"a class has a number and no name: .*class_list\.txt \(65 of these"):
        dataset = read(shared / "data/annotations/multithumos")
    assert dataset.differences() == []
    assert dataset.class_names[:2] == ("1", "2")


def test_text_names_subsets_as_the_papers_do(tmp_path: Path) -> None:
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations/Jump.txt").write_text("video_validation_0000266 72.8 76.4\nvideo_test_0000004 0.2 0.9\n")
    dataset = read(tmp_path)
    assert dataset.splits["annotations.json"] == {
        "video_validation_0000266": "training",
        "video_test_0000004": "testing",
    }
    with pytest.raises(InputError, match=r"multithumos\.json: missing"):
        read(tmp_path / "annotations")
