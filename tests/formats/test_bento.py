"""Annotations of Bento and MARS."""

from pathlib import Path

import pytest
from labelled import assert_as_expected, only, read_as

from actionformer.formats.bento import holds_labels
from actionformer.formats.document import Document

HEAD = """Bento annotation file
Movie file(s): a.seq

Annotation start frame: 1
Annotation stop frame: 100
Annotation framerate: 10.000000

List of channels:
Ch1
Ch2

List of annotations:
dig
groom

"""


def test_frames_count_from_1_and_the_last_one_is_inside() -> None:
    first = "Ch1----------\n>dig\nStart\t Stop\t Duration\n1\t10\t10\n21\t21\t1\n\n"
    second = "Ch2----------\n>dig\nStart\t Stop\n5\t5\n"
    found = read_as("bento", "a.annot", HEAD + first + second)
    assert only(found) == [(0, 1, "dig"), (2, 2.1, "dig"), (0.4, 0.5, "dig")]
    assert [one.layer for one in found.videos[0].segments] == ["Ch1", "Ch1", "Ch2"]
    assert found.class_names == ["dig", "groom"]


def test_decimals_are_frames_divided_by_the_rate() -> None:
    found = read_as("bento", "a.annot", HEAD + "Ch1----------\n>groom\nStart\t Stop\t Duration\n0.1\t1\t1.0\n")
    assert only(found) == [(0, 1, "groom")]


@pytest.mark.parametrize("text", ["List of annotations:\ndig\n", "Annotation framerate: 30\n"])
def test_other_text_is_none(text: str) -> None:
    assert not holds_labels(Document("a.annot", text.encode()))


def test_sample(shared: Path) -> None:
    found = read_as("bento", shared / "data/formats/bento/Together_1.annot")
    assert_as_expected(shared, only(found), "bento/Together_1.annot")
