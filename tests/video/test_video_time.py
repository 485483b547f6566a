"""One zero, real rates, real pauses: files as phones, browsers and cutters make them, read, sampled and extracted."""

import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from numbered import FrameOf, NumberIn, WriteVideo

from actionformer import extract
from actionformer.backbones import Backbone
from actionformer.backbones.preprocessing import ResizeAndCrop
from actionformer.core.detections import Detections
from actionformer.core.errors import InputError
from actionformer.core.files import read_json
from actionformer.features import read_sidecar
from actionformer.recipes.extract import Extraction
from actionformer.video import VideoReader, read_frames
from actionformer.video.live import LiveFrames
from actionformer.video.overlay import write_overlay
from actionformer.video.sampling import sampled
from actionformer.video.sources import source_of

Frame = Callable[..., np.ndarray]
MS = Fraction(1, 1000)
VP8 = {"deadline": "realtime", "cpu-used": "8"}


@pytest.fixture(scope="module")
def make(frame_of: Frame) -> Callable[..., Path]:
    def write(
        path: Path,
        times: Sequence[float],
        *,
        fps: float = 10,
        sound: tuple[float, float] | None = None,
        last: float | None = None,
        group: int = 12,
        tick: Fraction = MS,
        reordered: str = "0",
        options: dict[str, str] | None = None,
    ) -> Path:
        """A video whose picture i says i and is shown at `times[i]` seconds; the last one for `last` seconds."""
        webm = path.suffix == ".webm"
        with av.open(str(path), "w", options=options or {}) as file:
            codec, settings = ("libvpx", VP8) if webm else ("libx264", {"preset": "ultrafast", "bf": reordered})
            stream: Any = file.add_stream(codec, rate=Fraction(fps).limit_denominator(1001), options=settings)
            stream.height, stream.width, stream.pix_fmt = 64, 96, "yuv420p"
            stream.codec_context.time_base, stream.codec_context.gop_size = tick, group
            packets = []
            voice: Any = file.add_stream("libopus" if webm else "aac", rate=48000) if sound else None
            for number, seconds in enumerate(times):
                frame = av.VideoFrame.from_ndarray(frame_of(number % 256), format="rgb24")
                frame.pts, frame.time_base = round(seconds / tick), tick
                packets += stream.encode(frame)
            packets += stream.encode(None)
            if last is not None:
                packets[-1].duration = round(last / packets[-1].time_base)
            if sound:
                packets += _silence(voice, *sound)
            for packet in sorted(packets, key=lambda packet: float(packet.dts * packet.time_base)):
                file.mux(packet)
        return path

    return write


def _silence(voice: Any, start: float, stop: float) -> list[Any]:
    packets: list[Any] = []
    for at in range(0, round((stop - start) * 48000), 960):
        silence = av.AudioFrame.from_ndarray(np.zeros((2, 960), np.float32), format="fltp", layout="stereo")
        silence.sample_rate, silence.pts = 48000, round(start * 48000) + at
        silence.time_base = Fraction(1, 48000)
        packets += voice.encode(silence)
    return [packet for packet in [*packets, *voice.encode(None)] if packet.dts is not None]


def without_rate(source: Path, target: Path) -> Path:
    """The same packets as a browser writes them: no rate, no lengths of pictures, no length of the file."""
    with av.open(str(source)) as file, av.open(str(target), "w", options={"live": "1"}) as out:
        copy = out.add_stream_from_template(file.streams.video[0])
        for packet in file.demux(video=0):
            if packet.pts is not None and packet.dts is not None:
                packet.duration, packet.stream = 0, copy
                out.mux(packet)
    return target


@dataclass(frozen=True)
class Shown:
    """Something shown for a tenth of a second."""

    time: float
    duration: float = 0.1


class Brightness(Backbone):
    """The brightness of a clip of four pictures, at the video's own rate."""

    name, dim, fps, num_frames, stride, weights_hash = "brightness", 1, None, 4, 2, None
    preprocessing = ResizeAndCrop(16, 16)

    def encode(self, clips: torch.Tensor) -> torch.Tensor:
        return clips.float().flatten(1).mean(1, keepdim=True)


