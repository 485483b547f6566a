from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numbered import FrameOf, NumberIn

from actionformer.core.errors import InputError
from actionformer.video import VideoReader, read_frames
from actionformer.video.reader import Image, TimedFrame
from actionformer.video.sampling import TIE, images, sampled


@dataclass(frozen=True)
class Shown:
    time: float
    duration: float = 0.1


def times(frames: list[float], fps: float, duration: float = 0.1, start: float = 0.0) -> list[float]:
    return [frame.time for frame in sampled([Shown(time, duration) for time in frames], fps, start)]


def test_by_hand() -> None:
    # Samples at 0, 0.25, 0.5, 0.75 of a video of 1 s whose frames are shown at 0, 0.1, 0.4, 0.6 and stay.
    assert times([0, 0.1, 0.4, 0.6], fps=4, duration=0.4) == [0, 0.1, 0.4, 0.6]
    # Samples every 0.1 s: 0.3 lies as near to 0.2 as to 0.4, the earlier one is taken.
    assert times([0, 0.2, 0.4], fps=10, duration=0.2) == [0, 0, 0.2, 0.2, 0.4, 0.4]
    assert times([0, 0.2, 0.4], fps=1, duration=0.2) == [0]
    assert times([0], fps=25, duration=0.01) == [0]  # at least one
    assert times([0.0, 1.0, 2.0, 3.0], fps=2, duration=1.0, start=1.9) == [2.0, 2.0, 3.0, 3.0]
    assert times([], fps=25) == []


@given(st.integers(1, 200), st.sampled_from([10, 23.976, 24, 25, 29.97, 30, 50, 59.94, 60]), st.floats(-4e-4, 4e-4))
def test_at_its_own_rate_every_frame_comes_once(count: int, fps: float, jitter: float) -> None:
    shown = [i / fps + (jitter if i % 2 else 0.0) for i in range(count)]
    assert times(shown, fps, duration=1 / fps) == shown


@given(st.lists(st.floats(0.001, 2.0), min_size=1, max_size=40), st.floats(0.5, 60.0), st.floats(0.01, 1.0))
@example([1.0, 1.9, 0.0011], 58.93028327717938, 1.0)
def test_every_sample_is_the_nearest_frame(steps: list[float], fps: float, duration: float) -> None:
    shown = [float(time) for time in np.cumsum(steps) - steps[0]]
    found = times(shown, fps, duration)
    assert len(found) == max(1, round((shown[-1] + duration) * fps))
    for i, time in enumerate(found):  # a sample TIE beyond the middle of two frames is nearer to one by twice that
        assert abs(time - i / fps) <= min(abs(other - i / fps) for other in shown) + 2 * TIE + 1e-9


@pytest.mark.parametrize("fps", [15, 7.5, 25, 40])
def test_of_a_file(
    tmp_path: Path, write_video: Callable[..., Path], frame_of: FrameOf, number_in: NumberIn, fps: float
) -> None:
    path = write_video(tmp_path / "video.mp4", [frame_of(i) for i in range(50)], fps=25)
    with VideoReader(path) as video:
        numbers = [number_in(image) for image in images(sampled(video.frames(), fps))]
    assert len(numbers) == round(2 * fps)
    assert all(abs(number / 25 - i / fps) <= 0.5 / 25 + 1e-6 or number == 49 for i, number in enumerate(numbers))


def test_a_repeated_frame_is_converted_once(
    tmp_path: Path, write_video: Callable[..., Path], frame_of: FrameOf
) -> None:
    path = write_video(tmp_path / "slow.mp4", [frame_of(i) for i in range(3)], fps=5)
    with VideoReader(path) as video:
        found = list(images(sampled(video.frames(), 10)))
    assert [id(image) for image in found] == [id(found[i]) for i in (0, 0, 2, 2, 4, 4)]
    assert len({id(image) for image in found}) == 3


def test_a_frame_that_no_sample_shows_is_never_converted(
    tmp_path: Path, write_video: Callable[..., Path], frame_of: FrameOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_video(tmp_path / "video.mp4", [frame_of(i) for i in range(50)], fps=25)
    convert, converted = TimedFrame.image, list[float]()

    def counted(frame: TimedFrame) -> Image:
        converted.append(frame.time)
        return convert(frame)

    monkeypatch.setattr(TimedFrame, "image", counted)
    with VideoReader(path) as video:
        assert sum(1 for _ in images(sampled(video.frames(), 5))) == 10
    assert converted == pytest.approx([i / 5 for i in range(10)])


def test_frames_in_memory(
    tmp_path: Path, write_video: Callable[..., Path], frame_of: FrameOf, number_in: NumberIn
) -> None:
    path = write_video(tmp_path / "video.mp4", [frame_of(i) for i in range(50)], fps=25, options={"g": "10"})
    whole = read_frames(path)
    assert (whole.shape, whole.dtype) == ((50, 64, 96, 3), np.uint8)
    assert [number_in(image) for image in whole] == list(range(50))
    assert [number_in(image) for image in read_frames(path, fps=5)] == list(range(0, 50, 5))
    assert [number_in(image) for image in read_frames(path, start=0.8, stop=1.0)] == [20, 21, 22, 23, 24]
    assert [number_in(image) for image in read_frames(path, fps=5, start=0.8, stop=1.6)] == [20, 25, 30, 35]
    with pytest.raises(InputError, match=r"video\.mp4: ends after 2.00 s, before 5.00 s"):
        read_frames(path, start=5)
    for numbers in ({"fps": -1}, {"fps": 0}, {"fps": float("nan")}, {"start": -1}, {"start": 1, "stop": 1}):
        with pytest.raises(InputError, match="must be a"):
            read_frames(path, **numbers)
