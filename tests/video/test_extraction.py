import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from torch import Tensor

from actionformer import extract
from actionformer.errors import InputError
from actionformer.features import open_features, read_sidecar
from actionformer.files import read_json
from actionformer.video.backbones import Backbone, Frame
from actionformer.video.clips import ClipLayout
from actionformer.video.extraction import Begun, Failed, Finished, Rows, encode_videos

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
def videos(tmp_path_factory: pytest.TempPathFactory, write_video: Write, frame_of) -> list[Path]:
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
        elif isinstance(event, Rows):
            rows[event.video] += event.rows.tolist()
        elif isinstance(event, Finished):
            ended.append(event.video)
            assert event.course.frames == (9, 3, 40, 17)[videos.index(event.video)]
            assert event.course.duration == pytest.approx(event.course.frames / 10, abs=1e-3)
            assert event.course.fps == 10
    assert sorted(ended) == videos
    assert [rows[video] for video in videos] == [expected(frames, layout) for frames in (9, 3, 40, 17)]
    assert all(size == batch_size for size in backbone.batches[:-1])  # full, whatever video clips are of


def test_a_video_ends_soon_after_its_last_clip(videos: list[Path]) -> None:
    """So that it is a whole file when the process is killed later."""
    events = list(encode_videos(videos, FirstAndLast(), ClipLayout(None, 4, 2), batch_size=4, workers=0))
    ends = [i for i, event in enumerate(events) if isinstance(event, Finished)]
    last = [max(i for i, e in enumerate(events) if isinstance(e, Rows) and e.video == video) for video in videos]
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
        "duration": pytest.approx(0.9, abs=1e-3),
        "dim": 2,
        "preprocessing": "the number in the picture",
        "last_clip": "pad",
        "frames": 9,
        "skipped_packets": 0,
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
    assert list((tmp_path / "out").iterdir()) == []


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
        extract(videos, FirstAndLast(), tmp_path, stride=2.5)  # type: ignore[arg-type]
    assert extract([*videos, str(videos[0].parent / "video[01].mp4")], FirstAndLast(), tmp_path / "o").failed == {}


KILLED = """
import sys, time
from pathlib import Path
from typing import Any
from test_extraction import FirstAndLast
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
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
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


def test_called_on_raw_clips(frame_of) -> None:
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