def times_of(path: Path, **between: float) -> list[float]:
    with VideoReader(path) as video:
        return [round(frame.time, 3) for frame in video.frames(**between)]


def extracted(path: Any, out: Path, **settings: Any) -> Extraction:
    return extract(path, Brightness(), out, workers=0, **settings)


LATE = [2 + i / 10 for i in range(40)]


@pytest.mark.parametrize("name", ["late.mp4", "late.mkv", "late.mov", "late.webm", "late.ts"])
def test_time_0_is_where_the_container_begins(
    tmp_path: Path, make: Callable[..., Path], number_in: NumberIn, name: str
) -> None:
    path = make(tmp_path / name, LATE, sound=(0.0, 6.0))
    with VideoReader(path) as video:
        assert video.start == pytest.approx(2.0, abs=0.05)  # encoders of sound begin a little earlier
        frames = [(frame.time, number_in(frame.image())) for frame in video.frames()]
        assert video.start == frames[0][0] == pytest.approx(2.0, abs=0.05)
        assert [number for _, number in frames] == list(range(40))
        assert [time - video.start for time, _ in frames] == pytest.approx([i / 10 for i in range(40)], abs=2e-3)
        assert video.end == pytest.approx(video.start + 4.0, abs=2e-3)
        assert not video.cut_short
        later = [number_in(frame.image()) for frame in video.frames(video.start + 1.0, video.start + 1.25)]
        assert later == [10, 11, 12]
        assert [number_in(frame.image()) for frame in video.frames(0.0, video.start + 0.15)] == [0, 1]
        assert list(video.frames(0.0, 1.0)) == []


def test_a_range_is_read_on_that_clock(tmp_path: Path, make: Callable[..., Path], number_in: NumberIn) -> None:
    path = make(tmp_path / "late.mkv", LATE, sound=(0.0, 6.0))
    assert times_of(path, start=3.05, stop=3.25) == pytest.approx([3.0, 3.1, 3.2], abs=0.05)
    assert [number_in(image) for image in read_frames(path, start=3.05, stop=3.25)][-1] in (11, 12)
    assert len(read_frames(path, fps=5)) == 20  # from the first picture on
    with pytest.raises(InputError, match=r"ends after 6\.\d\d s, before 9.00 s"):
        read_frames(path, start=9)


def test_without_sound_the_container_begins_with_its_picture(tmp_path: Path, make: Callable[..., Path]) -> None:
    for start in (1.0, 3600.0):
        assert times_of(make(tmp_path / "silent.mkv", [start, start + 0.5]))[:2] == [0.0, 0.5]


def test_a_cut_between_key_frames_shows_nothing_at_first(
    tmp_path: Path, make: Callable[..., Path], number_in: NumberIn
) -> None:
    """As recordings of broadcasts begin: sound at once, pictures with the next key frame."""
    whole = make(tmp_path / "whole.ts", [i / 10 for i in range(80)], sound=(0.0, 8.0), group=30)
    path = tmp_path / "cut.ts"
    with av.open(str(whole)) as file, av.open(str(path), "w") as out:
        copies = {stream.index: out.add_stream_from_template(stream) for stream in file.streams}
        zero = float(file.start_time / av.time_base)
        for packet in file.demux():
            if packet.dts is not None and float(packet.dts * packet.time_base) - zero >= 1.0:
                packet.stream = copies[packet.stream.index]
                out.mux(packet)
    with VideoReader(path) as video:
        numbers = [number_in(frame.image()) for frame in video.frames()]
        assert numbers == list(range(30, 80))
        assert video.start == pytest.approx(2.0, abs=0.1)


