"""50 Salads' activityAnnotation."""

from pathlib import Path

import pytest
from labelled import read_as

from actionformer.formats.document import Document
from actionformer.formats.salads import holds_labels


def test_microseconds_in_two_layers() -> None:
    found = read_as(
        "salads", "01-1-activityAnnotation.txt", "1000000 9000001 cut_and_mix\r\n1000000 2500000 cut_core\r\n"
    )
    (video,) = found.videos
    assert video.name == "01-1"
    assert [(one.start, one.end, one.label, one.layer) for one in video.segments] == [
        (1, 9.000001, "cut_and_mix", "stages"),
        (1, 2.5, "cut_core", "phases"),
    ]


@pytest.mark.parametrize("text", ["1000000 9000001 cut\n", "1.5 2.5 cut_core\n", "cut_core 1 2\n"])
def test_other_text_is_none(text: str) -> None:
    assert not holds_labels(Document("a.txt", text.encode()))


def test_sample(shared: Path) -> None:
    (video,) = read_as("salads", shared / "data/formats/segmentation_50salads/01-1-activityAnnotation.txt").videos
    first = video.segments[0]
    assert (first.start, first.end, first.label) == (53.704269, 268.768513, "cut_and_mix_ingredients")
    assert sum(one.layer == "stages" for one in video.segments) == 2
