"""A label a line: MS-TCN's ground truth."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from labelled import only, read_as

from actionformer.formats.document import Document
from actionformer.formats.frame_labels import holds_labels, read_labels

TRUTH = "background\nbackground\ntake\ntake\ntake\npour\npour\nbackground\n"


def test_a_stretch_of_equal_lines_is_a_segment() -> None:
    found = read_as("frame_labels", "S1_Cheese_C1.txt", TRUTH)
    assert only(found) == [(2, 5, "take"), (5, 7, "pour")]
    (video,) = found.videos
    assert (video.name, video.unit, video.fps) == ("S1_Cheese_C1", "frames", None)
    assert video.segments[0].where == "S1_Cheese_C1.txt: line 3"
    assert [one.what for one in found.remarks] == ["frames of 'background' are background: no action"]


def test_the_last_line_may_have_no_end_and_lines_may_end_as_on_windows() -> None:
    assert only(read_as("frame_labels", "a.txt", TRUTH.replace("\n", "\r\n").rstrip())) == [
        (2, 5, "take"),
        (5, 7, "pour"),
    ]


def test_nothing_happens_where_lines_are_empty() -> None:
    found = read_as("frame_labels", "a.txt", "\n\n\nwalk\nwalk\n\n \nrun\nrun\nrun\n\n\n")
    assert only(found) == [(3, 5, "walk"), (7, 10, "run")]
    assert found.videos[0].segments[0].where == "a.txt: line 4"
    assert not found.remarks


def test_a_header_is_no_frame() -> None:
    found = read_as("frame_labels", "a.csv", "label\nwalk\nwalk\nrun\nrun\n")
    assert only(found) == [(0, 2, "walk"), (2, 4, "run")]
    assert found.videos[0].segments[0].where == "a.csv: line 2"


def test_classes_beside_it_or_above_name_numbers(tmp_path: Path) -> None:
    (tmp_path / "groundTruth").mkdir()
    (tmp_path / "mapping.txt").write_text("0 take\n1 pour water\n2 background\n", encoding="utf-8")
    path = tmp_path / "groundTruth/a.txt"
    path.write_text("1\n0\n2\n", encoding="utf-8")  # listed: no stretch is needed
    found = read_as("frame_labels", path)
    assert only(found) == [(0, 1, "pour water"), (1, 2, "take")]
    assert list(found.class_names) == ["take", "pour water"]


@pytest.mark.parametrize(
    "text", ["a\nb\nc\nd\n", "0.5\n0.5\n0.5\n", "a,b\na,b\na,b\n", "{\n{\n{\n", "a\n\na\na\na\n", "take\n"]
)
def test_other_text_is_none(text: str) -> None:
    assert not holds_labels(Document("a.txt", text.encode()))


@given(st.lists(st.sampled_from(["take", "pour", "SIL"]), min_size=1))
def test_frames_are_what_they_were(labels: list[str]) -> None:
    document = Document("a.txt", "".join(f"{label}\n" for label in labels).encode())
    found = ["SIL"] * len(labels)
    for one in read_labels(document).videos[0].segments:
        found[int(one.start) : int(one.end)] = [one.label] * int(one.end - one.start)
    assert found == labels
