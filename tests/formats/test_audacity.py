"""Label tracks of Audacity."""

from pathlib import Path

import pytest

from actionformer.formats.audacity import holds_labels, read_labels
from actionformer.formats.document import Document

TRACK = "0.500000\t1.250000\tjump\r\n\\\t100.0\t900.0\r\n2,0\t2,0\twave\n3.0\t4.0\t\n"


@pytest.fixture
def track() -> Document:
    return Document("talks/kitchen.txt", TRACK.encode())


def test_labels_of_a_track(track: Document) -> None:
    assert holds_labels(track)
    found = read_labels(track)
    (video,) = found.videos
    assert (video.name, video.unit, video.fps) == ("kitchen", "seconds", None)
    assert [(one.start, one.end, one.label) for one in video.segments] == [(0.5, 1.25, "jump"), (2, 2, "wave")]
    assert video.segments[1].where == f"{Path('talks/kitchen.txt')}: line 3"
    assert [(one.what, one.where) for one in found.remarks] == [
        ("a segment without a label is left out", f"{Path('talks/kitchen.txt')}: line 4")
    ]


@pytest.mark.parametrize(
    "text", ["video,start\n1,2\n", "1.0 2.0 jump\n", "start\tend\tlabel\n1\t2\tjump\n", "1\t3\t2\tjump\n"]
)
def test_other_tables_are_none(text: str) -> None:
    assert not holds_labels(Document("a.txt", text.encode()))
