import io
import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from threading import Event
from time import sleep
from typing import Any

import av
import numpy as np
import pytest

from actionformer.core.errors import InputError
from actionformer.video.reader import VideoReader
from actionformer.viewer.media import conversions as conversions_module
from actionformer.viewer.media.conversions import Conversions
from actionformer.viewer.media.playability import playability_of
from actionformer.viewer.media.segments import SEGMENT_SECONDS, NoPictureError, encode_segment

FPS = 10
TONE = 1000  # Hz


@pytest.fixture
def conversions() -> Iterator[Conversions]:
    with closing(Conversions()) as made:
        yield made


def write(
    path: Path,
    codec: str,
    *,
    pixels: str = "yuv420p",
    sound: str | None = None,
    rate: int = 48_000,
    size: tuple[int, int] | int = 128,
    seconds: float = 1,
    frames: int | None = None,
) -> Path:
    """A picture that grows brighter for two seconds and again, and a tone."""
    width, height = size if isinstance(size, tuple) else (size, size)
    with av.open(str(path), "w", format="mpeg" if path.suffix == ".mpg" else None) as file:
        stream: Any = file.add_stream(codec, rate=FPS)
        stream.width, stream.height, stream.pix_fmt = width, height, pixels
        stream.bit_rate = 4_000_000
        voice: Any = file.add_stream(sound, rate=rate) if sound else None
        for i in range(frames or round(seconds * FPS)):
            noise = np.random.default_rng(i).integers(
                0, 40, (height, width, 3), np.uint8
            )  # frames as large as real ones
            image = 10 * np.uint8(i % 20) + noise
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = i, Fraction(1, FPS)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
        if voice:
            times = np.arange(round(seconds * rate)) / rate
            wave = np.round(0.5 * 32767 * np.sin(2 * np.pi * TONE * times)).astype(np.int16)
            tone = av.AudioFrame.from_ndarray(np.repeat(wave, 2)[None], format="s16", layout="stereo")
            tone.sample_rate, tone.pts = rate, 0
            file.mux([*voice.encode(tone), *voice.encode()])
    return path


def brightness(path: Path) -> list[tuple[float, float]]:
    """Time and mean of every frame."""
    with VideoReader(path) as video:
        return [(round(frame.time, 3), float(frame.image().mean())) for frame in video.frames()]


@pytest.mark.parametrize(
    ("name", "codec", "pixels", "way"),
    [
        ("a.mp4", "libx264", "yuv420p", "file"),
        ("a.webm", "libvpx-vp9", "yuv420p", "file"),
        ("a.mkv", "libx264", "yuv420p", "remux"),
    ],
)
def test_what_browsers_play_stays_frame_for_frame(
    conversions: Conversions, tmp_path: Path, name: str, codec: str, pixels: str, way: str
) -> None:
    path = write(tmp_path / name, codec, pixels=pixels)
    assert conversions.playability(path).way == way
    playable, media_type = conversions.playable(path)
    assert (playable == path) == (way == "file")
    assert media_type == ("video/webm" if name == "a.webm" else "video/mp4")
    assert same(brightness(playable), brightness(path))
    assert conversions.playable(path)[0] == playable  # once
    with pytest.raises(NoPictureError, match="played as a whole"):
        conversions.segment(path, 0)


@pytest.mark.parametrize(
    ("name", "codec", "pixels"),
    [
        ("a.mkv", "mpeg4", "yuv420p"),
        ("a.mp4", "libx264", "yuv444p"),
        ("a.avi", "libx264", "yuv420p"),
        ("a.avi", "rawvideo", "bgr24"),
        ("a.mpg", "mpeg2video", "yuv420p"),
    ],
)
def test_what_no_browser_plays_comes_in_segments_that_join(
    conversions: Conversions, tmp_path: Path, name: str, codec: str, pixels: str
) -> None:
    path = write(tmp_path / name, codec, pixels=pixels, seconds=7)
    look = conversions.playability(path)
    assert (look.way, look.media_type) == ("transcode", 'video/mp4; codecs="avc1.64002a"')
    assert look.duration == pytest.approx(7, abs=0.01)
    segments = [tmp_path / f"{number}.mp4" for number in (2, 0, 1)]  # in any order
    for segment in segments:
        content, media_type = conversions.segment(path, int(segment.stem))
        assert media_type == look.media_type
        segment.write_bytes(content)
    assert [timing(segment) for segment in sorted(segments)] == [
        (0, SEGMENT_SECONDS, "64002a"),
        (0, SEGMENT_SECONDS, "64002a"),
        (0, pytest.approx(7 - 2 * SEGMENT_SECONDS, abs=0.06), "64002a"),
    ]
    joined = [
        (int(segment.stem) * SEGMENT_SECONDS + time, level)
        for segment in sorted(segments)
        for time, level in brightness(segment)
    ]
    assert same(joined, brightness(path))
    for number in (3, 10**30):
        with pytest.raises(NoPictureError, match=r"no picture from \S+ s on: "):
            conversions.segment(path, number)
    with pytest.raises(InputError, match="only in segments"):
        conversions.playable(path)


