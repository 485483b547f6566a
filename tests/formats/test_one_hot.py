"""A column of 0 and 1 a class."""

from pathlib import Path

import pytest
from labelled import assert_as_expected, only, read_as

from actionformer.formats.document import Document
from actionformer.formats.one_hot import holds_labels


def test_frames_of_deepethogram() -> None:
    found = read_as("one_hot", "a.csv", ",background,dig,groom\n0,1,0,0\n1,0,1,0\n2,0,1,1\n3,0,0,1\n4,1,0,-1\n")
    assert only(found, 10) == [(0.1, 0.3, "dig"), (0.2, 0.4, "groom")]
    assert list(found.class_names) == ["dig", "groom"]
    assert [one.what for one in found.remarks] == [
        "the column 'background' is what the others leave over, and is not read",
        "a frame that nobody has labelled (-1) is read as background",
    ]


def test_times_of_a_binary_table() -> None:
    found = read_as("one_hot", "a.tsv", "time\tdig\tgroom\n0.0\t0\t1\n0.1\t1\t1\n0.2\t1\t0\n0.3\t0\t1\n")
    assert found.videos[0].unit == "seconds"
    assert only(found) == [(0.1, 0.3, "dig"), (0.0, 0.2, "groom"), (0.3, pytest.approx(0.4), "groom")]


def test_frames_may_count_from_1_and_be_missing() -> None:
    found = read_as("one_hot", "a.csv", "frame,dig\n1,1\n2,1\n3,1\n7,1\n8,1\n9,1\n10,0\n11,0\n12,0\n13,0\n14,0\n15,0\n")
    assert only(found) == [(0, 3, "dig"), (6, 9, "dig")]


@pytest.mark.parametrize(
    "text",
    ["frame,dig\n0,0\n", "frame,x\n0,0.5\n1,0.7\n", "start,end\n0,1\n1,0\n", "frame,dig\n0,1\n0,1\n", "0,1\n1,0\n"],
)
def test_other_tables_are_none(text: str) -> None:
    assert not holds_labels(Document("a.csv", text.encode()))


def test_sample_of_deepethogram(shared: Path) -> None:
    found = read_as("one_hot", shared / "data/formats/deepethogram/Together_1.csv")
    assert_as_expected(shared, only(found, 30), "deepethogram/Together_1.csv", frozenset({"background"}))
