from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actionformer.core.errors import InputError
from actionformer.features import check_duration
from actionformer.video.clips import ClipCutter, ClipLayout

layouts = st.builds(
    ClipLayout,
    fps=st.none(),
    num_frames=st.integers(1, 20),
    stride=st.integers(1, 25),
    last_clip=st.sampled_from(["pad", "drop"]),
)


def frames(count: int) -> np.ndarray:
    return np.arange(count, dtype=np.uint8)[:, None, None, None]


def cut(count: int, layout: ClipLayout, piece: int = 7) -> list[list[int]]:
    """The numbers of the frames in every clip of a video of `count` frames that comes in pieces."""
    cutter = ClipCutter(layout)
    clips = [clip for i in range(0, count, piece) for clip in cutter.add(frames(count)[i : i + piece])]
    return [clip[:, 0, 0, 0].tolist() for clip in [*clips, *cutter.finish()]]


def test_by_hand() -> None:
    assert cut(8, ClipLayout(None, 4, 2)) == [[0, 1, 2, 3], [2, 3, 4, 5], [4, 5, 6, 7]]
    assert cut(9, ClipLayout(None, 4, 2)) == [[0, 1, 2, 3], [2, 3, 4, 5], [4, 5, 6, 7], [6, 7, 8, 8]]
    assert cut(9, ClipLayout(None, 4, 2, "drop")) == [[0, 1, 2, 3], [2, 3, 4, 5], [4, 5, 6, 7]]
    assert cut(3, ClipLayout(None, 2, 3)) == [[0, 1], [2, 2]]  # the third frame is in the next clip's place
    assert cut(4, ClipLayout(None, 2, 3)) == [[0, 1], [3, 3]]
    assert cut(2, ClipLayout(None, 5, 5, "drop")) == [[0, 1, 1, 1, 1]]
    assert cut(0, ClipLayout(None, 5, 5)) == []


@given(st.integers(1, 100), layouts, st.integers(1, 30))
def test_clips_are_those_of_the_definition(count: int, layout: ClipLayout, piece: int) -> None:
    numbers = list(range(count)) + [count - 1] * (layout.num_frames + layout.stride)
    starts = [i * layout.stride for i in range(layout.count(count))]
    assert cut(count, layout, piece) == [numbers[start : start + layout.num_frames] for start in starts]


@given(st.integers(1, 500), layouts, st.sampled_from([10.0, 25.0, 29.97]))
def test_length_and_duration_agree_with_the_grid(count: int, layout: ClipLayout, fps: float) -> None:
    length, grid = layout.count(count), layout.grid(fps)
    covered = round(grid.seconds_covered(length) * fps)  # frames, from the first clip's start to the last one's end
    if layout.last_clip == "pad":
        assert covered >= count or layout.stride > layout.num_frames
        assert covered - layout.stride < count or length == 1
    else:
        assert covered <= count or length == 1
        assert covered + layout.stride > count
    if count >= 10 * (layout.num_frames + layout.stride):
        check_duration("video", length, count / fps, grid)  # neither an error nor a warning


def test_the_given_rate_goes_before_the_own() -> None:
    assert ClipLayout(15, 16, 8).grid(30.0).fps == 15
    assert ClipLayout(None, 16, 8).grid(30.0).fps == 30


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((None, 0, 1), "num_frames must be a whole number of frames from 1 on, found 0"),
        ((None, 1, 0.5), "stride must be a whole number of frames from 1 on, found 0.5"),
        ((0, 1, 1), "fps must be a positive number up to 10000, found 0"),
        ((None, 1, 1, "keep"), "last_clip must be pad or drop, found 'keep'"),
    ],
)
def test_refusals(values: tuple[float | None, int, int, Literal["pad"]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        ClipLayout(*values)