def same(shown: list[tuple[float, float]], expected: list[tuple[float, float]]) -> bool:
    """Whether frames have the same times and the same brightness, as far as that survives encoding."""
    differences = np.abs(np.array(shown) - np.array(expected))
    return len(shown) == len(expected) and bool(np.all(differences <= [0.002, 4]))


def timing(segment: Path) -> tuple[float, float, str]:
    """When the first frame begins, when the last one ends, and profile and level of H.264 in hexadecimal."""
    with av.open(str(segment)) as file:
        stream = file.streams.video[0]
        packets = [packet for packet in file.demux(stream) if packet.size]
        extra = stream.codec_context.extradata or b""
        assert packets[0].is_keyframe
        assert stream.time_base is not None
        assert all(packet.pts == packet.dts for packet in packets)
        end = (stream.duration or 0) * stream.time_base
        return float((packets[0].pts or 0) * stream.time_base), float(end), extra[1:4].hex()


def test_sound_that_mp4_holds_comes_along(conversions: Conversions, tmp_path: Path) -> None:
    path = write(tmp_path / "a.mkv", "libx264", sound="aac")
    playable, _ = conversions.playable(path)
    with av.open(str(playable)) as file:
        assert [stream.type for stream in file.streams] == ["video", "audio"]


@pytest.mark.parametrize(
    ("file_rate", "name", "codec"), [(48_000, "a.avi", "ac3"), (44_100, "a.mkv", "flac"), (44_100, "b.mkv", "aac")]
)
def test_sound_goes_on_from_segment_to_segment(tmp_path: Path, file_rate: int, name: str, codec: str) -> None:
    """A tone decoded from joined segments is the tone: no gap, no click, no shift."""
    path = write(tmp_path / name, "mpeg4", sound=codec, rate=file_rate, seconds=13)
    sound, frames = [], 0
    decoder: Any = None
    for number in range(4):
        with av.open(io.BytesIO(encode_segment(path, number, sound=True))) as file:
            stream = file.streams.audio[0]
            if decoder is None:
                decoder = av.CodecContext.create("aac", "r")
                decoder.extradata = stream.codec_context.extradata
            packets = [packet for packet in file.demux(stream) if packet.size]
            assert [packet.pts for packet in packets] == list(range(0, 1024 * len(packets), 1024))
            frames += len(packets)
            sound += [frame.to_ndarray()[0] for packet in packets for frame in decoder.decode(packet)]
    assert frames == 4 * SEGMENT_SECONDS * 48_000 / 1024
    heard = np.concatenate(sound)
    times = np.arange(len(heard)) / 48_000
    waves = np.stack([np.sin(2 * np.pi * TONE * times), np.cos(2 * np.pi * TONE * times)], axis=1)
    inner = slice(4800, -4800)
    tone = waves @ np.linalg.lstsq(waves[inner], heard[inner])[0]  # delayed by what the file's encoder delays
    wrong = np.abs(heard - tone)[inner]
    assert wrong.max() < 0.05
    joins = [round(number * SEGMENT_SECONDS * 48_000) - 4800 for number in (1, 2, 3)]
    at_joins = max(wrong[join - 2048 : join + 2048].max() for join in joins)
    assert at_joins <= 1.5 * np.percentile(wrong, 99.9)


def test_sound_is_where_the_file_has_it(tmp_path: Path) -> None:
    """A clap and a flash at 4 s stay together, although the file's clock does not begin at 0."""
    path = tmp_path / "a.ts"
    with av.open(str(path), "w") as file:
        stream: Any = file.add_stream("mpeg2video", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        voice: Any = file.add_stream("mp2", rate=48000, layout="mono")
        for i in range(150):
            light = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 250 if i >= 100 else 0, np.uint8), format="rgb24")
            file.mux(stream.encode(light))
            clap = np.full((1, 1920), 20_000 if i >= 100 else 0, np.int16)
            clap[0, ::2] *= -1
            heard = av.AudioFrame.from_ndarray(clap, format="s16", layout="mono")
            heard.sample_rate = 48_000
            file.mux(voice.encode(heard))
        file.mux([*stream.encode(), *voice.encode()])
    segment = encode_segment(path, 1, sound=True)
    with av.open(io.BytesIO(segment)) as file:
        lit = next(frame.time for frame in file.decode(video=0) if frame.to_ndarray()[0, 0] > 128)
    with av.open(io.BytesIO(segment)) as file:
        sound = np.concatenate([frame.to_ndarray()[0] for frame in file.decode(audio=0)])
    assert lit == pytest.approx(100 / 25 - SEGMENT_SECONDS)
    assert np.argmax(np.abs(sound) > 0.1) / 48_000 == pytest.approx(100 / 25 - SEGMENT_SECONDS, abs=0.03)


