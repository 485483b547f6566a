import itertools
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition
from numbered import FrameOf, NumberIn

from actionformer.core.errors import InputError
from actionformer.video.reader import VideoReader
from actionformer.video.summary import warning_of
from actionformer.viewer.media.length import measured

Write = Callable[..., Path]


def read(
    path: Path, start: float = 0.0, stop: float = float("inf")
) -> tuple[list[float], list[np.ndarray], VideoReader]:
    with VideoReader(path) as video:
        frames = [(frame.time, frame.image()) for frame in video.frames(start, stop)]
    return [time for time, _ in frames], [image for _, image in frames], video


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("b_frames.mp4", "libx264", {"bf": "3", "g": "12"}),
        ("plain.mkv", "libx264", {"bf": "0"}),
        ("mpeg4.avi", "mpeg4", {}),
        ("reordered.avi", "mpeg4", {"bf": "2"}),
        ("vp9.webm", "libvpx-vp9", {"deadline": "realtime"}),
        ("stream.ts", "libx264", {"bf": "2"}),
        ("lossless.mkv", "ffv1", {}),
    ],
)
def test_every_frame_comes_once_with_its_time(
    tmp_path: Path,
    write_video: Write,
    frame_of: FrameOf,
    number_in: NumberIn,
    name: str,
    codec: str,
    options: dict[str, str],
) -> None:
    path = write_video(tmp_path / name, [frame_of(i) for i in range(40)], fps=25, codec=codec, options=options)
    times, images, video = read(path)
    assert [number_in(image) for image in images] == list(range(40))
    assert times == pytest.approx([i / 25 for i in range(40)], abs=2e-3)  # Matroska rounds to milliseconds
    assert video.fps == pytest.approx(25)
    assert video.end == pytest.approx(40 / 25, abs=2e-3)
    assert video.skipped == 0
    assert not video.cut_short


def test_times_of_a_variable_rate(tmp_path: Path, write_video: Write, frame_of: FrameOf, number_in: NumberIn) -> None:
    shown = [0.0, 0.04, 0.5, 0.52, 0.6, 1.3, 1.35]
    path = write_video(tmp_path / "vfr.mp4", [frame_of(i) for i in range(7)], times=shown, options={"bf": "2"})
    times, images, _ = read(path)
    assert times == pytest.approx(shown, abs=1e-3)
    assert [number_in(image) for image in images] == list(range(7))


def test_a_range_between_two_frames_has_the_one_on_the_screen(
    tmp_path: Path, write_video: Write, frame_of: FrameOf
) -> None:
    path = write_video(tmp_path / "vfr.mkv", [frame_of(i) for i in range(3)], times=[0.0, 1.0, 8.0])
    assert read(path, 3.0, 6.0)[0] == [1.0]


