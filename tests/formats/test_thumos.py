"""THUMOS14's text."""

import pytest
from labelled import in_seconds, read_as

from actionformer.formats.document import Document
from actionformer.formats.thumos import holds_labels

LINES = "video_test_0000278  0.0 1.4\r\nvideo_test_0000278  3.2 5.0\r\nvideo_test_0000004  0.2 1.1\r\n"


@pytest.mark.parametrize(
    ("file", "label"),
    [("BaseballPitch_test.txt", "BaseballPitch"), ("BaseballPitch.txt", "BaseballPitch"), ("Jump_val.txt", "Jump")],
)
def test_the_class_is_the_name_of_the_file(file: str, label: str) -> None:
    first, second = read_as("thumos", file, LINES).videos
    assert (first.name, first.subset) == ("video_test_0000278", "test")
    assert in_seconds(first) == [(0, 1.4, label), (3.2, 5, label)]
    assert in_seconds(second) == [(0.2, 1.1, label)]


def test_ambiguous_spans_are_of_no_class() -> None:
    found = read_as("thumos", "Ambiguous_test.txt", LINES)
    assert found.videos == []
    assert [one.what for one in found.remarks] == ["a span that is ambiguous is left out"] * 3


@pytest.mark.parametrize("text", ["7 BaseballPitch\n", "1 2 3\n", "a 1\n", "a 1 2 3\n", "a 1 2\nnotes\n"])
def test_other_text_is_none(text: str) -> None:
    assert not holds_labels(Document("a.txt", text.encode()))