def test_a_picture_stays_for_segments_until_the_next(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as file:
        stream: Any = file.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for time, level in ((0, 40), (1000, 120), (8000, 200), (8100, 210)):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), level, np.uint8), format="rgb24")
            frame.pts, frame.time_base = time, Fraction(1, 1000)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    shown = []
    for number in range(3):
        (tmp_path / "segment.mp4").write_bytes(encode_segment(path, number, sound=False))
        shown.append([(time, round(level, -1)) for time, level in brightness(tmp_path / "segment.mp4")])
        assert timing(tmp_path / "segment.mp4")[1] == pytest.approx(
            SEGMENT_SECONDS if number < 2 else 8.2 - 2 * SEGMENT_SECONDS
        )
    assert shown == [[(0.0, 40), (1.0, 120)], [(0.0, 120)], [(0.0, 120), (1.6, 200), (1.7, 210)]]


@pytest.mark.parametrize(
    ("stored", "shown"), [((63, 63), (62, 62)), ((1920, 1080), (1280, 720)), ((1080, 1920), (720, 1280))]
)
def test_sides_are_even_and_not_too_long(tmp_path: Path, stored: tuple[int, int], shown: tuple[int, int]) -> None:
    path = write(tmp_path / "a.avi", "rawvideo", pixels="bgr24", size=stored, frames=2)
    with av.open(io.BytesIO(encode_segment(path, 0, sound=False))) as file:
        assert (file.streams.video[0].width, file.streams.video[0].height) == shown


def test_without_an_encoder_of_h264_it_is_webm(
    conversions: Conversions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.avi", "mpeg4", sound="ac3")
    monkeypatch.setattr(av, "codecs_available", {"libvpx"})
    segment, media_type = conversions.segment(path, 0)
    assert media_type == 'video/webm; codecs="vp8"'
    (tmp_path / "segment.webm").write_bytes(segment)
    assert same(brightness(tmp_path / "segment.webm"), brightness(path))
    other = write(tmp_path / "b.avi", "mpeg4")
    monkeypatch.setattr(av, "codecs_available", set())
    with pytest.raises(InputError, match="encodes neither"):
        conversions.playability(other)


def test_a_damaged_file_is_played_as_far_as_it_goes(conversions: Conversions, tmp_path: Path) -> None:
    path = write(tmp_path / "a.avi", "rawvideo", pixels="bgr24", seconds=10)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    (tmp_path / "segment.mp4").write_bytes(conversions.segment(path, 1)[0])
    assert 0 < timing(tmp_path / "segment.mp4")[1] <= SEGMENT_SECONDS
    with pytest.raises(NoPictureError, match=r"from 6\.4 s on: a\.avi"):
        conversions.segment(path, 2)


def test_segments_are_made_once_and_the_longest_unused_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []

    def encode(path: Path, number: int, sound: bool) -> bytes:
        made.append(number)
        sleep(0.05)
        return bytes(400)

    monkeypatch.setattr(conversions_module, "encode_segment", encode)
    path = write(tmp_path / "a.avi", "mpeg4", seconds=13)
    with closing(Conversions(most_segments=1000)) as conversions, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: conversions.segment(path, 0), range(8)))
        assert made == [0]
        for number in (1, 0, 2, 0):
            conversions.segment(path, number)
        assert made == [0, 1, 2]
        conversions.segment(path, 1)
        assert made == [0, 1, 2, 1]
        path.touch()
        os.utime(path, ns=(0, 0))  # another file
        conversions.segment(path, 0)
        assert made == [0, 1, 2, 1, 0]


def test_the_copies_that_were_not_asked_for_longest_go(tmp_path: Path) -> None:
    first, second = (write(tmp_path / name, "libx264") for name in ("a.mkv", "b.mkv"))
    with closing(Conversions(most_copies=1)) as conversions:
        one, _ = conversions.playable(first)
        assert one.is_file()
        two, _ = conversions.playable(second)
        assert (one.exists(), two.exists()) == (False, True)
        again, _ = conversions.playable(first)
        assert (again.exists(), two.exists()) == (True, False)
        again.unlink()  # temporary folders are swept
        assert conversions.playable(first)[0].is_file()


def test_nothing_stays_when_the_viewer_ends_while_a_segment_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, ended = Event(), Event()

    def encode(path: Path, number: int, sound: bool) -> bytes:
        begun.set()
        ended.wait(20)
        return b"late"

    monkeypatch.setattr(conversions_module, "encode_segment", encode)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    path = write(tmp_path / "a.avi", "mpeg4")
    conversions = Conversions()
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(conversions.segment, path, 0)
        assert begun.wait(20)
        conversions.close()
        ended.set()
        assert late.result()[0] == b"late"
    assert list((tmp_path / "temporary").iterdir()) == []


def test_what_is_no_video_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"nothing of the kind")
    with pytest.raises(InputError, match="not a readable video"):
        playability_of(tmp_path / "a.mp4")


def test_copies_go_with_the_viewer(conversions: Conversions, tmp_path: Path) -> None:
    playable, _ = conversions.playable(write(tmp_path / "a.mkv", "libx264"))
    assert playable.is_file()
    conversions.close()
    assert not playable.exists()
