"""The length of a video that states none is measured."""

from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from actionformer.core.detections import Detections
from actionformer.formats.detections import write_results
from actionformer.video.reader import VideoReader
from actionformer.viewer.media.conversions import Conversions
from actionformer.viewer.media.length import measured
from actionformer.viewer.media.playability import playability_of
from actionformer.viewer.opening import open_project
from actionformer.viewer.options import ViewerOptions
from actionformer.viewer.start import services_for


def write(path: Path, codec: str, seconds: float, **options: Any) -> Path:
    """Grey pictures, 10 a second, in a container that states no duration where that can be."""
    with av.open(str(path), "w", **options) as file:
        stream: Any = file.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for i in range(round(10 * seconds)):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 2 * i % 256, np.uint8), format="rgb24")
            frame.pts, frame.time_base = i, Fraction(1, 10)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    return path


LIVE = {"options": {"live": "1"}}
KINDS = [("v.webm", "libvpx", LIVE), ("v.mkv", "libx264", LIVE), ("v.ts", "libx264", {}), ("v.mpg", "mpeg2video", {})]


@pytest.mark.parametrize(("name", "codec", "options"), KINDS, ids=[name for name, *_ in KINDS])
def test_a_length_that_is_not_stated_is_measured(tmp_path: Path, name: str, codec: str, options: Any) -> None:
    path = write(tmp_path / name, codec, 7.0, **options)
    with VideoReader(path) as video:
        *_, last = video.frames()
    assert playability_of(path).duration == pytest.approx(last.time + 0.1, abs=0.06)
    write_results(tmp_path / "found.json", {"v": Detections([[0.0, 90.0]], [0.5], [0], ("left",))})
    services = services_for(open_project(ViewerOptions(tmp_path / "found.json", videos=tmp_path)))
    with closing(services):
        assert services.facts.all()["videos"][0]["duration"] is None  # until the video is opened
        assert services.videos.of("v", 0.5)["duration"] == pytest.approx(7.0, abs=0.06)


def test_joined_recordings_are_as_long_as_both_and_are_encoded(tmp_path: Path) -> None:
    path = write(tmp_path / "v.ts", "libx264", 3.0)
    assert playability_of(path).way == "remux"
    path.write_bytes(2 * path.read_bytes())
    look = playability_of(path)
    with VideoReader(path) as video:
        *_, last = video.frames()
        assert video.jumps == 1
    assert look.duration == pytest.approx(last.time + 0.1, abs=0.15) == pytest.approx(6.0, abs=0.15)
    assert look.way == "transcode"  # a copy would keep the jump
    assert measured(path).jumps == 1


def test_a_growing_file_is_measured_again(tmp_path: Path) -> None:
    whole = write(tmp_path / "whole.ts", "mpeg2video", 6.0).read_bytes()
    path = tmp_path / "v.ts"
    path.write_bytes(whole[: len(whole) // 2 // 188 * 188])
    with closing(Conversions()) as conversions:
        first = conversions.playability(path).duration
        path.write_bytes(whole)
        assert 0 < first < 4.5 < conversions.playability(path).duration == pytest.approx(6.0, abs=0.06)