@pytest.mark.parametrize("rotation", [90, 180, -90])
def test_rotated_frames_come_upright(
    tmp_path: Path, write_video: Write, frame_of: FrameOf, number_in: NumberIn, rotation: int
) -> None:
    upright = [frame_of(i, (64, 128)) for i in range(5)]
    lying = [
        np.ascontiguousarray(np.rot90(image, -rotation // 90)) for image in upright
    ]  # turned by `rotation`: upright
    _, images, _ = read(write_video(tmp_path / "rotated.mp4", lying, rotation=rotation))
    assert images[0].shape == (64, 128, 3)
    assert [number_in(image) for image in images] == list(range(5))


def test_ten_bits_and_odd_sizes(tmp_path: Path, write_video: Write, frame_of: FrameOf, number_in: NumberIn) -> None:
    ten = write_video(tmp_path / "ten.mkv", [frame_of(i) for i in range(6)], codec="ffv1", pixels="yuv420p10le")
    assert [number_in(image) for image in read(ten)[1]] == list(range(6))
    odd = write_video(tmp_path / "odd.mkv", [frame_of(i, (33, 51)) for i in range(6)], codec="ffv1", pixels="bgr0")
    images = read(odd)[1]
    assert images[3].shape == (33, 51, 3)
    assert np.array_equal(images[3], frame_of(3, (33, 51)))  # lossless


def test_one_frame(tmp_path: Path, write_video: Write, frame_of: FrameOf) -> None:
    times, images, video = read(write_video(tmp_path / "one.mp4", [frame_of(7)], fps=10))
    assert times == [0.0]
    assert len(images) == 1
    assert video.end == pytest.approx(0.1)


def test_time_zero_is_the_first_frame(tmp_path: Path, write_video: Write, frame_of: FrameOf) -> None:
    times, _, video = read(write_video(tmp_path / "late.mkv", [frame_of(i) for i in range(3)], times=[5.0, 5.5, 6.0]))
    assert times == pytest.approx([0.0, 0.5, 1.0])
    assert not video.cut_short


@pytest.mark.parametrize("name", ["range.mp4", "range.mkv", "range.avi", "range.ts", "range.mpg", "range.h264"])
@pytest.mark.parametrize(("start", "stop"), [(0.0, 0.5), (1.0, 2.0), (1.21, 1.29), (3.9, 9.0)])
def test_a_range(
    tmp_path: Path, write_video: Write, frame_of: FrameOf, number_in: NumberIn, name: str, start: float, stop: float
) -> None:
    codec = {"avi": "mpeg4", "mpg": "mpeg2video"}.get(name.rpartition(".")[2], "libx264")
    path = write_video(tmp_path / name, [frame_of(i) for i in range(100)], codec=codec, options={"g": "20", "bf": "2"})
    whole = read(path)
    expected = [
        number_in(image)
        for time, following, image in zip(whole[0], [*whole[0][1:], 4.0], whole[1], strict=True)
        if following > start + 1e-6 and time < stop
    ]
    times, images, _ = read(path, start, stop)
    assert [number_in(image) for image in images] == expected
    assert times == pytest.approx([i / 25 for i in expected], abs=2e-3)


def test_frames_are_decoded_when_they_are_asked_for(tmp_path: Path, write_video: Write, frame_of: FrameOf) -> None:
    path = write_video(tmp_path / "long.mp4", [frame_of(i % 256) for i in range(500)], options={"g": "10"})
    with VideoReader(path) as video:
        first = list(itertools.islice(video.frames(), 3))
        assert len(first) == 3
        assert video.end < 1.0


def test_damaged_packets_are_skipped_and_counted(tmp_path: Path, write_video: Write, frame_of: FrameOf) -> None:
    path = write_video(
        tmp_path / "damaged.avi",
        [frame_of(i) for i in range(60)],
        codec="mjpeg",
        pixels="yuvj420p",
        options={"qscale": "3"},
    )
    content = bytearray(path.read_bytes())
    starts = [i for i in range(len(content) - 3) if content[i : i + 3] == b"\xff\xd8\xff"]
    assert len(starts) == 60
    for number in (10, 30, 31):
        content[starts[number] : starts[number + 1] - 8] = bytes(starts[number + 1] - 8 - starts[number])
    path.write_bytes(content)
    times, images, video = read(path)
    assert video.skipped == 3
    assert len(images) == 57
    assert times[9:11] == pytest.approx([9 / 25, 11 / 25])  # the others keep their times
    assert video.end == pytest.approx(60 / 25)


def test_a_file_cut_in_the_middle_keeps_its_readable_part(
    tmp_path: Path, write_video: Write, frame_of: FrameOf
) -> None:
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, (64, 96, 3), dtype=np.uint8) for _ in range(100)]
    for name, options in (("cut.mkv", {}), ("cut.mp4", {"movflags": "faststart"})):
        path = tmp_path / name
        with av.open(str(path), "w", options=options) as container:
            stream = container.add_stream("libx264", rate=25)
            stream.height, stream.width, stream.pix_fmt = 64, 96, "yuv420p"
            for image in noise:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
            container.mux(stream.encode())
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        _, images, video = read(path)
        assert 20 < len(images) < 80, name
        assert video.cut_short, name
        assert video.declared == pytest.approx(4.0, abs=0.05), name


