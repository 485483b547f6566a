"""Copies of videos with detections drawn in: what is drawn where and when, and what of the video stays as it was."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

from actionformer.core.detections import Detections
from actionformer.core.errors import InputError
from actionformer.core.terminal import plain_console
from actionformer.video.overlay import (
    CONTAINERS,
    DARK,
    INK,
    LEAST_HEIGHT,
    MOST_LANES,
    Overlay,
    colour,
    text_colour,
    write_overlay,
)
from actionformer.video.reader import VideoReader

Image = NDArray[np.uint8]
Write = Callable[..., Path]
FrameOf = Callable[..., Image]

NOTHING = Detections(np.empty((0, 2)), np.empty(0), np.empty(0, dtype=np.int64), ("jump", "run"))
GREY = np.full((400, 640, 3), 128, dtype=np.uint8)


def found(*rows: tuple[float, float, float, int], names: tuple[str, ...] = ("jump", "run")) -> Detections:
    """Of rows start, end, score, label."""
    table = np.array(rows)
    return Detections(table[:, :2], table[:, 2], table[:, 3].astype(np.int64), names)


def times_and_images(path: Path) -> tuple[list[float], list[Image]]:
    with VideoReader(path) as video:
        pairs = [(frame.time, frame.image()) for frame in video.frames()]
    return [time for time, _ in pairs], [image for _, image in pairs]


def drawn_over(overlay: Overlay, time: float) -> NDArray[np.bool_]:
    """(H, W) where the frame itself, without the strip, is changed at a time."""
    changed: NDArray[np.bool_] = (overlay.draw(GREY, time)[: len(GREY)] != GREY).any(axis=-1)
    return changed


# --- what is drawn


def test_labels_appear_only_while_an_action_goes_on() -> None:
    overlay = Overlay(found((1, 2, 0.9, 0), (1.5, 3, 0.8, 1)), 10.0, (400, 640))
    areas = [drawn_over(overlay, time).sum() for time in (0.0, 0.99, 1.0, 1.6, 1.99, 2.0, 2.99, 3.0, 9.9)]
    assert [area > 0 for area in areas] == [False, False, True, True, True, True, True, False, False]
    assert areas[3] > 1.5 * areas[2]  # two labels
    rows, columns = np.nonzero(drawn_over(overlay, 1.6))
    assert rows.max() < 100  # in the upper left corner
    assert columns.max() < 320


def test_a_label_has_the_colour_of_its_class_and_the_best_comes_first() -> None:
    overlay = Overlay(found((0, 9, 0.4, 0), (0, 9, 0.8, 1)), 10.0, (400, 640))
    image = overlay.draw(GREY, 5.0)
    places = []
    for label in (1, 0):
        rows, _ = np.nonzero((image[: len(GREY)] == colour(label)).all(axis=-1))
        assert len(rows) > 300
        places.append(rows.mean())
    assert places[0] < places[1]


def test_the_strip_has_a_bar_where_a_detection_lies() -> None:
    overlay = Overlay(found((2, 4, 1.0, 0), (6, 9, 1.0, 1)), 10.0, (400, 640))
    strip = overlay.draw(GREY, 0.0)[len(GREY) :]
    assert len(strip) == 2 * overlay.lane
    for lane, (start, end) in enumerate([(2, 4), (6, 9)]):
        row = strip[lane * overlay.lane + overlay.lane // 2]
        seconds = (np.arange(640) - overlay.left + 0.5) * 10 / (640 - overlay.left)
        bar = (row == colour(lane)).all(axis=-1) & (seconds > 0)
        assert_array_equal(bar[seconds > 0.1], ((seconds > start) & (seconds < end))[seconds > 0.1])
        beside = ~bar & (seconds > 0.1)
        assert (row[beside] == DARK).all()
    for lane in range(2):  # before the bars the name, in the same colour
        name = overlay.strip[lane * overlay.lane : (lane + 1) * overlay.lane, : overlay.left]
        brightest = name.reshape(-1, 3).max(axis=0).astype(int)  # the edges of letters are blended with the dark
        assert np.abs(brightest - colour(lane)).max() <= 60


def test_a_better_score_is_brighter_and_lies_on_top() -> None:
    overlay = Overlay(found((0, 10, 0.2, 0), (4, 6, 1.0, 0)), 10.0, (400, 640))
    row = overlay.strip[overlay.lane // 2]
    middle, edge = row[overlay._column(5.0)], row[overlay._column(9.0)]
    assert middle.tolist() == list(colour(0))
    assert_allclose(edge, np.array(colour(0)) * (0.35 + 0.65 * 0.2), atol=1)


def test_a_score_above_1_is_as_bright_as_1() -> None:
    """A second stage may give some."""
    above, one = (Overlay(found((2, 4, score, 0)), 10.0, (400, 640)).strip for score in (2.7, 1.0))
    assert_array_equal(above, one)


def test_the_playhead_moves() -> None:
    overlay = Overlay(found((0, 1, 0.5, 0)), 10.0, (400, 640))
    heads = []
    for time in (0.0, 2.5, 5.0, 10.0, 11.0):
        strip = overlay.draw(GREY, time)[len(GREY) :]
        (columns,) = np.nonzero((strip == INK).all(axis=(0, 2)))
        assert 1 < len(columns) <= 3
        heads.append(columns.mean())
    right = 640 - overlay.left
    assert_allclose(heads, [overlay.left + share * right for share in (0, 0.25, 0.5, 1, 1)], atol=2)
    assert (overlay.strip != INK).any(axis=-1).all()  # drawn into a copy


def test_no_detections_leave_the_frame_as_it_is() -> None:
    assert_array_equal(Overlay(NOTHING, 10.0, (400, 640)).draw(GREY, 3.0), GREY)


@pytest.mark.parametrize(("height", "factor"), [(2, 180), (96, 4), (179, 3), (180, 2), (359, 2), (360, 1), (1080, 1)])
def test_small_frames_are_enlarged_by_a_whole_factor(height: int, factor: int) -> None:
    frame = np.random.default_rng(0).integers(255, size=(height, 50, 3)).astype(np.uint8)
    drawn = Overlay(NOTHING, 1.0, frame.shape[:2]).draw(frame, 0.0)
    assert len(drawn) >= LEAST_HEIGHT
    assert_array_equal(drawn[::factor, ::factor], frame)
    assert_array_equal(drawn, frame.repeat(factor, axis=0).repeat(factor, axis=1))


def test_what_does_not_fit_is_left_out() -> None:
    names = tuple(f"an action whose name is much wider than a narrow video, number {i}" for i in range(40))
    many = found(*((0, 1, 0.01 * i, i) for i in range(40)), names=names)
    overlay = Overlay(many, 1.0, (400, 120))
    drawn = overlay.draw(np.zeros((400, 120, 3), dtype=np.uint8), 0.5)
    assert drawn.shape == (400 + MOST_LANES * overlay.lane, 120, 3)
    assert list(overlay.lanes) == list(range(30, 40))  # the best
    assert overlay.left == 36
    assert (drawn[399] == 0).all()


def test_letters_can_be_read_on_every_colour() -> None:
    for label in range(100):
        field, ink = np.array(colour(label)), np.array(text_colour(colour(label)))
        weights = np.array([0.299, 0.587, 0.114])
        assert abs((field - ink) @ weights) > 90
    assert len({colour(label) for label in range(100)}) == 100


# --- what stays of the video


@pytest.mark.parametrize("ending", CONTAINERS)
def test_frames_keep_their_times(write_video: Write, frame_of: FrameOf, number_in: Callable[[Image], int],
                                 tmp_path: Path, ending: str) -> None:  # fmt: skip
    times = [0.0, 0.1, 0.15, 0.5, 0.52, 1.3, 1.34, 2.0]
    source = write_video(tmp_path / "a.mp4", [frame_of(i) for i in range(8)], times=times)
    write_overlay(source, found((0.12, 1.31, 0.9, 1)), tmp_path / f"b{ending}")
    seen, images = times_and_images(tmp_path / f"b{ending}")
    assert_allclose(seen, times, atol=1.1e-3)  # Matroska counts milliseconds
    assert [number_in(image[200:384]) for image in images] == list(range(8))
    assert images[0].shape == (6 * 64 + images[0].shape[0] - 384, 6 * 96, 3)
    write_overlay(source, found((0.12, 1.31, 0.0, 1)).above(0.5), tmp_path / f"without{ending}")
    _, plain = times_and_images(tmp_path / f"without{ending}")
    differs = [
        np.abs(image[:50, :150].astype(int) - other[:50, :150]).mean() > 10
        for image, other in zip(images, plain, strict=True)
    ]
    assert differs == [0.12 <= time < 1.31 for time in times]


def test_odd_sizes(write_video: Write, tmp_path: Path) -> None:
    ramp = np.linspace(0, 255, 401 * 363).reshape(401, 363, 1).repeat(3, axis=2).astype(np.uint8)
    source = write_video(tmp_path / "a.mkv", [ramp] * 5, codec="ffv1", pixels="bgr0")
    write_overlay(source, NOTHING, tmp_path / "b.mp4")
    times, images = times_and_images(tmp_path / "b.mp4")
    assert len(times) == 5
    assert images[0].shape == (402, 364, 3)
    assert_allclose(images[0][:401, :363].astype(int), ramp, atol=12)
    assert_allclose(images[0][401, :-1].astype(int), ramp[400], atol=12)  # the last row again


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_turned_videos_are_upright(write_video: Write, tmp_path: Path, rotation: int) -> None:
    image = np.zeros((360, 480, 3), dtype=np.uint8)
    image[:90, :120] = 255  # a bright corner
    source = write_video(tmp_path / "a.mp4", [image] * 3, rotation=rotation)
    write_overlay(source, NOTHING, tmp_path / "b.mp4")
    (_, before), (_, after) = times_and_images(source), times_and_images(tmp_path / "b.mp4")
    assert after[0].shape == before[0].shape == ((480, 360, 3) if rotation != 180 else (360, 480, 3))
    assert np.abs(after[0].astype(int) - before[0]).mean() < 5
    with VideoReader(tmp_path / "b.mp4") as video:
        assert next(video.frames()).decoded.rotation == 0


def test_sound_is_copied(write_video: Write, frame_of: FrameOf, tmp_path: Path) -> None:
    source = write_video(tmp_path / "a.mp4", [frame_of(i) for i in range(50)], audio_seconds=2.0)
    write_overlay(source, NOTHING, tmp_path / "b.mp4")
    packets = []
    for path in (source, tmp_path / "b.mp4"):
        with av.open(str(path)) as container:
            (sound,) = container.streams.audio
            packets.append([(float(p.pts * p.time_base), bytes(p)) for p in container.demux(sound)
                            if p.pts is not None and p.time_base is not None and p.pts >= 0])  # fmt: skip
    assert len(packets[1]) > 20
    assert packets[0] == packets[1]


def test_sound_that_does_not_fit_is_left_out(write_video: Write, frame_of: FrameOf, tmp_path: Path) -> None:
    source = write_video(tmp_path / "a.mp4", [frame_of(i) for i in range(10)], audio_seconds=0.4)
    write_overlay(source, NOTHING, tmp_path / "b.webm")  # no AAC in there
    with av.open(str(tmp_path / "b.webm")) as container:
        assert [stream.type for stream in container.streams] == ["video"]


def with_sound(path: Path, codec: str) -> Path:
    """Two seconds of frames and of silence."""
    with av.open(str(path), "w") as file:
        stream: Any = file.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        sound: Any = file.add_stream(codec, rate=48000, layout="mono")
        for _ in range(20):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")))
        file.mux(stream.encode())
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 96000), np.int16), format="s16", layout="mono")
        silence.sample_rate, silence.pts = 48000, 0
        file.mux([*sound.encode(silence), *sound.encode()])
    return path


@pytest.mark.parametrize("codec", ["flac", "libopus"])
def test_sound_that_the_container_refuses_when_it_begins_is_left_out(tmp_path: Path, codec: str) -> None:
    source = with_sound(tmp_path / "a.mkv", codec)
    for name, kinds in (("b.mov", ["video"]), ("b.mp4", ["video", "audio"]), ("b.mkv", ["video", "audio"])):
        write_overlay(source, NOTHING, tmp_path / name)
        with av.open(str(tmp_path / name)) as container:
            assert [stream.type for stream in container.streams] == kinds
            assert len(list(container.decode(video=0))) == 20


def test_sound_whose_clock_goes_back_has_a_gap(tmp_path: Path) -> None:
    source = with_sound(tmp_path / "a.ts", "mp2")
    source.write_bytes(2 * source.read_bytes())
    write_overlay(source, NOTHING, tmp_path / "b.mp4")
    assert len(times_and_images(tmp_path / "b.mp4")[0]) == 40


def test_of_frames_at_one_time_the_first_is_drawn(write_video: Write, frame_of: FrameOf, tmp_path: Path) -> None:
    source = write_video(tmp_path / "a.mkv", [frame_of(i) for i in range(9)], codec="mjpeg", pixels="yuvj420p", fps=25)
    content = source.read_bytes()
    stamp = bytes.fromhex("81 00 78")  # of the fourth frame: stream 1, 120 ms
    assert content.count(stamp) == 1
    source.write_bytes(content.replace(stamp, bytes.fromhex("81 00 50")))  # 80 ms
    assert len(set(times_and_images(source)[0])) == 8
    write_overlay(source, NOTHING, tmp_path / "b.mp4")
    assert times_and_images(tmp_path / "b.mp4")[0] == pytest.approx([0, 0.04, 0.08, 0.16, 0.2, 0.24, 0.28, 0.32])


def test_a_detection_beyond_the_end(write_video: Write, frame_of: FrameOf, tmp_path: Path) -> None:
    source = write_video(tmp_path / "a.mp4", [frame_of(i) for i in range(10)])
    write_overlay(source, found((0.2, 50.0, 0.9, 0)), tmp_path / "b.mp4")
    assert len(times_and_images(tmp_path / "b.mp4")[0]) == 10


# --- what cannot be written


@pytest.mark.parametrize("name", ["b.xyz", "b", "b.avi", "b.gif", "b.wav", "b.ts"])
def test_an_ending_that_is_no_container(write_video: Write, frame_of: FrameOf, tmp_path: Path, name: str) -> None:
    source = write_video(tmp_path / "a.mp4", [frame_of(0)])
    with pytest.raises(InputError, match=rf"{name}: cannot write a video with this ending: use one of \.mp4"):
        write_overlay(source, NOTHING, tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_targets_that_cannot_be_written(write_video: Write, frame_of: FrameOf, tmp_path: Path) -> None:
    source = write_video(tmp_path / "a.mp4", [frame_of(0)])
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(InputError, match=r"folder\.mp4: cannot write, there is a folder of that name"):
        write_overlay(source, NOTHING, tmp_path / "folder.mp4")
    with pytest.raises(InputError, match=r"a\.mp4/b\.mp4: cannot make its folder"):
        write_overlay(source, NOTHING, source / "b.mp4")


def test_an_error_on_the_way_leaves_what_was_there(
    write_video: Write, frame_of: FrameOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_video(tmp_path / "a.mp4", [frame_of(i) for i in range(30)])
    target = tmp_path / "b.mp4"
    target.write_bytes(b"an earlier one")
    draw = Overlay.draw

    def draw_or_fail(self: Overlay, image: Image, time: float) -> Image:
        if time > 0.5:
            raise OSError(28, "No space left on device")
        return draw(self, image, time)

    monkeypatch.setattr(Overlay, "draw", draw_or_fail)
    with pytest.raises(InputError, match=r"b\.mp4: cannot write \(No space left on device\)"):
        write_overlay(source, NOTHING, target)
    assert target.read_bytes() == b"an earlier one"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "b.mp4"]


def test_no_video(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"not a video" * 100)
    with pytest.raises(InputError, match=r"a\.mp4: not a readable video"):
        write_overlay(tmp_path / "a.mp4", NOTHING, tmp_path / "b.mp4")
    with pytest.raises(InputError, match=r"absent\.mp4: no such video file"):
        write_overlay(tmp_path / "absent.mp4", NOTHING, tmp_path / "b.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_how_far_it_has_come_is_told(
    write_video: Write, frame_of: FrameOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actionformer.core.progress.FIRST_LINE", 0.0)
    video = write_video(tmp_path / "video.mp4", [frame_of(number) for number in range(12)])
    log = io.StringIO()
    write_overlay(video, NOTHING, tmp_path / "drawn.mp4", plain_console(log))
    assert "1 of 12 frames of the overlay" in log.getvalue()


@pytest.mark.parametrize("ending", [".mp4", ".webm"])
def test_pictures_that_are_written_fast_look_like_those_read(
    write_video: Write, frame_of: FrameOf, tmp_path: Path, ending: str
) -> None:
    video = write_video(tmp_path / "video.mp4", [frame_of(number) for number in range(6)])
    drawn = tmp_path / f"drawn{ending}"
    write_overlay(video, NOTHING, drawn)
    before, after = times_and_images(video)[1], times_and_images(drawn)[1]
    factor = len(after[0]) // len(before[0])
    for one, other in zip(before, after, strict=True):
        assert np.abs(other.astype(int) - one.repeat(factor, axis=0).repeat(factor, axis=1)).mean() < 5
