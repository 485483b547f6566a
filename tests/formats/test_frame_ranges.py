"""Breakfast's coarse labels."""

import pytest
from labelled import only, read_as

from actionformer.formats.document import Document
from actionformer.formats.frame_ranges import holds_labels


def test_frames_count_from_1_and_the_last_one_is_inside() -> None:
    found = read_as("frame_ranges", "P03_cam01_P03_coffee.txt", "1-30 SIL  \n31-150 take_cup  \n151-428 pour_coffee\n")
    assert only(found, 15) == [(2, 10, "take_cup"), (10, 428 / 15, "pour_coffee")]
    assert found.videos[0].unit == "frames"
    assert [one.what for one in found.remarks] == ["frames of 'SIL' are background: no action"]


@pytest.mark.parametrize("text", ["0-30 SIL\n", "30-1 SIL\n", "1-30\n", "1-30 SIL\nnotes\n"])
def test_other_text_is_none(text: str) -> None:
    assert not holds_labels(Document("a.txt", text.encode()))
