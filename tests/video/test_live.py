"""Frames of live sources: pipes, growing files, cameras; what is slow, dead, or no video."""

import itertools
import os
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from moving import camera, played, running, write_moving, written
from numbered import FrameOf

from actionformer.core.errors import InputError
from actionformer.video.live import LiveFrames, LiveVideoReader, Sample
from actionformer.video.reader import VideoReader
from actionformer.video.sampling import sampled
from actionformer.video.sources import Source, source_of

Write = Callable[..., Path]


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_moving(tmp_path_factory.mktemp("stream") / "moving.ts", 0, seconds=12.0)


def times_of(reader: Iterable[Sample]) -> list[tuple[int, float]]:
    return [(sample.index, sample.frame.time) for sample in reader]


@pytest.mark.parametrize("fps", [10, 7.5])
def test_a_pipe_gives_the_frames_of_the_file(tmp_path: Path, stream: Path, fps: float) -> None:
    with played(stream.read_bytes(), tmp_path / "pipe") as pipe:
        reader = LiveFrames(source_of(str(pipe)), fps=fps)
        found = times_of(reader)
    with VideoReader(stream) as video:
        expected = [(i, frame.time) for i, frame in enumerate(sampled(video.frames(), fps))]
        assert reader.duration == video.end == pytest.approx(12.0, abs=0.01)
    assert found == expected
    assert (reader.broken, reader.began, reader.missed) == (None, None, 0)


@pytest.mark.parametrize("name", ["moving.ts", "moving.mkv", "moving.mp4"])
def test_a_file_that_grows_is_read_to_the_end(tmp_path: Path, name: str) -> None:
    options = {"movflags": "frag_keyframe+empty_moov"}
    content = _fragmented(tmp_path, options) if name.endswith("mp4") else write_moving(tmp_path / name, 0).read_bytes()
    with written(content, tmp_path / f"live_{name}", bursts=4, pause=0.3) as path:
        reader = LiveFrames(source_of(str(path)), patience=1.5)
        assert [index for index, _ in times_of(reader)] == list(range(60))
    assert reader.duration == pytest.approx(6.0, abs=0.01)
    assert reader.broken is None


def _fragmented(folder: Path, options: dict[str, str]) -> bytes:
    """What a recorder writes that never goes back in its file."""
    import av

    whole = write_moving(folder / "whole.mp4", 0)
    with av.open(str(whole)) as source, av.open(str(folder / "parts.mp4"), "w", options=options) as target:
        copy = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = copy
                target.mux(packet)
    return (folder / "parts.mp4").read_bytes()


def test_frames_come_before_the_file_ends_and_stopping_is_prompt(tmp_path: Path, stream: Path) -> None:
    (tmp_path / "half.ts").write_bytes(stream.read_bytes()[: 188 * 300])
    reader = LiveFrames(source_of(str(tmp_path / "half.ts")), patience=60)
    frames = iter(reader)
    first = list(itertools.islice(frames, 20))
    assert [sample.index for sample in first] == list(range(20))
    reader.stop()
    began = time.monotonic()
    assert list(frames) == []
    assert time.monotonic() - began < 5
    assert reader.duration == pytest.approx(2.0)


def test_enough_is_enough(stream: Path) -> None:
    reader = LiveFrames(source_of(str(stream)), patience=0.5, stop_after=2.5)
    assert len(list(reader)) == 25
    assert reader.duration == pytest.approx(2.5)