def test_sidecars_grids_and_detections_count_with_it(tmp_path: Path, make: Callable[..., Path]) -> None:
    late = make(tmp_path / "late.mp4", LATE, sound=(0.0, 6.0))
    soon = make(tmp_path / "soon.mp4", [i / 10 for i in range(40)])
    assert extracted(tmp_path, tmp_path / "out").failed == {}
    assert np.array_equal(np.load(tmp_path / "out" / "late.npy"), np.load(tmp_path / "out" / "soon.npy"))
    spec, plain = (read_sidecar(tmp_path / "out" / f"{path.stem}.npy") for path in (late, soon))
    assert (plain.start, plain.duration) == (0.0, pytest.approx(4.0, abs=1e-3))
    assert spec.start == pytest.approx(2.0, abs=0.05)
    assert spec.start is not None
    assert spec.duration == pytest.approx(spec.start + 4.0, abs=1e-3)
    assert spec.grid is not None
    assert plain.grid is not None
    middle = np.array([3.0])
    assert spec.grid.to_grid(middle + spec.start) == pytest.approx(plain.grid.to_grid(middle))
    assert spec.grid.to_seconds(middle) == pytest.approx(plain.grid.to_seconds(middle) + spec.start)


def test_features_of_another_zero_are_not_kept(tmp_path: Path, make: Callable[..., Path]) -> None:
    """Sidecars without a start were made when time 0 was the first picture."""
    late = make(tmp_path / "late.mp4", LATE, sound=(0.0, 6.0))
    soon = make(tmp_path / "soon.mp4", [i / 10 for i in range(20)])
    extracted(tmp_path, tmp_path / "out")
    for path in (late, soon):
        sidecar = tmp_path / "out" / f"{path.stem}.json"
        sidecar.write_text(sidecar.read_text().replace('"start"', '"other"'))
    assert len(extracted(soon, tmp_path / "out").kept) == 1
    with pytest.raises(
        InputError, match=r"late\.npy: holds features whose time 0 is the first picture, .* at 2\.\d\d s"
    ):
        extracted(late, tmp_path / "out")
    assert len(extracted(late, tmp_path / "out", overwrite=True).written) == 1


def test_an_overlay_keeps_the_clock(tmp_path: Path, make: Callable[..., Path]) -> None:
    pytest.importorskip("cv2")
    nothing = Detections(np.empty((0, 2)), np.empty(0), np.empty(0, np.int64), ("jump",))
    for sound in ((0.0, 6.0), None):
        late = make(tmp_path / "late.mkv", LATE, sound=sound)
        write_overlay(late, nothing, tmp_path / "seen.mp4")
        with VideoReader(late) as before, VideoReader(tmp_path / "seen.mp4") as after:
            shown = [frame.time for frame in before.frames()]
            drawn = list(after.frames())
        if sound:
            assert drawn[0].image().max() < 40  # dark until the first picture
            drawn = drawn[1:]
        assert [frame.time for frame in drawn] == pytest.approx(shown, abs=0.03)


@pytest.mark.parametrize("name", ["late.mkv", "late.ts", "late.mp4"])
def test_a_live_source_that_is_a_file_has_the_same_times(tmp_path: Path, make: Callable[..., Path], name: str) -> None:
    fast = {"movflags": "frag_keyframe+delay_moov"} if name.endswith("mp4") else {}
    path = make(tmp_path / name, LATE, sound=(0.0, 6.0), options=fast)
    reader = LiveFrames(source_of(str(path)), patience=0.1)
    found = [sample.frame.time for sample in reader]
    with VideoReader(path) as video:
        assert found == [frame.time for frame in sampled(video.frames(), 10)]
        assert (reader.start, reader.duration) == (video.start, video.end)
    assert reader.start == pytest.approx(2.0, abs=0.05)
    assert reader.duration == pytest.approx(reader.start + 4.0, abs=0.01)


PAUSES = [t / 10 for t in (*range(50), *range(300, 350), *range(470, 500))]


