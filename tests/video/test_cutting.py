"""Clips: which frames and which samples they have, and when these are shown and heard."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numbered import FrameOf, NumberIn, WriteVideo
from numpy.typing import NDArray

from actionformer.core.errors import InputError
from actionformer.video.cutting import Cutter
from actionformer.video.reader import VideoReader


@pytest.fixture
def source(write_video: WriteVideo, frame_of: FrameOf, tmp_path: Path) -> Path:
    """Four seconds at 25 frames a second, which say their numbers, key frames 50 apart; no sound."""
    images = [frame_of(number) for number in range(100)]
    return write_video(tmp_path / "source.mp4", images, options={"g": "50"})


def shown(path: Path, number_in: NumberIn) -> list[tuple[float, int]]:
    with VideoReader(path) as video:
        return [(round(frame.time, 3), number_in(frame.image())) for frame in video.frames()]


@pytest.mark.parametrize("start", [0.0, 1.0, 1.48, 3.0])
def test_frames_of_a_clip(source: Path, number_in: NumberIn, tmp_path: Path, start: float) -> None:
    with Cutter(source) as cutter:
        cutter.cut(start, start + 0.4, tmp_path / "clip.mp4")
    first = round(25 * start)
    assert shown(tmp_path / "clip.mp4", number_in) == [(round(i / 25, 3), first + i) for i in range(10)]


def test_a_clip_begins_with_the_frame_on_the_screen_and_later_ones_keep_their_times(
    source: Path, number_in: NumberIn, tmp_path: Path
) -> None:
    with Cutter(source) as cutter:
        cutter.cut(1.03, 1.17, tmp_path / "clip.mp4")
    assert shown(tmp_path / "clip.mp4", number_in) == [(0.0, 25), (0.01, 26), (0.05, 27), (0.09, 28), (0.13, 29)]


def test_several_clips_of_one_video_in_any_order(source: Path, number_in: NumberIn, tmp_path: Path) -> None:
    with Cutter(source) as cutter:
        for number, start in enumerate((3.0, 1.0, 1.2)):
            cutter.cut(start, start + 0.2, tmp_path / f"{number}.mp4")
    assert [shown(tmp_path / f"{i}.mp4", number_in)[0][1] for i in range(3)] == [75, 25, 30]


def with_clicks(path: Path, source: Path) -> Path:
    """A copy of a video with sound of 16,000 samples a second: silence, but for 0.1 s of tone from 1.5 s on."""
    rate = 16000
    samples = np.zeros((1, 4 * rate), dtype=np.float32)
    samples[0, 3 * rate // 2 : 8 * rate // 5] = 0.8 * np.sin(np.arange(rate // 10) * 2 * np.pi * 1000 / rate)
    with av.open(str(source)) as given, av.open(str(path), "w") as file:
        video = file.add_stream_from_template(given.streams.video[0])
        sound = file.add_stream("pcm_s16le", rate=rate, layout="mono")
        for packet in given.demux(given.streams.video[0]):
            if packet.dts is not None:
                packet.stream = video
                file.mux(packet)
        for begin in range(0, samples.shape[1], 1000):
            block = (samples[:, begin : begin + 1000] * 32767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block), format="s16", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = rate, begin, Fraction(1, rate)
            file.mux(sound.encode(frame))
        file.mux(sound.encode())
    return path


def heard(path: Path) -> tuple[NDArray[np.float32], int]:
    """Samples from time 0 on, and how many a second."""
    with av.open(str(path)) as file:
        frames = [frame for frame in file.decode(audio=0) if frame.pts is not None and frame.pts >= 0]
        return np.concatenate([frame.to_ndarray()[0] for frame in frames]), frames[0].sample_rate


def test_sound_is_cut_at_the_sample(source: Path, tmp_path: Path) -> None:
    with Cutter(with_clicks(tmp_path / "loud.mkv", source)) as cutter:
        cutter.cut(1.2, 2.2, tmp_path / "clip.mp4")
    samples, rate = heard(tmp_path / "clip.mp4")
    loud = np.flatnonzero(np.abs(samples) > 0.3) / rate
    assert loud[0] == pytest.approx(0.3, abs=0.005)  # the codec smears what begins suddenly
    assert loud[-1] == pytest.approx(0.4, abs=0.005)
    assert len(samples) / rate == pytest.approx(1.0, abs=0.07)  # whole blocks of the codec


def test_what_cannot_be_cut(source: Path, tmp_path: Path) -> None:
    with Cutter(source) as cutter, pytest.raises(InputError, match=r"shows nothing between 9\.00 and 9\.50 s"):
        cutter.cut(9.0, 9.5, tmp_path / "clip.mp4")
    assert not (tmp_path / "clip.mp4").exists()
