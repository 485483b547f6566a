"""TextGrids of Praat, worked by hand."""

import pytest

from actionformer import Detections
from actionformer.core.errors import InputError
from actionformer.formats.document import Document
from actionformer.formats.textgrid import holds_labels, read_labels, video_text

LONG = '''File type = "ooTextFile"
Object class = "TextGrid"

xmin = -0
xmax = 2.5
tiers? <exists>
size = 2
item []:
    item [1]:
        class = "IntervalTier"
        name = "say ""it"" 3"
        xmin = 0
        xmax = 2.5
        intervals: size = 2
        intervals [1]:
            xmin = 0
            xmax = 1e0
            text = "xmin = 7
and ""IntervalTier"""
        intervals [2]:
            xmin = 1
            xmax = 2.5
            text = ""
    item [2]:
        class = "TextTier"
        name = ""
        xmin = 0
        xmax = 2.5
        points: size = 1
        points [1]:
            time = 1.25
            mark = "IntervalTier"
'''


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_intervals_and_points(encoding: str, line_end: str) -> None:
    document = Document("talk.TextGrid", LONG.replace("\n", line_end).encode(encoding))
    assert holds_labels(document)
    found = read_labels(document)
    assert [(one.start, one.end, one.label, one.layer) for one in found.videos[0].segments] == [
        (0, 1, 'xmin = 7 and "IntervalTier"', 'say "it" 3'),
        (1.25, 1.25, "IntervalTier", ""),
    ]
    assert (found.videos[0].name, found.remarks) == ("talk", [])


def test_what_is_broken_or_binary_is_refused() -> None:
    with pytest.raises(InputError, match="expected times and a text"):
        read_labels(Document("a.TextGrid", LONG.replace("xmax = 1e0", "").encode()))
    binary = Document("a.TextGrid", b"ooBinaryFile\x08TextGrid\x00\x00")
    assert holds_labels(binary)
    with pytest.raises(InputError, match="a binary TextGrid: save it in Praat as a text file"):
        read_labels(binary)


def test_a_tier_covers_all_time(found: Detections) -> None:
    text = video_text(found)
    assert '"IntervalTier"\n"dive"\n0\n3662.000\n2\n0.000\n3661.500\n""\n3661.500\n3662.000\n"dive"\n' in text


def test_where_nothing_was_found_there_are_no_tiers(found: Detections) -> None:
    (video,) = read_labels(Document("a.TextGrid", video_text(found[:0]).encode())).videos
    assert not video.segments
