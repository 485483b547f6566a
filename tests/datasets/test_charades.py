"""Charades."""

from pathlib import Path

import pytest

from actionformer import InputError
from actionformer.datasets.charades import read


def test_two_tables_and_the_names_of_classes(tmp_path: Path) -> None:
    for part, actions in (("train", "c001 1.0 2.5;c000 0 3"), ("test", "")):
        (tmp_path / f"Charades_v1_{part}.csv").write_text(f"id,actions,length\n{part}1,{actions},30.5\n")
    (tmp_path / "Charades_v1_classes.txt").write_text("c000 Holding\nc001 Sitting down\n")
    dataset = read(tmp_path)
    assert dataset.class_names == ("Holding", "Sitting down")
    assert dataset.splits["annotations.json"] == {"train1": "training", "test1": "test"}
    assert [one.label for one in dataset.recordings["train1"].actions] == ["Sitting down", "Holding"]
    (tmp_path / "Charades_v1_test.csv").unlink()
    with pytest.raises(InputError, match=r"Charades_v1_test\.csv: missing"):
        read(tmp_path)


def test_without_the_list_classes_are_their_codes(tmp_path: Path) -> None:
    for part, actions in (("train", "c001 1.0 2.5"), ("test", "c003 0 3;c001 1 2")):
        (tmp_path / f"Charades_v1_{part}.csv").write_text(f"id,actions,length\n{part}1,{actions},30.5\n")
    with pytest.warns(UserWarning, match=r"put Charades_v1_classes\.txt beside the file"):
        assert read(tmp_path).class_names == ("c001", "c003")
