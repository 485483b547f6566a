"""The recordings that labels are of."""

from pathlib import Path

import av
import pytest
from numbered import FrameOf, WriteVideo

from actionformer.core.errors import InputError
from actionformer.labels import read_recordings
from actionformer.labels.recordings import said_of_uneven
from actionformer.video.reader import VideoReader


def test_a_file_is_opened_when_it_is_asked_for(tmp_path: Path, videos: Path) -> None:
    for name in ("clip0", "broken"):
        (tmp_path / f"{name}.mp4").write_bytes((videos / "clip0.mp4").read_bytes() if name == "clip0" else b"x" * 99)
    found = read_recordings([tmp_path])
    assert (sorted(found), len(found), found["clip0"].fps) == (["broken", "clip0"], 2, 10.0)
    assert found["clip0"] is found["clip0"]
    with pytest.raises(InputError, match=r"broken\.mp4"):
        found["broken"]


def test_pictures_that_do_not_come_steadily_are_said(
    tmp_path: Path, write_video: WriteVideo, frame_of: FrameOf
) -> None:
    images = [frame_of(number) for number in range(20)]
    steady = [number / 10 for number in range(20)]
    write_video(tmp_path / "steady.mp4", images, fps=10, times=steady, audio_seconds=3)
    write_video(tmp_path / "late.mp4", images, fps=10, times=[1.5 + time for time in steady], audio_seconds=3)
    write_video(tmp_path / "slower.mkv", images, fps=10, times=[max(time, 2 * time - 1) for time in steady])
    found = read_recordings([tmp_path])
    assert {id_: round(one.uneven_by, 2) for id_, one in found.items()} == {"steady": 0, "late": 1.5, "slower": 0.9}
    assert said_of_uneven([found["steady"]], "label a copy") is None
    assert said_of_uneven(found.values(), "label a copy") == (
        "frame numbers are taken as time * rate, and pictures lie elsewhere in late (up to 1.50 s), slower (up to 0.90 "
        "s), as the rate varies or the first one is late: label a copy that has a steady rate "
        "('ffmpeg -i VIDEO -vf fps=30:start_time=0 COPY' makes one)"
    )


def test_pictures_of_most_containers_come_steadily(tmp_path: Path, write_video: WriteVideo, frame_of: FrameOf) -> None:
    for ending in ("avi", "mkv", "mov", "mp4", "ts"):
        write_video(tmp_path / f"{ending}.{ending}", [frame_of(number) for number in range(60)], fps=29.97)
    assert {id_: one.uneven_by for id_, one in read_recordings([tmp_path]).items()} == dict.fromkeys(
        ("avi", "mkv", "mov", "mp4", "ts"), 0.0
    )


@pytest.mark.parametrize("ending", ["mkv", "avi"])
def test_a_file_that_was_cut_short_lasts_as_long_as_it_can_be_read(
    tmp_path: Path, write_video: WriteVideo, frame_of: FrameOf, ending: str
) -> None:
    whole, cut = tmp_path / f"whole.{ending}", tmp_path / f"cut.{ending}"
    write_video(whole, [frame_of(number) for number in range(100)], fps=10, options={"g": "5"})
    content = whole.read_bytes()
    cut.write_bytes(content[: len(content) // 2])
    found = read_recordings([tmp_path])
    assert (found["whole"].duration, found["whole"].stated) == (pytest.approx(10, abs=0.1), None)
    with VideoReader(cut) as video:
        last = max(frame.time + frame.duration for frame in video.frames())
    assert found["cut"].stated == pytest.approx(10, abs=0.1)
    assert found["cut"].duration == pytest.approx(last, abs=0.11)
    assert 0.5 < last < 9


def test_a_last_picture_that_stays_on_the_screen_is_no_loss(
    tmp_path: Path, write_video: WriteVideo, frame_of: FrameOf
) -> None:
    write_video(tmp_path / "all.mp4", [frame_of(number) for number in range(20)], fps=10, options={"bf": "0"})
    with av.open(str(tmp_path / "all.mp4")) as source, av.open(str(tmp_path / "held.mp4"), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        packets = [packet for packet in source.demux(video=0) if packet.size]
        packets[-1].duration = round(5 / packets[-1].time_base)
        for packet in packets:
            packet.stream = stream
            target.mux(packet)
    held = read_recordings([tmp_path])["held"]
    assert (held.duration, held.stated) == (pytest.approx(6.9, abs=0.1), None)


def test_tables_of_readings_are_no_videos_and_need_none(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    with pytest.raises(
        InputError, match=r"give --fps, how many labels or rows come a second, in place of --videos"
    ) as it:
        read_recordings([tmp_path])
    assert "numpy.save" not in str(it.value)
