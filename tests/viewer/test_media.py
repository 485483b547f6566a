from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from actionformer.errors import InputError
from actionformer.video.reader import Video
from actionformer.viewer import media
from actionformer.viewer.media import Conversions, look_at

FPS = 10


@pytest.fixture
def conversions() -> Iterator[Conversions]:
    with closing(Conversions()) as made:
        yield made


def write(path: Path, codec: str, *, pixels: str = "yuv420p", sound: str | None = None, size: int = 64) -> Path:
    """A second of a picture that grows brighter."""
    with av.open(str(path), "w") as file:
        stream: Any = file.add_stream(codec, rate=FPS)
        stream.width, stream.height, stream.pix_fmt = size, size, pixels
        voice: Any = file.add_stream(sound, rate=48000) if sound else None
        for i in range(FPS):
            image = np.full((size, size, 3), 20 * i, np.uint8)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        file.mux(stream.encode())
        if voice:
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 960 * 2), np.int16), format="s16", layout="stereo")
            silence.rate = 48000
            file.mux(voice.encode(silence))
            file.mux(voice.encode())
    return path


def brightness(path: Path) -> list[tuple[float, float]]:
    """Time and mean of every frame."""
    with Video(path) as video:
        return [(round(frame.time, 3), float(frame.image().mean())) for frame in video.frames()]


@pytest.mark.parametrize(
    ("name", "codec", "pixels", "way"),
    [
        ("a.mp4", "libx264", "yuv420p", "file"),
        ("a.webm", "libvpx-vp9", "yuv420p", "file"),
        ("a.mkv", "libx264", "yuv420p", "remux"),
        ("a.mkv", "mpeg4", "yuv420p", "transcode"),
        ("a.mp4", "libx264", "yuv444p", "transcode"),
        ("a.avi", "libx264", "yuv420p", "transcode"),
        ("a.mpg", "mpeg2video", "yuv420p", "transcode"),
    ],
)
def test_what_a_browser_needs_and_that_frames_stay_as_they_are(
    conversions: Conversions, tmp_path: Path, name: str, codec: str, pixels: str, way: str
) -> None:
    path = write_mpeg(tmp_path / name) if name == "a.mpg" else write(tmp_path / name, codec, pixels=pixels)
    assert conversions.look(path).way == way
    playable, media_type = conversions.playable(path)
    assert (playable == path) == (way == "file")
    assert media_type == ("video/webm" if name == "a.webm" else "video/mp4")
    assert way == "file" or codec_of(playable) == "h264"
    shown, expected = brightness(playable), brightness(path)
    assert len(shown) == len(expected)
    np.testing.assert_allclose(np.array(shown), np.array(expected), atol=4)
    np.testing.assert_allclose([time for time, _ in shown], [time for time, _ in expected], atol=0.002)
    assert conversions.playable(path)[0] == playable  # once


def write_mpeg(path: Path) -> Path:
    with av.open(str(path), "w", format="mpeg") as file:
        stream: Any = file.add_stream("mpeg2video", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for i in range(10):
            image = np.full((64, 64, 3), 20 * i, np.uint8)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        file.mux(stream.encode())
    return path


def codec_of(path: Path) -> str:
    with av.open(str(path)) as file:
        return str(file.streams.video[0].codec_context.name)


def test_sound_that_mp4_holds_comes_along(conversions: Conversions, tmp_path: Path) -> None:
    path = write(tmp_path / "a.mkv", "libx264", sound="aac")
    playable, _ = conversions.playable(path)
    with av.open(str(playable)) as file:
        assert [stream.type for stream in file.streams] == ["video", "audio"]


def test_odd_sizes_lose_a_row_and_a_column(conversions: Conversions, tmp_path: Path) -> None:
    path = write(tmp_path / "a.avi", "rawvideo", pixels="bgr24", size=63)
    playable, _ = conversions.playable(path)
    with Video(playable) as video:
        assert (video.stream.width, video.stream.height) == (62, 62)


def test_without_an_encoder_of_h264_it_is_webm(
    conversions: Conversions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.avi", "mpeg4")
    monkeypatch.setattr(media.av, "codecs_available", {"libvpx"})
    playable, media_type = conversions.playable(path)
    assert media_type == "video/webm"
    assert codec_of(playable) == "vp8"
    assert len(brightness(playable)) == FPS
    other = write(tmp_path / "b.avi", "mpeg4")
    monkeypatch.setattr(media.av, "codecs_available", set())
    with pytest.raises(InputError, match="encodes neither"):
        conversions.playable(other)


def test_what_is_no_video_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"nothing of the kind")
    with pytest.raises(InputError, match="not a readable video"):
        look_at(tmp_path / "a.mp4")


def test_copies_go_with_the_viewer(conversions: Conversions, tmp_path: Path) -> None:
    playable, _ = conversions.playable(write(tmp_path / "a.mkv", "libx264"))
    assert playable.is_file()
    conversions.close()
    assert not playable.exists()
