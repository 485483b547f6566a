"""EPIC-Kitchens' verbs and nouns."""

from pathlib import Path

import pytest
from labelled import read_as

HEADER = "narration_id,video_id,start_timestamp,stop_timestamp,start_frame,stop_frame,verb,verb_class,noun,noun_class\n"
ROW = "P01_11_1,P01_11,00:00:01.56,01:00:02.450,93,147,put-down,1,plate,2\n"


def test_a_verb_and_a_noun_a_row_by_the_timestamps() -> None:
    found = read_as("epic", "EPIC_100_train.csv", HEADER + ROW)
    (video,) = found.videos
    assert (video.name, video.subset, video.fps) == ("P01_11", "training", None)
    assert [(one.start, one.end, one.label, one.layer) for one in video.segments] == [
        (1.56, 3602.45, "verb 1", "verb"),
        (1.56, 3602.45, "noun 2", "noun"),
    ]
    assert [one.what for one in found.remarks] == [
        "verb classes have numbers and no names: put EPIC_100_verb_classes.csv beside the file",
        "noun classes have numbers and no names: put EPIC_100_noun_classes_v2.csv beside the file",
    ]


def test_lists_beside_it_name_classes_and_know_videos(tmp_path: Path) -> None:
    (tmp_path / "EPIC_100_verb_classes.csv").write_text("id,key\n1,put\n", encoding="utf-8")
    (tmp_path / "EPIC_100_noun_classes_v2.csv").write_text('"id","key"\n2,"plate"\n', encoding="utf-8")
    (tmp_path / "EPIC_100_video_info.csv").write_text("video_id,duration,fps\nP01_11,561.5,59.94\n", encoding="utf-8")
    (tmp_path / "EPIC_100_validation.csv").write_text(HEADER + ROW, encoding="utf-8")
    found = read_as("epic", tmp_path / "EPIC_100_validation.csv")
    (video,) = found.videos
    assert [one.label for one in video.segments] == ["put", "plate"]
    assert (video.subset, video.fps, video.duration, found.remarks) == ("validation", 59.94, 561.5, [])


def test_samples(shared: Path) -> None:
    found = read_as("epic", shared / "data/formats/epic_kitchens/EPIC_100_validation.csv")
    first = found.videos[0]
    assert (first.name, first.segments[0].start, first.segments[0].end) == ("P01_11", 0.0, 1.89)
    assert first.segments[3].label == "noun 2"
    whole = read_as("epic", shared / "data/annotations/epic100/EPIC_100_validation.csv")
    assert (len(whole.videos), sum(len(video.segments) for video in whole.videos)) == (138, 2 * 9668)
    assert whole.videos[0].segments[0].label == "take"
    assert whole.videos[0].duration == pytest.approx(561.527633)