@pytest.mark.parametrize("name", ["live.webm", "live.mkv", "file.mkv", "file.mp4", "parts.mp4", "live.flv"])
@pytest.mark.parametrize("live", [False, True])
def test_pauses_are_no_jumps(tmp_path: Path, make: Callable[..., Path], name: str, live: bool) -> None:
    options = {"live": {"live": "1"}, "parts": {"movflags": "frag_keyframe+empty_moov"}}.get(name.partition(".")[0], {})
    options = {"flvflags": "no_duration_filesize"} if name.endswith("flv") else options
    options = {"movflags": "faststart"} if name == "file.mp4" else options
    path = make(tmp_path / name, PAUSES, options=options)
    if live:
        with pytest.warns(UserWarning, match="2.6 frames") if name == "file.mp4" else nullcontext():
            reader = LiveFrames(source_of(str(path)), patience=0.1)
            found, fps, end = list(reader), reader.fps, reader.duration
        assert [sample.frame.time for sample in found if sample.frame.time == sample.index / 10][-1] == 49.9
        assert len(found) == 500
    else:
        with VideoReader(path) as video:
            assert [round(frame.time, 3) for frame in video.frames()] == PAUSES
            assert (video.jumps, video.cut_short) == (0, False)
            fps, end = video.fps, video.end
    assert fps == 10
    assert end == pytest.approx(50.0, abs=0.11)


@pytest.mark.parametrize("name", ["held.mp4", "held.mkv", "held_sound.mp4"])
def test_a_last_picture_lasts_as_long_as_the_file(tmp_path: Path, make: Callable[..., Path], name: str) -> None:
    sound = (0.0, 64.9) if "sound" in name else None
    path = make(tmp_path / name, [i / 10 for i in range(50)], last=60.0, sound=sound)
    with VideoReader(path) as video:
        assert len(list(sampled(video.frames(), 10))) == pytest.approx(649, abs=1)
        assert video.end == pytest.approx(64.9, abs=0.05)
        assert (video.fps, video.cut_short) == (10, False)
        assert len(list(video.frames(60.0, 61.0))) == 1


def test_an_overlay_draws_anew_into_a_picture_that_stands(tmp_path: Path, make: Callable[..., Path]) -> None:
    """Else what begins and ends meanwhile is never seen, and the copy ends where its last picture begins."""
    shown = [*(i / 10 for i in range(10)), 6.0, 6.1]
    path = make(tmp_path / "held.mp4", shown, last=2.0)
    found = Detections(np.array([[2.0, 4.0], [7.5, 8.1]]), np.array([0.9, 0.9]), np.array([0, 0]), ("run",))
    tags = {}
    for name, drawn in (("with.mp4", found), ("without.mp4", found.above(1.0))):
        write_overlay(path, drawn, tmp_path / name)
        with VideoReader(tmp_path / name) as video:
            tags[name] = {round(frame.time, 3): frame.image()[:50, :150].astype(int) for frame in video.frames()}
            assert video.end == pytest.approx(8.1, abs=0.05)
    assert list(tags["with.mp4"]) == [*shown[:10], 1.9, 2.9, 3.9, 4.9, 5.9, 6.0, 6.1, 7.1, 8.0]
    differ = [time for time, tag in tags["with.mp4"].items() if abs(tag - tags["without.mp4"][time]).mean() > 10]
    assert differ == [2.9, 3.9, 8.0]


