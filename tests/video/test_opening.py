"""Which streams of a file are its video and its sound, and texts in it that are not UTF-8: all readers agree."""

import re
import struct
import threading
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.stream import Disposition

import actionformer
from actionformer.core.detections import Detections
from actionformer.core.errors import InputError
from actionformer.video.live import LiveVideoReader
from actionformer.video.opening import opened, streams_of
from actionformer.video.overlay import write_overlay
from actionformer.video.reader import VideoReader
from actionformer.video.sources import source_of
from actionformer.viewer.media.playability import playability_of
from actionformer.viewer.media.remux import remux
from actionformer.viewer.media.segments import encode_segment
from actionformer.viewer.media.sound import sound_between

Write = Callable[..., Path]

NOTHING = Detections(np.empty((0, 2)), np.empty(0), np.empty(0, dtype=np.int64), ("jump",))
MOVING, STILL = (64, 48), (160, 120)
"""Sizes, by which tests know what they see."""


def write_streams(path: Path, *streams: tuple[str, int, Disposition | int], **options: Any) -> Path:
    """A file of several streams of pictures: codec, number of pictures (one is a still), disposition."""
    with av.open(str(path), "w", **options) as file:
        added: list[Any] = []
        for codec, count, disposition in streams:
            stream: Any = file.add_stream(codec, rate=25)
            stream.width, stream.height = MOVING if count > 1 else STILL
            stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
            stream.disposition = disposition
            added.append(stream)
        packets = []
        for stream, (_, count, _) in zip(added, streams, strict=True):
            for i in range(count):
                image = np.full((stream.height, stream.width, 3), 8 * i % 256, np.uint8)
                frame = av.VideoFrame.from_ndarray(image, format="rgb24")
                frame.pts, frame.time_base = i, Fraction(1, 25)
                packets += stream.encode(frame)
            packets += stream.encode()
        for packet in sorted(packets, key=lambda packet: packet.dts * packet.time_base):
            file.mux(packet)
    return path


def cover_first(path: Path) -> Path:
    """Moves the cover of an MP4 before its tracks, as cameras and drones write it: it becomes stream 0."""
    content = path.read_bytes()
    at = content.index(b"moov") - 4
    end = at + struct.unpack(">I", content[at : at + 4])[0]
    boxes, place = [], at + 8
    while place < end:
        size = struct.unpack(">I", content[place : place + 4])[0]
        boxes.append(content[place : place + size])
        place += size
    boxes.sort(key=lambda box: [b"mvhd", b"udta"].index(box[4:8]) if box[4:8] in (b"mvhd", b"udta") else 2)
    path.write_bytes(content[: at + 8] + b"".join(boxes) + content[end:])
    return path


def test_files_are_opened_in_one_place() -> None:
    """Whoever reads a file elsewhere would choose other streams, or fail at texts that are not UTF-8."""
    sources = Path(actionformer.__file__).parent
    opening = {
        path.relative_to(sources).as_posix()
        for path in sources.rglob("*.py")
        for call in re.findall(r"av\.open\(.*", path.read_text())
        if '"w"' not in call
    }
    assert opening == {"video/opening.py"}


DEFAULT, COVER = Disposition.default, Disposition.attached_pic
FIRST_STREAMS = {
    "a marked cover": ("a.mp4", [("libx264", 50, DEFAULT), ("mjpeg", 1, COVER)], {}),
    "a default still in MP4": ("a.mp4", [("mjpeg", 1, DEFAULT), ("libx264", 50, 0)], {}),
    "a default still in Matroska": ("a.mkv", [("mjpeg", 1, DEFAULT), ("libx264", 50, 0)], {}),
    "a still of the same codec": ("a.mkv", [("libx264", 1, DEFAULT), ("libx264", 50, 0)], {}),
    "an unmarked still": ("a.mkv", [("mjpeg", 1, 0), ("libx264", 50, DEFAULT)], {}),
    "a still in AVI": ("a.avi", [("mjpeg", 1, 0), ("mpeg4", 50, 0)], {}),
    "a still in fragments": (
        "a.mp4", [("mjpeg", 1, DEFAULT), ("libx264", 50, 0)], {"options": {"movflags": "empty_moov+frag_keyframe"}},
    ),
}  # fmt: skip


