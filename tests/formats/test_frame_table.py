"""A table with a row a frame."""

import pytest
from labelled import in_seconds, only, read_as

from actionformer.core.errors import InputError
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


def test_parts_of_a_time_are_no_clock() -> None:
    rows = "".join(f"10,59,{row / 2},{'sit' if row > 2 else 'lie'}\n" for row in range(6))
    with pytest.raises(InputError, match=r"p1.csv: line 1: hour, minute, second are parts of a time: join them"):
        read_as("frame_table", "p1.csv", f"hour,minute,second,label\n{rows}")
    found = read_as("frame_table", "p1.csv", f"hour,minute,time,label\n{rows}")
    assert only(found) == [(0, 1.5, "lie"), (1.5, 3, "sit")]


def of_rows(times: list[str], header: str = "time,x,label") -> str:
    rows = [f"{time},0.5,{'sit' if row > 2 else 'lie'}\n" for row, time in enumerate(times)]
    return "".join([header, "\n", *rows])


@pytest.mark.parametrize(
    ("header", "times"),
    [
        ("time_ms,x,label", ["500", "1000", "1500", "2000", "2500"]),
        ("Zeit [ms],x,label", ["500", "1000", "1500", "2000", "2500"]),
        ("time,x,label\nms,V,", ["500", "1000", "1500", "2000", "2500"]),
        ("t (min),x,label", ["0.5", "0.508333333", "0.516666667", "0.525", "0.533333333"]),
    ],
)
def test_clocks_of_other_units(header: str, times: list[str]) -> None:
    found = read_as("frame_table", "p1.csv", of_rows(times, header))
    first = 30.0 if "min" in header else 0.5
    assert [one[:2] for one in only(found)] == [
        pytest.approx((first, first + 1.5)), pytest.approx((first + 1.5, first + 2.5))
    ]  # fmt: skip
    assert not found.remarks
    assert all(one.sure for one in found.videos[0].segments)


@pytest.mark.parametrize(
    ("times", "told"),
    [
        (["2026-01-02T10:00:00", "2026-01-02T10:00:00.5", "2026-01-02T10:00:01", "2026-01-02T10:00:01.5"], False),
        (["1767348000000", "1767348000500", "1767348001000", "1767348001500"], True),
        (["23:59:59.0", "23:59:59.5", "0:00:00.0", "0:00:00.5"], True),
        (["-1", "-0.5", "0", "0.5"], False),
    ],
)
def test_labels_count_from_the_first_row_where_readings_do(times: list[str], told: bool) -> None:
    found = read_as("frame_table", "p1.csv", of_rows(times))
    assert only(found) == [(0, 1.5, "lie"), (1.5, 2, "sit")]
    assert [one.what.partition(":")[0] for one in found.remarks] == told * ["times are of the clock on the wall"]


def test_what_a_logger_writes_above_is_left_out() -> None:
    rows = "".join(f"2.1.2026;10:00:00,{row};1,5;{'sit' if row > 2 else 'lie'}\n" for row in range(6))
    found = read_as("frame_table", "p1.csv", f"Logger;X 1;;\nSerial;4711;;\n\nDatum;Uhrzeit;ax;label\n;;g;\n{rows}")
    assert [(*one[:2], one[2]) for one in only(found)] == [
        (0, pytest.approx(0.3), "lie"), (pytest.approx(0.3), pytest.approx(0.6), "sit")
    ]  # fmt: skip


def test_a_clock_without_readings_is_that_of_the_video() -> None:
    text = "time,label\n" + "".join(f"0:00:0{5 + row},dig\n" for row in range(4))
    assert only(read_as("frame_table", "a.csv", text)) == [(5, 9, "dig")]


def test_a_unit_that_may_be_another_is_told() -> None:
    text = "time,label\n" + "".join(f"{20 * row},{'sit' if row > 2 else 'lie'}\n" for row in range(4))
    (told,) = read_as("frame_table", "p1.csv", text).remarks
    assert told.what == "rows are taken to come 20 s after one another: if these are milliseconds, give --unit ms"


@pytest.mark.parametrize("step", [1, 20])
def test_beside_readings_a_unit_is_guessed_as_that_of_the_readings_is(step: int) -> None:
    found = read_as("frame_table", "p1.csv", of_rows([f"{step * row}" for row in range(5)]))
    assert only(found) == [(0, 3e-3 * step, "lie"), (3e-3 * step, pytest.approx(5e-3 * step), "sit")]
    (told,) = found.remarks
    assert told.what.startswith(f"its column time is taken for milliseconds, {1000 / step:.3g} rows a second: if that")
    assert all(one.sure for one in found.videos[0].segments), "--unit ms would divide once more"


def test_times_count_before_numbers_of_rows() -> None:
    text = "index,timestamp,label\n" + "".join(f"{row},{row / 4},dig\n" for row in range(4))
    assert only(read_as("frame_table", "a.csv", text)) == [(0, 1, "dig")]


def test_frames_may_count_from_one() -> None:
    (video,) = read_as("frame_table", "a.csv", "frame,label\n1,dig\n2,dig\n3,dig\n4,rest\n").videos
    assert (video.unit, in_seconds(video)) == ("frames", [(0, 3, "dig"), (3, 4, "rest")])


def test_readings_without_a_clock_come_evenly() -> None:
    (video,) = read_as("frame_table", "a.csv", "x,y,label\n1,2,dig\n2,3,dig\n3,4,dig\n,5,rest\n").videos
    assert (video.unit, in_seconds(video)) == ("frames", [(0, 3, "dig"), (3, 4, "rest")])
    assert not holds_labels(Document("a.csv", b"x,note,label\n1,up,dig\n2,up,dig\n3,up,dig\n4,up,dig\n"))


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


@pytest.mark.parametrize("start", [0, 1.7e9])
@pytest.mark.parametrize("header", ["time,x,label", "time,label"])
def test_rows_that_share_a_time_are_spread_until_the_next(header: str, start: float) -> None:
    rows = [[f"{start + row // 5:.0f}", "0.5", "sit" if row > 12 else "lie"] for row in range(25)]
    text = "\n".join([header, *(",".join(row if "x" in header else row[::2]) for row in rows)])
    found = read_as("frame_table", "p1.csv", text)
    assert only(found) == [(0, 2.6, "lie"), (2.6, 5, "sit")]