@pytest.mark.parametrize(
    ("steps", "fps"), [([33, 21, 45, 30, 38], 30.0), ([40], 25.0), ([100], 10.0), ([16, 17], 60.0)]
)
def test_a_browser_states_no_rate(tmp_path: Path, make: Callable[..., Path], steps: list[int], fps: float) -> None:
    times = np.cumsum([0, *steps * (60 // len(steps))]) / 1000
    path = without_rate(make(tmp_path / "made.webm", times), tmp_path / "browser.webm")
    with VideoReader(path) as video:
        assert video.fps == pytest.approx(fps, rel=0.1)
        assert [round(frame.time, 3) for frame in video.frames()] == times.tolist()
    done = extracted(path, tmp_path / "out")
    rows = len(np.load(tmp_path / "out" / "browser.npy"))
    assert rows == pytest.approx(times[-1] * fps / 2, rel=0.12)
    for warning in done.warnings.values():  # where FFmpeg guesses right nothing is said
        assert "states no frame rate" in warning
        assert warning.count("frame rate") == 1
    assert extracted(path, tmp_path / "asked", fps=5).warnings == {}


def test_an_avi_that_states_fields(tmp_path: Path, make: Callable[..., Path]) -> None:
    path = make(tmp_path / "fields.avi", [i / 25 for i in range(60)], fps=50, tick=Fraction(1, 50))
    done = extracted(path, tmp_path / "out")
    assert done.warnings[path].startswith("states 50 frames per second, but its pictures come 25 per second")
    sidecar = read_json(tmp_path / "out" / "fields.json")
    assert (sidecar["fps"], sidecar["frames"], sidecar["start"]) == (25, 60, 0)
    assert sidecar["duration"] == pytest.approx(2.4)


@pytest.mark.parametrize("reordered", ["0", "2"])
def test_an_avi_whose_pictures_begin_late(
    tmp_path: Path, make: Callable[..., Path], number_in: NumberIn, reordered: str
) -> None:
    """AVI can but write the first picture at once, and then nothing until the second one is due."""
    tick, late = Fraction(1, 25), [2 + i / 25 for i in range(50)]
    path = make(tmp_path / "late.avi", late, fps=25, tick=tick, reordered=reordered)
    with VideoReader(path) as video:
        shown = [(round(frame.time, 3), number_in(frame.image())) for frame in video.frames()]
        assert shown[2:] == [(pytest.approx(seconds, abs=0.1), i) for i, seconds in enumerate(late) if i > 1]
        assert video.end == pytest.approx(4.0, abs=0.1)
        assert not video.cut_short


def test_a_recording_with_pauses_is_sampled_as_its_pictures_come(tmp_path: Path, make: Callable[..., Path]) -> None:
    path = make(tmp_path / "pauses.mp4", PAUSES)
    done = extracted(path, tmp_path / "out")
    assert done.warnings[path].startswith("has 2.6 frames per second on average, but its pictures come 10 per second")
    assert read_json(tmp_path / "out" / "pauses.json")["frames"] == 500
    assert len(extracted(path, tmp_path / "out").kept) == 1


@pytest.mark.parametrize(
    "name", ["plain.mp4", "plain.mkv", "plain.ts", "plain.webm", "plain.avi", "plain.gif", "plain.h264"]
)
@pytest.mark.parametrize("fps", [30000 / 1001, 24000 / 1001, 25, 60])
def test_healthy_files_are_read_without_a_word(
    tmp_path: Path, make: Callable[..., Path], write_video: WriteVideo, frame_of: FrameOf, name: str, fps: float
) -> None:
    if name.endswith("gif"):
        path = write_video(tmp_path / name, [frame_of(i) for i in range(50)], fps=20, codec="gif", pixels="rgb8")
    else:
        codec = {"webm": "libvpx", "avi": "mpeg4"}.get(name.partition(".")[2], "libx264")
        path = write_video(tmp_path / name, [frame_of(i) for i in range(50)], fps=fps, codec=codec)
    done = extracted(path, tmp_path / "out")
    assert done.warnings == {}
    assert read_json(tmp_path / "out" / "plain.json")["fps"] == pytest.approx(
        20 if name.endswith("gif") else fps, abs=0.01
    )


def test_a_stream_without_times_says_so(tmp_path: Path, write_video: WriteVideo, frame_of: FrameOf) -> None:
    path = write_video(tmp_path / "raw.mjpeg", [frame_of(i) for i in range(20)], codec="mjpeg", pixels="yuvj420p")
    assert extracted(path, tmp_path / "out").warnings[path].startswith("holds no times, so its pictures are assumed")
    one = write_video(tmp_path / "one.png", [frame_of(0)], codec="png", pixels="rgb24")
    assert extracted(one, tmp_path / "out").warnings == {}


def cut(source: Path, target: Path, start: float) -> Path:
    """A copy from `start` seconds on, as `ffmpeg -ss START -c copy` makes it.

    It holds packets from the key frame before on, and an edit list that hides what comes before `start`.
    """
    with av.open(str(source)) as file, av.open(str(target), "w") as out:
        copy = out.add_stream_from_template(file.streams.video[0])
        file.seek(round(start * av.time_base), backward=True)
        for packet in file.demux(video=0):
            if packet.pts is not None and packet.dts is not None:
                shift = round(start / packet.time_base)
                packet.pts, packet.dts, packet.stream = packet.pts - shift, packet.dts - shift, copy
                out.mux(packet)
    return target


def test_what_an_edit_list_hides_is_not_missed(tmp_path: Path, make: Callable[..., Path], number_in: NumberIn) -> None:
    whole = make(tmp_path / "whole.mp4", [i / 10 for i in range(120)], group=60)
    path = cut(whole, tmp_path / "cut.mp4", 3.0)
    with VideoReader(path) as video:
        assert [number_in(frame.image()) for frame in video.frames()] == list(range(30, 120))
        assert video.stream.frames == 120
        assert not video.cut_short
        assert video.start == 0
    assert extracted(path, tmp_path / "out").warnings == {}


def claiming(source: Path, target: Path, longest: int, total: int) -> Path:
    """An mp4 that says that pictures last a second each, but the longest one `longest`, and all of them `total`."""
    content = bytearray(source.read_bytes())

    def put(at: int, value: int) -> None:
        content[at : at + 4] = value.to_bytes(4)

    table, header = content.index(b"stts"), content.index(b"mdhd")
    deltas = [table + 16 + 8 * entry for entry in range(int.from_bytes(content[table + 8 : table + 12]))]
    most = max(deltas, key=lambda at: int.from_bytes(content[at : at + 4]))
    for at in deltas:
        put(at, longest if at == most else 1)
    put(header + 16, 1)  # ticks a second
    put(header + 20, total)
    content[content.index(b"edts") : content.index(b"edts") + 4] = b"free"
    target.write_bytes(content)
    return target


@pytest.mark.parametrize("total", [2_000_000_100, 40])
@pytest.mark.parametrize("place", ["last", "middle"])
@pytest.mark.parametrize("fps", [None, 15])
def test_absurd_claims_end_with_words_and_alone(
    tmp_path: Path, make: Callable[..., Path], fps: int | None, place: str, total: int
) -> None:
    times = [i / 10 for i in range(20)]
    shown = times if place == "last" else [*times[:10], *(5 + time for time in times[10:])]
    honest = make(tmp_path / "honest.mp4", shown, last=9.0 if place == "last" else None)
    absurd = claiming(honest, tmp_path / "absurd.mp4", 2_000_000_000, total)
    before = time.monotonic()
    done = extracted([absurd, honest], tmp_path / "out", fps=fps)
    assert time.monotonic() - before < 60
    assert [path.stem for path in done.written][-1] == "honest"
    if total > 40:
        assert "cannot be" in done.failed[absurd]
    else:  # the end that the file states is nearer to the truth
        assert done.failed == {}
        assert ("jumps of its clock" in done.warnings.get(absurd, "")) == (place == "middle")


@pytest.mark.parametrize("name", ["stated.mp4", "times.mkv"])
def test_absurd_rates_end_with_words_and_alone(tmp_path: Path, make: Callable[..., Path], name: str) -> None:
    honest, absurd = make(tmp_path / "honest.mp4", [0.0, 0.1]), tmp_path / name
    if absurd.suffix == ".mp4":
        claiming(honest, absurd, 200_000_000, 400_000_000)
    else:
        make(absurd, [i * 1e7 for i in range(10)])
    done = extracted([absurd, honest], tmp_path / "out")
    assert "says that its pictures come" in done.failed[absurd]
    assert [path.stem for path in done.written] == ["honest"]


def test_a_day_long_pause_is_read_in_constant_memory() -> None:
    shown = [Shown(0.0), Shown(86_400.0), Shown(86_400.1)]
    found = sampled(shown, 15)
    assert sum(1 for _ in found) == 15 * 86_400 + 3
    with pytest.raises(InputError, match="says that 2 pictures last 1000000000 s, which cannot be"):
        list(sampled([Shown(0.0), Shown(1e9)], 15))
