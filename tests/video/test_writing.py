"""What a video is written with."""

import io

import av
import numpy as np
import pytest

from actionformer.video.writing import CLOCK, CODECS, even, video_stream


@pytest.mark.parametrize(("container", "codec"), [("mp4", "libx264"), ("webm", "libvpx-vp9")])
def test_the_first_codec_that_a_container_takes_with_its_fast_options(container: str, codec: str) -> None:
    with av.open(io.BytesIO(), "w", format=container) as output:
        stream = video_stream(output, 29.97, np.zeros((9, 16, 3), dtype=np.uint8))
        assert stream.codec_context.codec.name == codec
        assert (stream.height, stream.width, stream.codec_context.time_base) == (10, 16, CLOCK)
        assert stream.codec_context.options == CODECS[codec] != {}


def test_odd_sides_repeat_what_is_last_and_even_ones_are_left_alone() -> None:
    odd = np.arange(9, dtype=np.uint8).reshape(3, 3, 1).repeat(3, axis=2)
    made = even(odd)
    assert made.shape == (4, 4, 3)
    assert np.array_equal(made[3, :3], odd[2])
    assert np.array_equal(made[:3, 3], odd[:, 2])
    assert even(made) is made