@pytest.fixture(params=list(FIRST_STREAMS.values()), ids=list(FIRST_STREAMS))
def covered(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A video whose first stream is another picture."""
    name, streams, options = request.param
    path = write_streams(tmp_path / name, *streams, **options)
    return cover_first(path) if streams[-1][2] == COVER else path


def test_a_picture_before_the_video_is_not_the_video(covered: Path, tmp_path: Path) -> None:
    with VideoReader(covered) as video:
        assert video.stream.index == 1
        frames = [(frame.decoded.width, frame.decoded.height) for frame in video.frames()]
    assert frames == 50 * [MOVING]
    write_overlay(covered, NOTHING, tmp_path / "drawn.mp4")
    with VideoReader(tmp_path / "drawn.mp4") as drawn:
        assert len(list(drawn.frames())) in (50, 51)  # a picture stands before those that begin late
    with opened(str(covered), covered.name) as file:
        assert streams_of(file, str(covered)).video.index == 1


def test_a_picture_before_the_video_is_not_what_browsers_get(covered: Path, tmp_path: Path) -> None:
    look = playability_of(covered)
    marked = covered.suffix == ".mp4" and streams_alone(covered)
    assert look.way == ("file" if marked else "transcode" if covered.suffix == ".avi" else "remux")
    if look.way == "transcode":
        (tmp_path / "made.mp4").write_bytes(encode_segment(covered, 0, sound=False))
    else:
        remux(covered, tmp_path / "made.mp4", threading.Event())
    with av.open(str(tmp_path / "made.mp4")) as file:
        (stream,) = file.streams.video
        assert (stream.width, stream.height) == MOVING
        assert len(list(file.decode(stream))) == 50


def streams_alone(path: Path) -> bool:
    with VideoReader(path) as video:
        return video.streams.alone


def test_a_picture_before_the_video_is_not_what_live_reads(covered: Path) -> None:
    with LiveVideoReader(source_of(str(covered)), 0.0, lambda: False) as video:
        assert video.stream.index == 1
        assert sum(1 for _ in video.frames()) == 50


def test_of_two_moving_streams_the_default_one_is_read(tmp_path: Path) -> None:
    path = write_streams(tmp_path / "a.mkv", ("libx264", 50, 0), ("libx264", 50, DEFAULT))
    with VideoReader(path) as video:
        assert video.stream.index == 1
    assert playability_of(path).way == "remux"  # a browser may choose the other one


def test_a_cover_alone_is_no_video_and_a_still_alone_is_one(tmp_path: Path, write_video: Write) -> None:
    one = write_streams(tmp_path / "a.mkv", ("libx264", 1, DEFAULT))
    with VideoReader(one) as video:
        assert len(list(video.frames())) == 1
    with av.open(str(tmp_path / "song.mp4"), "w") as file:
        sound: Any = file.add_stream("aac", rate=16000)
        cover: Any = file.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt, cover.disposition = 64, 48, "yuvj420p", COVER
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        silence.sample_rate, silence.pts = 16000, 0
        image = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")
        file.mux([*cover.encode(image), *cover.encode(), *sound.encode(silence), *sound.encode()])
    with pytest.raises(InputError, match=r"song\.mp4: has no video stream, it holds audio"):
        VideoReader(tmp_path / "song.mp4")


def write_two_sounds(path: Path, *dispositions: Disposition | int) -> Path:
    """A video with two sounds: silence, and a tone."""
    with av.open(str(path), "w") as file:
        stream: Any = file.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        packets = []
        sounds: list[Any] = [file.add_stream("aac", rate=48000, layout="mono") for _ in dispositions]
        for sound, disposition in zip(sounds, dispositions, strict=True):
            sound.disposition = disposition
        for _ in range(25):
            image = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")
            packets += stream.encode(image)
        packets += stream.encode()
        for sound, height in zip(sounds, (0.0, 0.5), strict=True):
            wave = (height * np.sin(np.arange(48000) * 0.05))[None].astype(np.float32)
            tone = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
            tone.sample_rate, tone.pts = 48000, 0
            packets += [*sound.encode(tone), *sound.encode()]
        for packet in sorted(packets, key=lambda packet: packet.dts * packet.time_base):
            file.mux(packet)
    return path


def loudest(path: Path) -> float:
    with av.open(str(path)) as file:
        return max(float(np.abs(frame.to_ndarray()).max()) for frame in file.decode(audio=0))


def test_the_default_sound_is_heard_everywhere(tmp_path: Path) -> None:
    path = write_two_sounds(tmp_path / "a.mkv", Disposition.visual_impaired, Disposition.default)
    assert np.abs(sound_between(path, 10_000, 20_000)).max() > 0.3
    remux(path, tmp_path / "copy.mp4", threading.Event())
    write_overlay(path, NOTHING, tmp_path / "drawn.mp4")
    assert loudest(tmp_path / "copy.mp4") > 0.3
    assert loudest(tmp_path / "drawn.mp4") > 0.3


# --- texts that are not UTF-8

TITLE = "Xitle of a vide%"


@pytest.fixture(params=["a.mp4", "a.mkv", "a.avi"])
def latin1(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A video, of which file and sound have titles in Latin-1."""
    path: Path = tmp_path / request.param
    with av.open(str(path), "w") as file:
        file.metadata["title"] = TITLE
        stream: Any = file.add_stream("mpeg4" if path.suffix == ".avi" else "libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        sound: Any = file.add_stream("aac", rate=16000)
        stream.metadata["title"] = sound.metadata["title"] = TITLE
        for _ in range(25):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")))
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 16000), np.float32), format="fltp", layout="mono")
        silence.sample_rate, silence.pts = 16000, 0
        file.mux([*stream.encode(), *sound.encode(silence), *sound.encode()])
    content = path.read_bytes()
    assert content.count(TITLE.encode()) >= 1
    path.write_bytes(content.replace(TITLE.encode(), b"\xdcbung M\xfcnch\xe9\xff\x80\xfe"[:16].ljust(16, b"x")))
    with av.open(str(path), metadata_errors="surrogateescape") as opened:  # and FFmpeg does not hide it
        assert "\udcdc" in opened.metadata["title"]
    return path