def test_longer_sound_is_no_cut(tmp_path: Path, write_video: Write, frame_of: FrameOf) -> None:
    for name in ("sound.mkv", "sound.mp4"):
        path = write_video(tmp_path / name, [frame_of(i) for i in range(25)], audio_seconds=4.0)
        assert not read(path)[2].cut_short, name


def test_refusals(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing\.mp4: no such video file"):
        VideoReader(tmp_path / "nothing.mp4")
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(InputError, match=r"empty\.mp4: the file is empty"):
        VideoReader(tmp_path / "empty.mp4")
    (tmp_path / "text.mp4").write_text("This is no video. " * 50)
    with pytest.raises(InputError, match=r"text\.mp4: not a readable video"):
        VideoReader(tmp_path / "text.mp4")


@pytest.mark.parametrize("cover", [False, True])
def test_a_file_of_sound_alone(tmp_path: Path, frame_of: FrameOf, cover: bool) -> None:
    path = tmp_path / "sound.m4a"
    with av.open(str(path), "w", format="mp4") as container:
        sound = container.add_stream("aac", rate=16000)
        if cover:
            picture = container.add_stream("mjpeg", rate=1)
            picture.height, picture.width, picture.pix_fmt = 64, 96, "yuvj420p"
            picture.disposition = Disposition.attached_pic
            container.mux(picture.encode(av.VideoFrame.from_ndarray(frame_of(1), format="rgb24")))
            container.mux(picture.encode())
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 16000
        container.mux(sound.encode(frame))
        container.mux(sound.encode())
    with pytest.raises(InputError, match=r"sound\.m4a: has no video stream, it holds audio"):
        VideoReader(path)


def test_a_head_without_a_body(tmp_path: Path, write_video: Write, frame_of: FrameOf) -> None:
    path = write_video(tmp_path / "whole.mkv", [frame_of(i) for i in range(50)])
    content = path.read_bytes()
    path.write_bytes(content[: content.index(b"\x1f\x43\xb6\x75")])  # up to the first cluster
    with pytest.raises(InputError, match=r"whole\.mkv: (no frame could be decoded|not a readable video)"):
        read(path)


@pytest.mark.parametrize(
    ("name", "fps", "frames", "size"),
    [
        ("flipping_a_pancake.mkv", 30, 310, (240, 426)),
        ("demo.mp4", 28, 280, (256, 340)),
        ("test.avi", 25, 164, (240, 320)),
    ],
)
def test_real_files(shared: Path, name: str, fps: float, frames: int, size: tuple[int, int]) -> None:
    times, images, video = read(shared / "data" / "videos" / name)
    assert video.fps == fps
    assert images[0].shape == (*size, 3)
    assert len(images) == frames
    assert times == pytest.approx([i / fps for i in range(frames)], abs=1e-3)


def test_joined_recordings_go_on(tmp_path: Path, write_video: Write, frame_of: FrameOf, number_in: NumberIn) -> None:
    once = write_video(tmp_path / "once.ts", [frame_of(i) for i in range(50)])
    path = tmp_path / "joined.ts"
    path.write_bytes(once.read_bytes() * 3)
    times, images, video = read(path)
    assert [number_in(image) for image in images] == 3 * list(range(50))
    assert times == pytest.approx([i / 25 for i in range(150)], abs=1e-3)
    assert video.jumps == 2
    assert video.end == pytest.approx(6.0, abs=1e-3)


def test_a_gap_within_the_file_is_meant_and_one_beyond_it_is_not(
    tmp_path: Path, write_video: Write, frame_of: FrameOf
) -> None:
    path = write_video(tmp_path / "screen.mkv", [frame_of(i) for i in range(4)], times=[0.0, 0.5, 300.0, 300.5])
    times, _, video = read(path)
    assert times == pytest.approx([0.0, 0.5, 300.0, 300.5])
    assert video.jumps == 0
    stream = write_video(tmp_path / "gap.ts", [frame_of(i) for i in range(4)], times=[0.0, 0.5, 300.0, 300.5])
    times, _, video = read(stream)
    assert video.jumps == 1
    assert times[-1] < 2.0


def test_frames_that_change_their_size_come_as_large_as_the_first(
    tmp_path: Path, write_video: Write, frame_of: FrameOf
) -> None:
    parts = [
        write_video(tmp_path / f"{i}.ts", [frame_of(i, size)] * 10, options={"bf": "0"})
        for i, size in enumerate([(64, 96), (96, 64)])
    ]
    path = tmp_path / "changing.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    _, images, _ = read(path)
    assert len(images) > 15
    assert {image.shape for image in images} == {(64, 96, 3)}


def test_a_cut_avi_is_known_by_its_count_of_frames(tmp_path: Path, write_video: Write, frame_of: FrameOf) -> None:
    path = write_video(tmp_path / "cut.avi", [frame_of(i) for i in range(100)], codec="mpeg4")
    path.write_bytes(path.read_bytes()[: int(0.7 * path.stat().st_size)])
    _, images, video = read(path)
    assert 50 < len(images) < 90
    assert video.cut_short


@pytest.mark.parametrize("name", ["twice.mp4", "twice.ts", "twice.h264"])
def test_a_video_can_be_read_again(
    tmp_path: Path, write_video: Write, frame_of: FrameOf, number_in: NumberIn, name: str
) -> None:
    with VideoReader(write_video(tmp_path / name, [frame_of(i) for i in range(30)], options={"g": "10"})) as video:
        for start, stop in ((0.0, 9.0), (0.0, 0.39), (0.81, 9.0), (0.0, 9.0)):
            numbers = [number_in(frame.image()) for frame in video.frames(start, stop)]
            assert numbers == list(range(round(25 * start), min(30, round(25 * stop))))


@pytest.mark.parametrize("place", [10, 29])
def test_a_frame_that_is_said_to_last_for_days(
    tmp_path: Path, write_video: Write, frame_of: FrameOf, place: int
) -> None:
    whole = write_video(tmp_path / "whole.mkv", [frame_of(i) for i in range(30)], options={"bf": "0"})
    path = tmp_path / "days.mkv"
    with av.open(str(whole)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(source.demux(video=0)):
            if packet.dts is not None:
                if number == place:
                    packet.duration = 100_000_000
                packet.stream = stream
                target.mux(packet)
    times, _, video = read(path)
    assert len(times) == 30
    assert video.end == pytest.approx(1.2, abs=0.01)


def test_pictures_that_are_said_to_last_longer_than_the_file(
    tmp_path: Path, write_video: Write, frame_of: FrameOf
) -> None:
    """Of a file whose table of times is broken: its only picture before the stated end lasts until there."""
    path = write_video(tmp_path / "slow.mp4", [frame_of(i) for i in range(50)])
    content = bytearray(path.read_bytes())
    content[content.index(b"stts") + 16] = 108  # the highest byte of the ticks to the next picture
    path.write_bytes(content)
    times, _, video = read(path)
    assert times[0] == 0
    assert video.end == pytest.approx(2.0, abs=0.01)
    for fps in (None, 15.0):
        assert str(warning_of(video, fps)).startswith("says that a picture lasts 1.4")
    assert measured(path).seconds == pytest.approx(2.0, abs=0.01)


def test_a_broken_tag_is_left_alone(tmp_path: Path, write_video: Write, frame_of: FrameOf) -> None:
    path = write_video(tmp_path / "tag.mkv", [frame_of(i) for i in range(30)])
    path.write_bytes(path.read_bytes().replace(b"00:00:01.2", b"0x:00:01.2"))
    times, _, video = read(path)
    assert len(times) == 30
    assert video.declared == pytest.approx(1.2, abs=0.01)
