import errno
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from numbered import FrameOf
from torch import Tensor

from actionformer import extract
from actionformer.backbones import Backbone, Frame, Preprocessing
from actionformer.backbones.i3d import RgbAndFlow
from actionformer.backbones.motion import DescribeMotion
from actionformer.core.errors import InputError
from actionformer.core.files import read_json
from actionformer.extraction.decoding import Decoded
from actionformer.extraction.encode import encode_videos
from actionformer.extraction.events import Begun, Failed, FeaturesReady, Finished
from actionformer.extraction.store import video_hash, write_features
from actionformer.features import open_features, read_sidecar
from actionformer.video.clips import ClipLayout

Write = Callable[..., Path]


@dataclass(frozen=True)
class Numbers:
    """Prepared frames are 1 x 1: the number that `numbered` drew."""

    def __call__(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        for frame in frames:
            width = frame.shape[1] // 8
            bits = [int(frame[frame.shape[0] // 2, bit * width + width // 2].mean() > 127) << bit for bit in range(8)]
            yield np.full((1, 1, 1), sum(bits), dtype=np.uint8)

    def __str__(self) -> str:
        return "the number in the picture"


class FirstAndLast(Backbone):
    """The numbers of a clip's first and last frame."""

    name, dim, fps, num_frames, stride, weights_hash = "first_and_last", 2, None, 4, 2, "abc"
    preprocessing = Numbers()

    def __init__(self) -> None:
        self.batches: list[int] = []

    def encode(self, clips: Tensor) -> Tensor:
        self.batches.append(len(clips))
        return clips[:, [0, -1], 0, 0, 0].float()


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory, write_video: Write, frame_of: FrameOf) -> list[Path]:
    """Videos of 9, 3, 40 and 17 frames."""
    folder = tmp_path_factory.mktemp("videos")
    return [
        write_video(folder / f"video{i}.mp4", [frame_of(i) for i in range(count)], fps=10)
        for i, count in enumerate((9, 3, 40, 17))
    ]


def expected(frames: int, layout: ClipLayout) -> list[list[float]]:
    last = frames - 1
    starts = [i * layout.stride for i in range(layout.count(frames))]
    return [[min(start, last), min(start + layout.num_frames - 1, last)] for start in starts]


@pytest.mark.parametrize("workers", [0, 1, 3])
@pytest.mark.parametrize("batch_size", [1, 5, 1000])
def test_rows_of_several_videos(videos: list[Path], workers: int, batch_size: int) -> None:
    backbone, layout = FirstAndLast(), ClipLayout(None, 4, 2)
    rows: dict[Path, list[list[float]]] = {}
    ended: list[Path] = []
    for event in encode_videos(videos, backbone, layout, batch_size=batch_size, workers=workers):
        assert event.video not in ended
        if isinstance(event, Begun):
            rows[event.video] = []
            assert event.clips == layout.count((9, 3, 40, 17)[videos.index(event.video)])
        elif isinstance(event, FeaturesReady):
            rows[event.video] += event.rows.tolist()
        elif isinstance(event, Finished):
            ended.append(event.video)
            assert event.summary.frames == (9, 3, 40, 17)[videos.index(event.video)]
            assert event.summary.duration == pytest.approx(event.summary.frames / 10, abs=1e-3)
            assert event.summary.fps == 10
    assert sorted(ended) == videos
    assert [rows[video] for video in videos] == [expected(frames, layout) for frames in (9, 3, 40, 17)]
    assert all(size == batch_size for size in backbone.batches[:-1])  # full, whatever video clips are of


@pytest.mark.parametrize("preprocessing", [DescribeMotion(), RgbAndFlow("dis", resize=(64, 96), crop=64)])
def test_flow_of_two_frames_is_found_once_however_many_clips_hold_them(
    videos: list[Path], preprocessing: Preprocessing, monkeypatch: pytest.MonkeyPatch
) -> None:
    cv2 = pytest.importorskip("cv2", reason="optical flow needs OpenCV")
    made, pairs = cv2.DISOpticalFlow_create, 0

    class Counted:
        def __init__(self, *preset: int) -> None:
            self.method = made(*preset)

        def calc(self, *frames: Any) -> Any:
            nonlocal pairs
            pairs += 1
            return self.method.calc(*frames)

    monkeypatch.setattr(cv2, "DISOpticalFlow_create", Counted)
    backbone, layout = FirstAndLast(), ClipLayout(None, 8, 2)  # four clips hold a pair
    monkeypatch.setattr(backbone, "preprocessing", preprocessing)
    events = list(encode_videos(videos, backbone, layout, workers=0))
    assert sum(isinstance(event, FeaturesReady) for event in events) == sum(map(layout.count, (9, 3, 40, 17)))
    assert pairs == 8 + 2 + 39 + 16


def test_a_video_ends_soon_after_its_last_clip(videos: list[Path]) -> None:
    """So that it is a whole file when the process is killed later."""
    events = list(encode_videos(videos, FirstAndLast(), ClipLayout(None, 4, 2), batch_size=4, workers=0))
    ends = [i for i, event in enumerate(events) if isinstance(event, Finished)]
    last = [
        max(i for i, e in enumerate(events) if isinstance(e, FeaturesReady) and e.video == video) for video in videos
    ]
    assert all(end - row <= 4 for end, row in zip(ends, last, strict=True))


def test_one_bad_video_does_not_stop_the_rest(tmp_path: Path, videos: list[Path]) -> None:
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(videos[0].read_bytes()[:200])
    events = list(encode_videos([bad, *videos[:2]], FirstAndLast(), ClipLayout(None, 4, 2), workers=2))
    assert [event.video for event in events if isinstance(event, Failed)] == [bad]
    assert {event.video for event in events if isinstance(event, Finished)} == set(videos[:2])


def test_files_and_sidecars(tmp_path: Path, videos: list[Path]) -> None:
    done = extract(videos[0].parent, FirstAndLast(), tmp_path / "out", workers=0)
    assert sorted(done.written) == [tmp_path / "out" / f"video{i}.npy" for i in range(4)]
    assert done.failed == done.warnings == {}
    assert open_features(done.written[0])[:].tolist() == expected(9, ClipLayout(None, 4, 2))
    assert read_json(tmp_path / "out" / "video0.json") == {
        "fps": 10.0,
        "stride": 2,
        "num_frames": 4,
        "backbone": "first_and_last",
        "weights_hash": "abc",
        "start": 0.0,
        "duration": pytest.approx(0.9, abs=1e-3),
        "dim": 2,
        "preprocessing": "the number in the picture",
        "last_clip": "pad",
        "frames": 9,
        "skipped_packets": 0,
        "native_fps": 10.0,
        "video_hash": video_hash(videos[0]),
        "version": "0.1.0",
    }


def test_another_rate_and_layout(tmp_path: Path, videos: list[Path]) -> None:
    extract(videos[2], FirstAndLast(), tmp_path, fps=5, stride=3, num_frames=2, last_clip="drop", dtype="float16")
    array = np.load(tmp_path / "video2.npy")
    assert array.dtype == np.float16
    assert array.tolist() == [[2 * i, 2 * i + 2] for i in range(0, 19, 3)]  # every second frame
    assert read_sidecar(tmp_path / "video2.npy").fps == 5


def test_what_is_there_is_kept_and_what_differs_refused(tmp_path: Path, videos: list[Path]) -> None:
    extract(videos[:2], FirstAndLast(), tmp_path)
    before = (tmp_path / "video1.npy").stat().st_mtime_ns
    done = extract(videos, FirstAndLast(), tmp_path)
    assert len(done.kept) == len(done.written) == 2
    assert (tmp_path / "video1.npy").stat().st_mtime_ns == before
    with pytest.raises(InputError, match=r"video0\.npy: holds features with stride 2, not 3: choose another"):
        extract(videos, FirstAndLast(), tmp_path, stride=3)
    assert len(extract(videos, FirstAndLast(), tmp_path, stride=3, overwrite=True).written) == 4
    assert read_sidecar(tmp_path / "video1.npy").stride == 3


def test_failures_are_reported_and_leave_nothing(tmp_path: Path, videos: list[Path]) -> None:
    bad = tmp_path / "bad.mkv"
    bad.write_text("no video")
    done = extract([bad, videos[0]], FirstAndLast(), tmp_path / "out")
    assert list(done.failed) == [bad]
    assert "not a readable video" in done.failed[bad]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["video0.json", "video0.npy"]


def test_an_error_of_the_backbone_leaves_nothing_half_written(tmp_path: Path, videos: list[Path]) -> None:
    class Broken(FirstAndLast):
        def encode(self, clips: Tensor) -> Tensor:
            if len(self.batches) == 2:
                raise MemoryError
            return super().encode(clips)

    with pytest.raises(MemoryError):
        extract(videos[2], Broken(), tmp_path / "out", batch_size=4, workers=1)
    assert not (tmp_path / "out").exists()


def test_refusals(tmp_path: Path, videos: list[Path]) -> None:
    with pytest.raises(InputError, match="nothing to extract from"):
        extract([], FirstAndLast(), tmp_path)
    with pytest.raises(InputError, match=r"no videos here, expected files that end in \.3gp"):
        extract(tmp_path, FirstAndLast(), tmp_path)
    other = tmp_path / "video0.mkv"
    other.touch()
    with pytest.raises(InputError, match="are both called 'video0'"):
        extract([*videos, other], FirstAndLast(), tmp_path)
    with pytest.raises(InputError, match=r"no backbone 'i3d_tv', did you mean 'i3d'\?; there are motion"):
        extract(videos, "i3d_tv", tmp_path)
    with pytest.raises(InputError, match="stride must be a whole number"):
        extract(videos, FirstAndLast(), tmp_path, stride=2.5)
    assert extract([*videos, str(videos[0].parent / "video[01].mp4")], FirstAndLast(), tmp_path / "o").failed == {}


KILLED = """
import sys, time
from pathlib import Path
from typing import Any
from test_encode import FirstAndLast
from actionformer import extract

class Slow(FirstAndLast):
    def encode(self, clips):
        print("encoding", flush=True)
        time.sleep(0.05)
        return super().encode(clips)

extract(Path(sys.argv[1]), Slow(), sys.argv[2], batch_size=2, workers=1)
"""


def test_killed_and_called_again(tmp_path: Path, videos: list[Path]) -> None:
    """SIGKILL between two batches: what is there is whole, and the next call makes the rest."""
    found_in = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    environment = {**os.environ, "PYTHONPATH": found_in}
    command = [sys.executable, "-c", KILLED, str(videos[0].parent), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as process:
        assert process.stdout is not None
        for _ in range(8):
            assert process.stdout.readline() == "encoding\n"
        process.send_signal(signal.SIGKILL)
    whole = sorted(path.stem for path in tmp_path.glob("*.npy"))
    assert 0 < len(whole) < 4
    done = extract(videos, FirstAndLast(), tmp_path)
    assert sorted(path.stem for path in done.kept) == whole
    assert [np.load(tmp_path / f"video{i}.npy").tolist() for i in range(4)] == [
        expected(frames, ClipLayout(None, 4, 2)) for frames in (9, 3, 40, 17)
    ]
    assert list(tmp_path.glob(".*.part")) == []


def test_called_on_raw_clips(frame_of: FrameOf) -> None:
    clips = np.stack([np.stack([frame_of(i) for i in range(start, start + 4)]) for start in (3, 9)])
    assert FirstAndLast()(clips).tolist() == FirstAndLast()(torch.from_numpy(clips)).tolist() == [[3, 6], [9, 12]]


@pytest.mark.parametrize(("rate", "seconds"), [("25", 3.0), ("30000/1001", 3.37), ("24000/1001", 2.0), ("60", 1.25)])
@pytest.mark.parametrize(("fps", "num_frames", "stride"), [(None, 16, 4), (15, 16, 16), (30, 32, 16), (7.5, 3, 5)])
def test_length_and_time_of_a_test_picture(
    tmp_path: Path, rate: str, seconds: float, fps: float | None, num_frames: int, stride: int
) -> None:
    """FFmpeg's testsrc2, whose length is known: T, duration and grid agree to the frame."""
    path = tmp_path / "testsrc2.mp4"
    with (
        av.open(f"testsrc2=size=64x48:rate={rate}:duration={seconds}", format="lavfi") as source,
        av.open(str(path), "w") as container,
    ):
        stream: Any = container.add_stream("libx264", rate=Fraction(rate), options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        count = 0
        for picture in source.decode(video=0):
            container.mux(stream.encode(picture.reformat(format="yuv420p")))
            count += 1
        container.mux(stream.encode())
    extract(path, FirstAndLast(), tmp_path, fps=fps, num_frames=num_frames, stride=stride, workers=0)
    sidecar = read_json(tmp_path / "testsrc2.json")
    own = float(Fraction(rate))
    sampled = round(count / own * (fps or own))
    assert sidecar["fps"] == pytest.approx(fps or own)
    assert sidecar["frames"] == sampled
    assert sidecar["duration"] == pytest.approx(count / own, abs=1e-4)
    length = len(np.load(tmp_path / "testsrc2.npy"))
    assert length == max(0, -(-(sampled - num_frames) // stride)) + 1
    spec = read_sidecar(tmp_path / "testsrc2.npy")
    assert spec.grid is not None
    covered = spec.grid.seconds_covered(length)  # whole clips cover the video, and less than one more stride
    assert -1e-6 <= covered - sampled / spec.grid.fps < max(stride, num_frames) / spec.grid.fps


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fps": 5}, "with fps 10.0, not 5"),
        ({"num_frames": 3}, "with num_frames 4, not 3"),
        ({"last_clip": "drop"}, "with last_clip pad, not drop"),
        ({"dtype": "float16"}, "with dtype float32, not float16"),
    ],
)
def test_features_made_in_another_way_are_not_kept(
    tmp_path: Path, videos: list[Path], changes: dict[str, Any], message: str
) -> None:
    extract(videos[0], FirstAndLast(), tmp_path)
    with pytest.raises(InputError, match=message):
        extract(videos[0], FirstAndLast(), tmp_path, **changes)
    extract(videos[0], FirstAndLast(), tmp_path, overwrite=True, **changes)
    assert len(extract(videos[0], FirstAndLast(), tmp_path, **changes).kept) == 1
    with pytest.raises(InputError, match="holds features with"):  # the other way round as well
        extract(videos[0], FirstAndLast(), tmp_path)


@pytest.mark.parametrize(
    ("attribute", "value", "message"),
    [
        ("preprocessing", "another", "preprocessing the number"),
        ("weights_hash", "def", "abc, not def"),
        ("dim", 3, "dim 2"),
    ],
)
def test_features_of_a_backbone_that_changed_are_not_kept(
    tmp_path: Path, videos: list[Path], attribute: str, value: Any, message: str
) -> None:
    extract(videos[0], FirstAndLast(), tmp_path)
    other = FirstAndLast()
    setattr(other, attribute, value)
    with pytest.raises(InputError, match=message):
        extract(videos[0], other, tmp_path)


def test_features_of_another_video_of_that_name_are_not_kept(
    tmp_path: Path, videos: list[Path], write_video: Write, frame_of: FrameOf
) -> None:
    extract(videos[0], FirstAndLast(), tmp_path / "out")
    other = write_video(tmp_path / videos[0].name, [frame_of(9 - i) for i in range(9)], fps=10)
    with pytest.raises(InputError, match=r"video0\.npy: holds features of another video than .*video0\.mp4: choose"):
        extract(other, FirstAndLast(), tmp_path / "out")


def test_a_file_that_is_no_sidecar_is_not_replaced(tmp_path: Path, videos: list[Path]) -> None:
    (tmp_path / "video0.json").write_text('{"mine": "precious"}')
    for overwrite in (False, True):
        with pytest.raises(InputError, match=r"video0\.json: is not a sidecar of extracted features"):
            extract(videos[:2], FirstAndLast(), tmp_path, overwrite=overwrite)
    assert (tmp_path / "video0.json").read_text() == '{"mine": "precious"}'


def test_two_extractions_into_one_folder(tmp_path: Path, videos: list[Path]) -> None:
    """One that starts while another writes leaves its files alone; both end well."""
    streams = [
        write_features(
            encode_videos(videos, FirstAndLast(), ClipLayout(None, 4, 2), batch_size=1, workers=0),
            {video: tmp_path / f"{video.stem}.npy" for video in videos},
            FirstAndLast(),
            ClipLayout(None, 4, 2),
        )
        for _ in range(2)
    ]
    ended = [event for pair in zip(*streams, strict=True) for event in pair if isinstance(event, Finished | Failed)]
    assert [type(event) for event in ended] == [Finished] * 8
    assert [np.load(tmp_path / f"video{i}.npy").tolist() for i in range(4)] == [
        expected(frames, ClipLayout(None, 4, 2)) for frames in (9, 3, 40, 17)
    ]
    assert list(tmp_path.glob(".*.part")) == []


def test_a_file_that_cannot_be_opened_fails_alone(tmp_path: Path, videos: list[Path]) -> None:
    (tmp_path / "video1.npy").mkdir()
    done = extract(videos, FirstAndLast(), tmp_path)
    assert list(done.failed) == [videos[1]]
    assert "there is a folder of that name" in done.failed[videos[1]]
    assert len(done.written) == 3


def test_an_error_of_a_library_fails_one_video(tmp_path: Path, videos: list[Path]) -> None:
    @dataclass(frozen=True)
    class Picky(Numbers):
        def __call__(self, frames: Iterable[Frame]) -> Iterator[Frame]:
            for number, frame in enumerate(super().__call__(frames)):
                if number == 20:
                    raise IndexError("no such stream")
                yield frame

    backbone = FirstAndLast()
    backbone.preprocessing = Picky()
    done = extract(videos, backbone, tmp_path, workers=0)
    assert done.failed == {videos[2]: "cannot be read (IndexError: no such stream)"}
    assert len(done.written) == 3
    assert sorted(path.name for path in tmp_path.glob("video2*")) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch_size": 0}, "batch_size must be a whole number from 1 on, found 0"),
        ({"workers": -1}, "workers must be a whole number from 0 on, found -1"),
        ({"fps": 1e308}, "fps must be a positive number up to 10000"),
        ({"fps": 0}, "fps must be a positive number up to 10000"),
        ({"stride": 0}, "stride must be a whole number of frames from 1 on, found 0"),
        ({"num_frames": float("inf")}, "num_frames must be a whole number"),
        ({"dtype": "int8"}, "dtype must be one of float32, float16, found 'int8'"),
        ({"last_clip": "keep"}, "last_clip must be pad or drop"),
    ],
)
def test_numbers_that_cannot_be_meant(tmp_path: Path, videos: list[Path], arguments: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        extract(videos, FirstAndLast(), tmp_path / "out", **arguments)


def test_damaged_and_joined_videos_are_warned_of(tmp_path: Path, write_video: Write, frame_of: FrameOf) -> None:
    numbers = [frame_of(i) for i in range(60)]
    path = write_video(tmp_path / "damaged.avi", numbers, codec="mjpeg", pixels="yuvj420p", options={"qscale": "3"})
    content = bytearray(path.read_bytes())
    starts = [i for i in range(len(content) - 3) if content[i : i + 3] == b"\xff\xd8\xff"]
    content[starts[10] : starts[11] - 8] = bytes(starts[11] - 8 - starts[10])
    path.write_bytes(content)
    once = write_video(tmp_path / "once.ts", numbers[:30])
    joined = tmp_path / "joined.ts"
    joined.write_bytes(once.read_bytes() * 2)
    done = extract([path, joined], FirstAndLast(), tmp_path / "out")
    assert done.warnings[path] == "damaged packets skipped: 1"
    assert "jumps of its clock, as in joined recordings: 1;" in done.warnings[joined]
    assert read_json(tmp_path / "out" / "damaged.json")["skipped_packets"] == 1


def test_broken_files_end_in_an_event(tmp_path: Path, write_video: Write, frame_of: FrameOf) -> None:
    """Cut and corrupted files of several containers: each is read as far as it goes or fails, and none runs away.

    What AVI alone says of the rate and of the first picture's time is left as it is: nothing contradicts it.
    """
    rng = np.random.default_rng(0)
    broken = []
    for container in ("mp4", "mkv", "avi", "ts"):
        codec = "mpeg4" if container == "avi" else "libx264"
        whole = write_video(tmp_path / f"whole.{container}", [frame_of(i) for i in range(50)], codec=codec).read_bytes()
        clock = whole.find(b"strh") + 28
        for case in range(6):
            content = bytearray(whole[: int(len(whole) * rng.uniform(0.05, 1))] if case < 2 else whole)
            for place in rng.integers(0, len(content), 12 if case > 1 else 0):
                if container != "avi" or not clock <= place < clock + 12:
                    content[place] = rng.integers(256)
            broken.append(tmp_path / f"{container}{case}.{container}")
            broken[-1].write_bytes(content)
    rows: dict[Path, int] = dict.fromkeys(broken, 0)
    ended: dict[Path, Finished | Failed] = {}
    for event in encode_videos(broken, FirstAndLast(), ClipLayout(25, 4, 4), workers=0):
        if isinstance(event, FeaturesReady):
            rows[event.video] += len(event.rows)
        elif isinstance(event, Finished | Failed):
            ended[event.video] = event
    assert ended.keys() == set(broken)
    assert sum(isinstance(event, Finished) for event in ended.values()) > 12
    assert max(rows.values()) < 25 * 15  # a clock that is off by more than ten seconds is not believed


@pytest.mark.parametrize("busy", [False, True])
def test_a_decoding_process_that_is_killed_is_an_input_error(tmp_path: Path, videos: list[Path], busy: bool) -> None:
    class Slow(FirstAndLast):
        def encode(self, clips: Tensor) -> Tensor:
            if not self.batches:
                for child in multiprocessing.active_children():
                    os.kill(child.pid or 0, signal.SIGKILL)
            if busy:
                time.sleep(0.5)
            return super().encode(clips)

    big = [tmp_path / f"{i}.mp4" for i in range(30)]
    for path in big:
        path.write_bytes(videos[2].read_bytes())
    with pytest.raises(InputError, match="a decoding process was killed"):
        extract(big, Slow(), tmp_path / "out", workers=1, batch_size=1)
    assert list((tmp_path / "out").glob(".*.part")) == []


@pytest.mark.parametrize(
    "error",
    [OSError(errno.EMFILE, "Too many open files"), RuntimeError("Too many open files. Communication with the workers")],
)
def test_too_many_open_files_are_an_input_error(
    videos: list[Path], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """As pipes to many processes need them, and as their shared memory does."""

    def too_many(*_: object) -> Iterator[Decoded]:
        raise error

    monkeypatch.setattr("actionformer.extraction.encode.decoded", too_many)
    with pytest.raises(InputError, match=r"^too many open files: use fewer --workers"):
        list(encode_videos(videos, FirstAndLast(), ClipLayout(25, 4, 4), workers=1))
