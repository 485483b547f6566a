"""Frames are shown as the display matrix says: turned, mirrored or both, by everything that shows them."""

import gc
import io
import struct
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numbered import FrameOf
from numpy.typing import NDArray

from actionformer.core.detections import Detections
from actionformer.video.orientation import ALL, UPRIGHT, Orientation, exactly, nearest
from actionformer.video.overlay import write_overlay
from actionformer.video.reader import VideoReader
from actionformer.viewer.media.playability import playability_of
from actionformer.viewer.media.remux import remux
from actionformer.viewer.media.segments import encode_segment

Write = Callable[..., Path]
Matrix = tuple[float, float, float, float]

NOTHING = Detections(np.empty((0, 2)), np.empty(0), np.empty(0, dtype=np.int64), ("jump",))
MATRICES: dict[str, Matrix] = {
    "upright": (1, 0, 0, 1), "turned right": (0, 1, -1, 0), "upside down": (-1, 0, 0, -1), "turned left": (0, -1, 1, 0),
    "mirrored": (-1, 0, 0, 1), "flipped": (1, 0, 0, -1), "transposed": (0, 1, 1, 0), "transverse": (0, -1, -1, 0),
}  # fmt: skip
"""a, b, c, d: (x, y) of a stored frame is shown at (a x + c y, b x + d y), but for a shift."""
CORNERS = {"R": (255, 0, 0), "G": (0, 255, 0), "B": (0, 0, 255), "W": (255, 255, 255)}
SHOWN = {
    "upright": "RGBW", "turned right": "BRWG", "upside down": "WBGR", "turned left": "GWRB",
    "mirrored": "GRWB", "flipped": "BWRG", "transposed": "RBGW", "transverse": "WGBR",
}  # fmt: skip
"""Colours of the quarters as `ffmpeg -i` shows them: top left, top right, bottom left, bottom right."""
turns = st.sampled_from(list(MATRICES.values()))


