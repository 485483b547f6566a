import pickle
import sys
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from actionformer.backbones import Frame
from actionformer.backbones.motion import Motion, by_cell, described, edges, movement, small_grey
from actionformer.backbones.preprocessing import resized
from actionformer.core.errors import InputError

cv2 = pytest.importorskip("cv2", reason="the backbone motion needs OpenCV")

HEIGHT, WIDTH = 96, 128  # the size that edges and flow are taken from: 12 cells of 32 x 32 pixels
CELLS = np.arange(12).reshape(3, 4).repeat(32, 0).repeat(32, 1)
RIGHT, DOWN, LEFT, UP, STILL = 8, 10, 12, 14, 16  # places among the 17 numbers of a cell


def square_at(x: int, y: int) -> Frame:
    """A frame with a checkered square of 24 pixels, its top left corner at (x, y)."""
    frame = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    rows, columns = np.indices((24, 24))
    frame[y : y + 24, x : x + 24] = np.where((rows // 6 + columns // 6) % 2, 200, 20)[..., None]
    return frame


def moving(dx: int, dy: int, frames: int = 8) -> np.ndarray:
    """The square around the centre of the cell at row 1, column 2, moving so many pixels a frame: (T, H, W, 3)."""
    middle = (frames - 1) / 2
    return np.stack([square_at(68 + round(dx * (i - middle)), 36 + round(dy * (i - middle))) for i in range(frames)])


def numbers(clip: np.ndarray) -> np.ndarray:
    """The numbers of a clip of raw frames, squared: (3, 4, 17)."""
    return Motion()(clip[None]).numpy().reshape(3, 4, 17) ** 2


@pytest.mark.parametrize(("dx", "dy", "bin"), [(2, 0, RIGHT), (-2, 0, LEFT), (0, 2, DOWN), (0, -2, UP)])
def test_a_moving_square_is_seen_where_it_is_and_whither_it_goes(dx: int, dy: int, bin: int) -> None:
    cells = numbers(moving(dx, dy))
    flow = cells[..., RIGHT:STILL]
    assert np.unravel_index(flow.argmax(), flow.shape) == (1, 2, bin - RIGHT)
    assert cells[1, 2, bin] > 5 * cells[1, 2, RIGHT + (bin - RIGHT + 4) % 8]  # hardly the opposite way
    # 24 x 24 of 32 x 32 pixels move by 2: 1.1 on average, give or take what the smoothness of the flow spreads
    assert 0.7 < cells[1, 2, RIGHT:STILL].sum() < 2.2
    assert cells[1, 2, STILL] < 0.5
    assert cells[:, 0, STILL].min() > 0.9  # far away it is still, but for what that smoothness carries there
    assert cells[:, 0, RIGHT:STILL].max() < cells[1, 2, bin] / 5


def test_still_frames_have_edges_but_no_motion() -> None:
    cells = numbers(np.stack([square_at(68, 36)] * 4))
    np.testing.assert_allclose(cells[..., RIGHT:STILL], 0, atol=1e-3)
    np.testing.assert_array_equal(cells[..., STILL], 1)
    assert cells[1, 2, :RIGHT].max() > 1
    np.testing.assert_array_equal(cells[:, 0, :RIGHT], 0)


@pytest.mark.parametrize(
    ("slope", "bin"),
    [((1, 0), 0), ((0, 1), 4), ((1, 1), 2), ((-1, 1), 6)],  # bin 2: 45 degrees, to the right and down; 6: 135
)
def test_the_gradient_of_a_ramp_lies_in_the_bin_of_its_direction(slope: tuple[int, int], bin: int) -> None:
    rows, columns = np.indices((HEIGHT, WIDTH))
    ramp = slope[0] * columns + slope[1] * rows
    ramp = (ramp - ramp.min()).astype(np.uint8)  # at most 224 grey levels
    found = edges(ramp, CELLS)[5]  # a cell that does not touch the border
    # The gradient is 1 a pixel along each axis that the ramp climbs, none across the border. It is divided by the
    # frame's mean plus 1.
    strength = np.hypot(*slope)
    across, along = abs(slope[0]) * (1 - 2 / WIDTH), abs(slope[1]) * (1 - 2 / HEIGHT)
    assert found.argmax() == bin
    np.testing.assert_allclose(np.delete(found, bin), 0, atol=0.1)
    np.testing.assert_allclose(found.sum(), 8 * strength / (np.hypot(across, along) + 1), rtol=0.02)


def test_contrast_cancels_and_an_empty_frame_stays_empty() -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 100, (HEIGHT, WIDTH)).astype(np.uint8)
    np.testing.assert_allclose(edges(2 * noise, CELLS), edges(noise, CELLS), rtol=0.03)
    assert edges(noise, CELLS).mean() == pytest.approx(1, abs=0.05)
    np.testing.assert_array_equal(edges(np.full((HEIGHT, WIDTH), 7, np.uint8), CELLS), 0)


def test_flow_by_hand() -> None:
    flow = np.zeros((HEIGHT, WIDTH, 2), np.float32)
    flow[:32, :32] = 3, 0  # the first cell: 3 pixels to the right
    flow[64:, 96:] = 0, -1  # the last: 1 up
    flow[32:64, 32:64] = 0.2, 0  # still, yet counted in its direction
    histogram, still = movement(flow, CELLS)
    expected = np.zeros((12, 8))
    expected[0, 0], expected[11, 6], expected[5, 0] = 3, 1, 0.2
    np.testing.assert_allclose(histogram, expected, atol=1e-5)
    np.testing.assert_array_equal(still[:, 0], [0] + [1] * 10 + [0])


def test_an_angle_between_two_bins_is_shared_and_the_circle_closes() -> None:
    amount, position = np.zeros((2, 12), np.float32), np.zeros((2, 12), np.float32)
    amount[0, :2], position[0, :2] = (4, 8), (1.25, 7.5)
    found = by_cell(amount, position, 8, np.stack([np.arange(12)] * 2))  # two pixels a cell
    np.testing.assert_allclose(found[:2], [[0, 1.5, 0.5, 0, 0, 0, 0, 0], [2.0, 0, 0, 0, 0, 0, 0, 2]])
    assert found.shape == (12, 8)
    assert not found[2:].any()


def test_codes_are_32_times_the_root() -> None:
    flow = np.zeros((HEIGHT, WIDTH, 2), np.float32)
    flow[:32, :32] = 2.25, 0  # root 1.5
    flow[:32, 32:64] = 200, 0  # root 14.1: more than a byte holds
    codes = described(np.zeros((HEIGHT, WIDTH), np.uint8), flow)
    assert (codes.shape, codes.dtype) == ((3, 4, 17), np.uint8)
    assert (codes[0, 0, RIGHT], codes[0, 1, RIGHT], codes[2, 3, RIGHT]) == (48, 255, 0)
    assert (codes[0, 0, STILL], codes[2, 3, STILL]) == (0, 32)


def test_encode_is_the_root_of_the_mean() -> None:
    clip = torch.zeros(2, 2, 3, 4, 17, dtype=torch.uint8)
    clip[1, :, 0, 1, 3] = torch.tensor([32, 224])  # values 1 and 49, mean 25
    found = Motion().encode(clip)
    assert (found.shape, found.dtype) == ((2, 204), torch.float32)
    assert found[1, 17 + 3] == 5
    assert found.sum() == 5


def test_frames_are_read_one_ahead_and_the_last_moves_as_the_one_before() -> None:
    read = 0

    def frames() -> Iterator[Frame]:
        nonlocal read
        for frame in (square_at(x, 36) for x in (66, 70, 74)):  # the last one reaches into the next cell
            read += 1
            yield frame

    prepared = Motion().preprocessing(frames())
    first = next(prepared)
    assert read == 2
    rest = list(prepared)
    assert len(rest) == 2
    assert first[1, 2, RIGHT] > 20
    np.testing.assert_array_equal(rest[0][..., RIGHT:], rest[1][..., RIGHT:])
    assert (rest[0][..., :RIGHT] != rest[1][..., :RIGHT]).any()  # its edges are its own
    (lone,) = Motion().preprocessing([square_at(68, 36)])
    np.testing.assert_array_equal(lone[..., RIGHT:STILL], 0)
    assert list(Motion().preprocessing([])) == []


def test_size_and_sharing_of_frames() -> None:
    assert small_grey(np.zeros((240, 426, 3), np.uint8)).shape == (96, 170)
    assert small_grey(np.zeros((64, 48, 3), np.uint8)).shape == (128, 96)
    red = np.zeros((96, 96, 3), np.uint8)
    red[..., 0] = 255
    assert small_grey(red)[0, 0] == 76  # 0.299 of 255: RGB, not BGR
    frame = np.random.default_rng(0).integers(0, 256, (150, 200, 3), np.uint8)
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)[..., None]
    np.testing.assert_array_equal(small_grey(frame), resized(grey, 96, antialias=True)[..., 0])  # as one channel
    preprocessing = Motion().preprocessing
    assert pickle.loads(pickle.dumps(preprocessing)) == preprocessing
    assert str(preprocessing) == "grey, short side 96, HOG and DIS flow on 3x4 cells, 32 sqrt(x)"


def test_opencv_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(InputError, match=r"motion needs opencv-contrib-python-headless: pip install .*features"):
        Motion()