def test_a_camera_is_taken_in_real_time(stream: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actionformer.video.live.WAITING", 1000)  # a busy machine is no failure
    before = time.time()
    with camera(stream.read_bytes(), seconds=2.0) as address:
        reader = LiveFrames(source_of(address), patience=5)
        assert [index for index, _ in times_of(reader)] == list(range(reader.frames))
        after = time.time()
    assert reader.frames >= 119  # 12 s of video: the last frame's end is not sent
    assert reader.source.name.endswith("/camera")
    assert "secret" not in reader.source.name
    assert reader.began is not None
    assert before - 12 <= reader.began.timestamp() <= after


def test_an_address_that_falls_silent_is_given_up(stream: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            client, _ = server.accept()
            with client:
                client.sendall(stream.read_bytes())
                client.settimeout(20)
                assert client.recv(1) == b""  # silent, until the other side has gone

        with running(serve):
            reader = LiveFrames(source_of(f"tcp://127.0.0.1:{server.getsockname()[1]}"), patience=2)
            assert len(list(reader)) >= 100
    assert reader.broken == "no frame came for 2 s"
    assert reader.duration >= 10


def test_dead_sources(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    began = time.monotonic()
    with pytest.raises(InputError, match=f"^rtsp://127.0.0.1:{port}: not a readable video .*is the address right"):
        LiveFrames(source_of(f"rtsp://user:secret@127.0.0.1:{port}"))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(InputError, match=f"^{address}: no frame came for 0.5 s"):
            LiveFrames(source_of(address), patience=0.5)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match=r"pipe: no frame came for 0.5 s"):
        LiveFrames(source_of(str(tmp_path / "pipe")), patience=0.5)
    os.close(os.open(tmp_path / "pipe", os.O_WRONLY | os.O_NONBLOCK))  # lets the thread go that waits for a writer
    assert time.monotonic() - began < 10


def test_sources_without_video(tmp_path: Path) -> None:
    (tmp_path / "text.ts").write_text("no video at all " * 100)
    with pytest.raises(InputError, match=r"text.ts: not a readable video .*must be .ts, .mkv or fragmented .mp4"):
        LiveFrames(source_of(str(tmp_path / "text.ts")), patience=0.1)
    content = write_moving(tmp_path / "whole.mp4", 0).read_bytes()
    (tmp_path / "whole.mp4").write_bytes(content.replace(b"moov", b"free"))  # no index, as while it is written
    with pytest.raises(InputError, match=r"whole.mp4: .*must be .ts, .mkv or fragmented .mp4"):
        LiveFrames(source_of(str(tmp_path / "whole.mp4")), patience=0.1)
    with pytest.raises(InputError, match="has no video stream, it holds audio"):
        LiveFrames(source_of("lavfi:sine=duration=1"))


def slowly(samples: Iterable[Sample], seconds: float) -> Iterator[Sample]:
    for sample in samples:
        time.sleep(seconds)
        yield sample


def test_a_real_time_source_that_is_too_fast_loses_stretches_and_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actionformer.video.live.WAITING", 8)
    reader = LiveFrames(source_of("lavfi:testsrc=size=64x48:rate=200:duration=2,realtime"))
    with pytest.warns(UserWarning, match=r"too fast for this machine: of \d+\.\d s so far \d+\.\d s were not looked"):
        taken = list(slowly(reader, 0.02))
    indices = np.array([sample.index for sample in taken])
    assert [sample.frame.time for sample in taken] == pytest.approx(indices / 200)
    stretches = np.diff(np.flatnonzero(np.diff(indices, prepend=-9, append=10**6) > 1))
    assert len(stretches) >= 2
    assert stretches[:-1].min() >= 8  # whole stretches, which hold whole clips
    assert reader.frames == 400
    assert reader.missed == 400 - len(indices)


def test_a_source_that_can_wait_loses_nothing(tmp_path: Path, stream: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actionformer.video.live.WAITING", 8)
    with played(stream.read_bytes(), tmp_path / "pipe") as pipe:
        reader = LiveFrames(source_of(str(pipe)))
        assert [sample.index for sample in slowly(reader, 0.002)] == list(range(120))


def test_what_a_jump_of_the_clock_lasted(tmp_path: Path, write_video: Write, frame_of: FrameOf) -> None:
    """In real time as long as it lasted; in a file not at all."""
    images = [frame_of(i) for i in range(20)]
    path = tmp_path / "joined.ts"
    path.write_bytes(2 * write_video(tmp_path / "one.ts", images, fps=10).read_bytes())
    for source, least, most in ((Source("device", str(path)), 0.5, 5.0), (Source("file", str(path)), 0.1, 0.11)):
        times = []
        with LiveVideoReader(source, 0.1, lambda: False) as video:
            for frame in video.frames():
                times.append(frame.time)
                if len(times) == 20:
                    time.sleep(0.5)
        assert video.jumps == 1
        steps = np.diff(times)
        assert least - 0.01 <= steps[19] <= most
        assert np.delete(steps, 19) == pytest.approx(0.1, abs=1e-3)
