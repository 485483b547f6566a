"""Detections in the formats of annotation tools, from outside."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from numbered import FrameOf, WriteVideo

from actionformer.formats.recognition import read_labels
from actionformer.formats.rows import VideoRows
from actionformer.recipes.rates import with_rates

FOUND = """video,label,start,end,score
clip0,left,1.0,2.25,0.9
clip0,left,2.0,3.0,0.2
clip1,right,0.5,1.5,0.6
"""


@pytest.fixture
def found(tmp_path: Path) -> Path:
    path = tmp_path / "found.csv"
    path.write_text(FOUND, "utf-8")
    return path


def test_a_project_of_boris_has_frames_beside_seconds(
    call: Callable[..., Any], found: Path, tmp_path: Path, videos: Path
) -> None:
    out = tmp_path / "found.boris"
    assert call("export-detections", found, "--videos", videos, "--out", out).code == 0
    observations = json.loads(out.read_text("utf-8"))["observations"]
    assert [(one[0], one[2], one[4], one[5]) for one in observations["clip0"]["events"]] == [
        (1.0, "left", "0.900", 10),
        (2.25, "left", "", 22),
    ]
    path = str(videos / "clip1.mp4")
    assert observations["clip1"]["file"]["1"] == [path]
    assert observations["clip1"]["media_info"]["fps"] == {path: 10.0}


def test_a_file_per_video_in_a_folder(call: Callable[..., Any], found: Path, tmp_path: Path) -> None:
    out = tmp_path / "tracks"
    done = call("export-detections", found, "--format", "audacity", "--out", out, "--min-score", "0")
    assert done.out.splitlines() == [f"written: {out / 'clip0.txt'}", f"written: {out / 'clip1.txt'}"]
    (video,) = read_labels(out / "clip0.txt").videos
    assert [(one.start, one.end, one.label) for one in video.segments] == [(1, 2.25, "left"), (2, 3, "left")]


def test_cvat_gets_a_file_per_video_in_its_frames(
    call: Callable[..., Any], found: Path, tmp_path: Path, videos: Path
) -> None:
    out = tmp_path / "tracks"
    options = ("--format", "cvat", "--out", out, "--min-score", "0")
    assert call("export-detections", found, "--videos", videos, *options).code == 0
    (video,) = read_labels(out / "clip0.xml").videos
    assert (video.name, [(one.start, one.end) for one in video.segments]) == ("clip0.mp4", [(10, 22), (20, 30)])
    assert call("export-detections", found, "--fps", "100", *options, "--overwrite").code == 0
    (video,) = read_labels(out / "clip1.xml").videos
    assert [(one.start, one.end) for one in video.segments] == [(50, 150)]


def test_what_cannot_be_written_is_refused(refused: Callable[..., str], found: Path, tmp_path: Path) -> None:
    frames = refused("export-detections", found, "--format", "label-studio", "--out", tmp_path / "a.json")
    assert "video 'clip0': Label Studio counts frames, and nothing says how many a second" in frames
    several = refused("export-detections", found, "--out", tmp_path / "a.srt")
    assert "srt holds one video per file: give a folder" in several
    assert "exists" in refused("export-detections", found, "--format", "via3", "--out", found)


def test_results_of_a_video_get_its_rate(videos: Path) -> None:
    rows = [VideoRows("clip0", [], str(videos / "clip0.mp4")), VideoRows("clip1", [], "features/clip1.npy")]
    first, second = with_rates(rows)
    assert (first.fps, first.duration, second.fps) == (10.0, 6.0, None)


@pytest.mark.parametrize(("format_", "said"), [("cvat", 1), ("boris", 0)])
def test_numbers_of_pictures_that_do_not_come_steadily_are_said(
    call: Callable[..., Any], tmp_path: Path, write_video: WriteVideo, frame_of: FrameOf, format_: str, said: int
) -> None:
    late = [1.5 + number / 10 for number in range(20)]
    write_video(tmp_path / "clip0.mp4", list(map(frame_of, range(20))), fps=10, times=late, audio_seconds=4)
    (tmp_path / "found.csv").write_text("video,label,start,end,score\nclip0,left,2,3,0.9\n", "utf-8")
    given = ("--videos", tmp_path / "clip0.mp4", "--format", format_, "--out", tmp_path / f"out.{format_}")
    done = call("export-detections", tmp_path / "found.csv", *given)
    assert done.code == 0
    assert done.err.count("pictures lie elsewhere in clip0 (up to 1.50 s)") == said
