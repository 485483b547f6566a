"""Names of label files and the videos that they mean."""

import pytest

from actionformer.labels.matching import VideoNames, id_of

VIDEOS = VideoNames(["day1/Clip 7", "day2/Clip 7", "day1/kitchen.v2", "Übung", "run"])


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("run", ["run"]),
        ("run.MP4", ["run"]),
        (r"C:\Users\me\videos\RUN.avi", ["run"]),
        ("file:///D:/films/run.mpg", ["run"]),
        ("/data/upload/1/ab12cd34-run.mp4", ["run"]),
        ("https://host/a/run.mp4?token=run", ["run"]),
        ("U\u0308bung.mov", ["Übung"]),
        ("file:///home/x/%C3%9Cbung.mp4", ["Übung"]),
        ("kitchen.v2", ["day1/kitchen.v2"]),
        ("kitchen.v2.mp4", ["day1/kitchen.v2"]),
        ("Clip 7.mp4", ["day1/Clip 7", "day2/Clip 7"]),
        (r"E:\day2\clip 7.mp4", ["day2/Clip 7"]),
        ("/data/upload/12/0123abcd-Clip_7.mp4", ["day1/Clip 7", "day2/Clip 7"]),
        ("runs.mp4", []),
        ("", []),
    ],
)
def test_videos_that_a_name_may_mean(name: str, ids: list[str]) -> None:
    assert VIDEOS.meant(name) == ids


@pytest.mark.parametrize(
    ("name", "id_"),
    [
        (r"C:\a\b.mp4", "b"),
        ("b", "b"),
        ("video_test.0001", "video_test.0001"),
        ("/data/upload/1/ab12cd34-b.mp4", "b"),
        ("ab12cd34-b.mp4", "ab12cd34-b"),
        ("sensor.csv", "sensor"),
        ("/", "/"),
    ],
)
def test_what_a_video_is_called_where_none_are_given(name: str, id_: str) -> None:
    assert id_of(name) == id_
