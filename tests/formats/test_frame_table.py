"""A table with a row a frame."""

import pytest
from labelled import in_seconds, only, read_as

from actionformer.formats.document import Document
from actionformer.formats.frame_table import holds_labels

SENSOR = "time,acc_x,label\n0.00,0.1,null\n0.02,0.2,walk\n0.04,0.3,walk\n0.06,0.3,walk\n0.08,0.3,null\n0.10,0.2,null\n"


def test_sensor_data_with_a_label_a_row() -> None:
    found = read_as("frame_table", "p1.csv", SENSOR)
    assert only(found) == [(0.02, 0.08, "walk")]
    assert [one.what for one in found.remarks] == ["frames of 'null' are background: no action"]


def test_frames_of_several_videos() -> None:
    text = "".join(
        f"{video};{frame};{'dig' if frame < 2 else ''}\n" for video in ("a.mp4", "b.mp4") for frame in range(4)
    )
    found = read_as("frame_table", "labels.csv", f"video;frame;behaviour\n{text}")
    assert [video.name for video in found.videos] == ["a.mp4", "b.mp4"]
    assert [in_seconds(video) for video in found.videos] == [[(0, 2, "dig")]] * 2
    assert {video.unit for video in found.videos} == {"frames"}


def test_the_clock_on_the_wall_counts_from_the_first_row() -> None:
    text = "timestamp,label\n" + "".join(f"{1.7e9 + 0.5 * row},{'sit' if row > 2 else 'lie'}\n" for row in range(6))
    found = read_as("frame_table", "p1.csv", text)
    assert only(found) == [(0, 1.5, "lie"), (1.5, 3, "sit")]
    assert [one.what for one in found.remarks] == [
        "times are of the clock on the wall: they count from the first row on"
    ]


def test_columns_of_text_are_layers() -> None:
    rows = [("0,00", "", ""), ("0,04", "eat", ""), ("0,08", "eat", "left"), ("0,12", "eat", "left")]
    text = "Time;Feeding;Side\n" + "".join(";".join(row) + "\n" for row in rows)
    (video,) = read_as("frame_table", "a.csv", text).videos
    assert [(one.label, one.layer) for one in video.segments] == [("eat", "Feeding"), ("left", "Side")]
    assert [one[:2] for one in in_seconds(video)] == [pytest.approx((0.04, 0.16)), pytest.approx((0.08, 0.16))]


@pytest.mark.parametrize(
    "text",
    [
        "time,label\n1.0,goal\n7.5,foul\n8.0,goal\n90.0,goal\n",  # moments
        "time,label\n1,goal\n2,foul\n3,card\n4,goal\n",  # no label goes on
        "start,end,label\n0,1,a\n1,2,a\n2,3,a\n3,4,a\n",
        "time,behavior,status\n0,a,START\n1,a,STOP\n2,a,START\n3,a,STOP\n",
        "time,x\n0,1.5\n1,1.5\n2,1.5\n3,1.5\n",
    ],
)
def test_other_tables_are_none(text: str) -> None:
    assert not holds_labels(Document("a.csv", text.encode()))