def quarters(height: int = 96, width: int = 192) -> NDArray[np.uint8]:
    image = np.zeros((height, width, 3), np.uint8)
    for i, colour in enumerate(CORNERS.values()):
        rows, columns = divmod(i, 2)
        image[rows * height // 2 :][: height // 2, columns * width // 2 :][:, : width // 2] = colour
    return image


def colours(image: NDArray[np.uint8]) -> str:
    """The colours of the four quarters."""
    height, width = image.shape[:2]
    names = {colour: name for name, colour in CORNERS.items()}
    seen = [image[y * height // 4, x * width // 4] > 128 for y in (1, 3) for x in (1, 3)]
    return "".join(names[tuple(255 * pixel.astype(int))] for pixel in seen)


def with_matrix(path: Path, matrix: Matrix) -> Path:
    """Writes a display matrix into an MP4."""
    content = path.read_bytes()
    at = content.index(b"tkhd") + 4 + 40
    a, b, c, d = (round(65536 * number) for number in matrix)
    path.write_bytes(content[:at] + struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30) + content[at + 36 :])
    return path


def first(path: Path | io.BytesIO) -> NDArray[np.uint8]:
    with av.open(path) as file:
        return next(file.decode(video=0)).to_ndarray(format="rgb24").astype(np.uint8)


@pytest.fixture(params=MATRICES)
def turned(request: pytest.FixtureRequest, write_video: Write, tmp_path: Path) -> tuple[Path, str, tuple[int, int]]:
    """A video with a display matrix, what its quarters show, and the height and width it is shown in."""
    path = write_video(tmp_path / "a.mp4", [quarters()] * 3, options={"crf": "10"})
    size = (192, 96) if MATRICES[request.param][0] == 0 else (96, 192)
    return with_matrix(path, MATRICES[request.param]), SHOWN[request.param], size


def test_frames_are_shown_as_the_file_says(turned: tuple[Path, str, tuple[int, int]], tmp_path: Path) -> None:
    path, seen, size = turned
    with VideoReader(path) as video:
        frames = list(video.frames())
    assert [(colours(frame.image()), frame.image().shape[:2], frame.size) for frame in frames] == 3 * [
        (seen, size, size[::-1])
    ]
    segment = first(io.BytesIO(encode_segment(path, 0, sound=False)))
    assert (colours(segment), segment.shape[:2]) == (seen, size)
    write_overlay(path, NOTHING, tmp_path / "drawn.mp4")
    drawn = first(tmp_path / "drawn.mp4")
    assert (colours(drawn), drawn.shape[0] / drawn.shape[1]) == (seen, size[0] / size[1])


def test_a_copy_for_browsers_keeps_the_matrix(turned: tuple[Path, str, tuple[int, int]], tmp_path: Path) -> None:
    path, seen, _ = turned
    assert playability_of(path).way == "file"
    remux(path, tmp_path / "copy.mp4", Event())
    with VideoReader(tmp_path / "copy.mp4") as video:
        assert colours(next(video.frames()).image()) == seen


@pytest.mark.parametrize(
    ("matrix", "way"),
    [((0, 2, -2, 0), "transcode"), ((0.34, 0.94, -0.94, 0.34), "transcode"), ((0.94, 0.34, -0.34, 0.94), "file")],
    ids=["scaled", "slanted to the right", "slanted a little"],
)
def test_what_browsers_show_otherwise_is_encoded(write_video: Write, tmp_path: Path, matrix: Matrix, way: str) -> None:
    path = with_matrix(write_video(tmp_path / "a.mp4", [quarters()] * 2), matrix)
    assert playability_of(path).way == way
    with VideoReader(path) as video:
        assert colours(next(video.frames()).image()) == ("BRWG" if way == "transcode" else "RGBW")


def test_sides_of_pixels_that_are_not_square_turn_with_the_frame(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mp4"), "w") as file:
        stream: Any = file.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 192, 96, "yuv420p"
        stream.codec_context.sample_aspect_ratio = 2
        file.mux([*stream.encode(av.VideoFrame.from_ndarray(quarters(), format="rgb24")), *stream.encode()])
    with_matrix(tmp_path / "a.mp4", MATRICES["transposed"])
    assert first(io.BytesIO(encode_segment(tmp_path / "a.mp4", 0, sound=False))).shape[:2] == (384, 96)


@given(turns, st.integers(1, 5), st.integers(1, 7))
def test_every_pixel_goes_where_the_matrix_sends_it(matrix: Matrix, height: int, width: int) -> None:
    a, b, c, d = matrix
    orientation = nearest(np.array([[a, c], [b, d]]))
    stored = np.arange(height * width, dtype=np.uint8).reshape(height, width)
    shown = orientation.upright(stored)
    assert shown.shape[::-1] == orientation.size(width, height)
    assert orientation.size(*orientation.size(width, height)) == (width, height)
    places = {(a * x + c * y, b * x + d * y): stored[y, x] for y in range(height) for x in range(width)}
    left, top = (min(place[axis] for place in places) for axis in (0, 1))
    assert {(x - left, y - top): value for (x, y), value in places.items()} == {
        (x, y): shown[y, x] for y in range(shown.shape[0]) for x in range(shown.shape[1])
    }


@given(st.sampled_from(ALL), st.integers(-40, 40), st.floats(0.1, 10), st.floats(0.1, 10))
def test_a_slanted_or_scaled_matrix_is_the_nearest_of_the_eight(
    orientation: Orientation, degrees: int, across: float, down: float
) -> None:
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    assert nearest(np.asarray(turn @ orientation.matrix(), np.float64)) == orientation
    assert exactly(turn @ orientation.matrix()) == (degrees == 0)
    scaled = orientation.matrix().astype(np.float64) @ np.diag([across, down])
    assert nearest(scaled) == orientation


def test_a_matrix_of_zeros_changes_nothing() -> None:
    assert len(set(ALL)) == 8
    assert nearest(np.zeros((2, 2))) == UPRIGHT


def test_frames_that_were_looked_at_are_freed_at_once(tmp_path: Path, write_video: Write, frame_of: FrameOf) -> None:
    """Frames that wait for the garbage collector fill memory, and hang a forked process that collects them."""
    path = write_video(tmp_path / "turned.mp4", [frame_of(i) for i in range(20)], rotation=90)
    gc.collect()
    gc.disable()
    try:
        with VideoReader(path) as video:
            assert sum(frame.orientation.transposed for frame in video.frames()) == 20
        assert sum(type(one) is av.VideoFrame for one in gc.get_objects()) <= 1  # the decoder's own
    finally:
        gc.enable()
