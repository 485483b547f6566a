"""The video stream of a file that is written."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av
import numpy as np

from actionformer.video.reader import Image

CLOCK = Fraction(1, 90_000)  # seconds; exact for the usual rates
CODECS: dict[str, dict[str, str]] = {
    "libx264": {"preset": "veryfast", "crf": "21"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "6", "crf": "30", "b": "0"},
    "mpeg4": {},
}
"""Codec -> options with which a picture takes less than it lasts; the first that FFmpeg has and the container takes."""


def video_stream(output: av.container.OutputContainer, fps: float, example: Image) -> Any:
    """A stream for frames of the size of an example; their times are in units of `CLOCK`."""
    codec = next((name for name in CODECS if name in output.supported_codecs), output.default_video_codec)
    rate = Fraction(fps).limit_denominator(1001)
    stream: Any = output.add_stream(codec, rate=rate, options=dict(CODECS.get(codec, {})))
    stream.height, stream.width = even(example).shape[:2]
    stream.pix_fmt = "yuv420p"
    stream.codec_context.time_base = CLOCK
    return stream


def even(image: Image) -> Image:
    """An image whose sides are even, as the codecs want: the last row or column again where one is odd."""
    height, width, _ = image.shape
    if height % 2 == width % 2 == 0:
        return image
    return np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