def test_metadata_that_are_not_utf_8_end_nothing(latin1: Path, tmp_path: Path) -> None:
    with VideoReader(latin1) as video:
        assert sum(1 for _ in video.frames()) == 25
    with LiveVideoReader(source_of(str(latin1)), 0.0, lambda: False) as live:
        assert sum(1 for _ in live.frames()) == 25
    write_overlay(latin1, NOTHING, tmp_path / "drawn.mkv")
    with VideoReader(tmp_path / "drawn.mkv") as drawn:
        assert drawn.streams.sound is not None
    playability_of(latin1)
    assert sound_between(latin1, 0, 1000).shape == (2, 1000)
    assert encode_segment(latin1, 0, sound=True)
    if latin1.suffix != ".avi":
        remux(latin1, tmp_path / "copy.mp4", threading.Event())
        assert loudest(tmp_path / "copy.mp4") == 0


def test_facts_that_go_beyond_the_end_of_a_file_are_refused(tmp_path: Path) -> None:
    facts = b"INFOISFT" + (4).to_bytes(4, "little") + b"Lavf"

    def riff(claimed: int) -> Path:
        content = b"WAVELIST" + claimed.to_bytes(4, "little") + facts
        path = tmp_path / f"{claimed}.wav"
        path.write_bytes(b"RIFF" + len(content).to_bytes(4, "little") + content)
        return path

    with pytest.raises(
        InputError, match=r"it: what it tells of itself would go on beyond its end: is the file whole\?$"
    ):
        opened(str(riff(1_900_000_000)), "it")
    with pytest.raises(InputError, match="it: not a readable video"):  # which FFmpeg says: there is nothing else in it
        opened(str(riff(len(facts))), "it")
