import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actionformer.backbones.preprocessing import ResizeAndCrop, centre_crop, resized


def test_bilinear_by_hand() -> None:
    row = np.array([[0, 100, 200, 40]], dtype=np.uint8).repeat(2, axis=0)[..., None]
    # Twice as small: each new pixel lies between two old ones; averaging over what is skipped weighs four.
    assert resized(row, (1, 2), antialias=False)[0, :, 0].tolist() == [50, 120]
    # Twice as large: new centres at -0.25, 0.25, 0.75, ... of the old ones.
    assert resized(row, (2, 8), antialias=False)[0, :, 0].tolist() == [0, 25, 75, 125, 175, 160, 80, 40]


def test_antialiasing_averages_over_what_is_skipped() -> None:
    stripes = np.tile(np.array([0, 0, 0, 240], dtype=np.uint8), (8, 8))[..., None]
    assert np.ptp(resized(stripes, (2, 8), antialias=True)) < 40
    assert set(resized(stripes, (2, 8), antialias=False).ravel().tolist()) == {0}  # it hits the black ones


@given(st.integers(40, 400), st.integers(40, 400), st.sampled_from([32, 112, 224]))
def test_the_short_side_is_as_asked_and_the_crop_square(height: int, width: int, size: int) -> None:
    frame = np.zeros((height, width, 3), dtype=np.uint8)
    small = resized(frame, size, antialias=False)
    assert min(small.shape[:2]) == size
    assert max(small.shape[:2]) == size * max(height, width) // min(height, width)
    assert centre_crop(small, size).shape == (size, size, 3)


def test_crop_by_hand() -> None:
    frame = np.arange(5 * 8, dtype=np.uint8).reshape(5, 8, 1)
    assert centre_crop(frame, 3)[..., 0].tolist() == [
        [10, 11, 12],
        [18, 19, 20],
        [26, 27, 28],
    ]  # (5 - 3) / 2 = 1, 2.5: 2
    assert centre_crop(frame, None) is frame


def test_one_line_says_it_all() -> None:
    assert str(ResizeAndCrop(256, 224)) == "rgb, bilinear antialiased to short side 256, centre 224"
    assert str(ResizeAndCrop((128, 171), None, antialias=False)) == "rgb, bilinear to 128x171"


def test_frames_of_the_size_are_left_alone() -> None:
    frame = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    (prepared,) = ResizeAndCrop(24, None)([frame])
    assert prepared is frame


def test_channels_are_apart() -> None:
    frame = np.zeros((20, 30, 3), dtype=np.uint8)
    frame[..., 1] = 90
    (prepared,) = ResizeAndCrop(10, 8)([frame])
    assert prepared.reshape(-1, 3).tolist() == [[0, 90, 0]] * 64
    assert prepared.flags.c_contiguous or prepared.base is not None
    assert pytest.approx(prepared.mean()) == 30
