"""The video stream of a file that is written."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av
import numpy as np

from actionformer.video.reader import Image

CLOCK = Fraction(1, 90_000)  # seconds; exact for the usual rates
CODECS = ("libx264", "libvpx-vp9", "mpeg4")  # the first that FFmpeg has and the container takes


def video_stream(output: av.container.OutputContainer, fps: float, example: Image) -> Any:
    """A stream for frames of the size of an example; their times are in units of `CLOCK`."""
    codec = next((name for name in CODECS if name in output.supported_codecs), output.default_video_codec)
    stream: Any = output.add_stream(codec, rate=Fraction(fps).limit_denominator(1001))
    stream.height, stream.width = even(example).shape[:2]
    stream.pix_fmt = "yuv420p"
    stream.codec_context.time_base = CLOCK
    return stream


def even(image: Image) -> Image:
    """An image whose sides are even, as the codecs want: the last row or column again where one is odd."""
    return np.pad(image, ((0, image.shape[0] % 2), (0, image.shape[1] % 2), (0, 0)), mode="edge")
