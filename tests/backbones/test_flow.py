import sys
from collections.abc import Iterator

import numpy as np
import pytest

from actionformer.backbones import Frame
from actionformer.backbones.flow import FlowMethod, quantised, with_flow
from actionformer.core.errors import InputError

cv2 = pytest.importorskip("cv2", reason="optical flow is OpenCV's: pip install 'actionformer-tal[features]'")


def shifted_texture(right: int, down: int, count: int = 2) -> list[Frame]:
    """Frames (60, 80, 3) of a smooth texture that moves by whole pixels from one to the next."""
    noise = np.random.default_rng(0).integers(0, 256, (120, 160), np.uint8)
    texture = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 3), None, 0, 255, cv2.NORM_MINMAX)
    corners = [(30 - down * t, 40 - right * t) for t in range(count)]
    return [np.repeat(texture[y : y + 60, x : x + 80, None], 3, axis=2) for y, x in corners]


@pytest.mark.parametrize("method", ["tvl1", "dis"])
@pytest.mark.parametrize(("right", "down"), [(3, 0), (-2, 4)])
def test_flow_of_a_shifted_texture_is_the_shift(method: FlowMethod, right: int, down: int) -> None:
    frames = shifted_texture(right, down)
    (first, flow), _ = with_flow(frames, method)
    assert first is frames[0]
    assert (flow.shape, flow.dtype) == ((60, 80, 2), np.float32)
    inside = flow[15:-15, 15:-15]
    np.testing.assert_allclose(np.median(inside, axis=(0, 1)), [right, down], atol=0.1)
    assert np.abs(inside - [right, down]).mean() < 0.15


def test_flow_belongs_to_the_earlier_frame_and_the_last_repeats_the_one_before() -> None:
    still, moved, same = (*shifted_texture(4, 0), shifted_texture(4, 0)[1])
    flows = [flow for _, flow in with_flow([still, still, moved, same], "dis")]
    assert [round(float(np.median(flow[..., 0]))) for flow in flows] == [0, 4, 0, 0]
    flows = [flow for _, flow in with_flow([still, moved], "dis")]
    np.testing.assert_array_equal(flows[1], flows[0])
    assert np.median(flows[1][..., 0]) > 3


def test_a_lone_frame_has_no_flow_and_no_frames_give_nothing() -> None:
    [(_, flow)] = with_flow(shifted_texture(1, 1, count=1), "tvl1")
    np.testing.assert_array_equal(flow, np.zeros((60, 80, 2), np.float32))
    assert list(with_flow([], "tvl1")) == []


def test_it_reads_one_frame_ahead_and_no_more() -> None:
    read = 0

    def counting() -> Iterator[Frame]:
        nonlocal read
        for frame in shifted_texture(1, 0, count=5):
            read += 1
            yield frame

    flows = with_flow(counting(), "dis")
    assert read == 0
    assert [(next(flows) and read) for _ in range(5)] == [2, 3, 4, 5, 5]


def test_quantised_flow_is_that_of_the_stored_images() -> None:
    # 255 / 40 = 6.375 levels a pixel: 1 -> 21 * 6.375 = 133.875; 0 -> 127.5, a half that goes to the even 128.
    flow = np.array([-1000, -20, -1, 0, 1, 3.3, 20, 20.5, np.inf], np.float32)
    np.testing.assert_array_equal(quantised(flow), [0, 0, 121, 128, 134, 149, 255, 255, 255])
    assert quantised(flow).dtype == np.uint8


def test_quantised_flow_is_within_half_a_level_of_the_flow() -> None:
    flow = np.linspace(-20, 20, 1001, dtype=np.float32)
    restored = quantised(flow) * (40 / 255) - 20
    assert np.abs(restored - flow).max() <= 20 / 255 + 1e-4
    assert len(np.unique(restored)) == 256


def test_without_opencv_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    line = r"flow needs opencv-contrib-python-headless: pip install 'actionformer-tal\[features\]'"
    with monkeypatch.context() as patch:
        patch.delattr(cv2, "optflow")  # as in OpenCV's plain build
        with pytest.raises(InputError, match=line):
            next(with_flow(shifted_texture(1, 0), "tvl1"))
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(InputError, match=line):
        next(with_flow(shifted_texture(1, 0), "dis"))
