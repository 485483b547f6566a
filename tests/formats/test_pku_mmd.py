"""PKU-MMD's frames."""

import pytest
from labelled import only, read_as

from actionformer.formats.document import Document
from actionformer.formats.pku_mmd import holds_labels


def test_frames_at_30_a_second() -> None:
    found = read_as("pku_mmd", "0002-L.label", "34,300,450,2\n12,600,630,1\n")
    assert found.videos[0].name == "0002-L"
    assert only(found) == [(10, 15, "34"), (20, 21, "12")]


@pytest.mark.parametrize("text", ["34,300,450\n", "34,300,450,3\n", "34,450,300,1\n", "a,1,2,1\n"])
def test_other_tables_are_none(text: str) -> None:
    assert not holds_labels(Document("a.label", text.encode()))
