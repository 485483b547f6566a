"""Videos whose every frame says its number."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
FrameOf = Callable[..., Image]
NumberIn = Callable[[Image], int]
WriteVideo = Callable[..., Path]
BITS = 8


def numbered(number: int, size: tuple[int, int] = (64, 96)) -> Image:
    """A frame (H, W, 3) that says its number in 8 bars, white for 1; the lowest bit is at the left."""
    height, width = size
    bars = [255 * (number >> bit & 1) for bit in range(BITS)]
    row = np.repeat(np.array(bars, dtype=np.uint8), width // BITS)
    row = np.pad(row, (0, width - len(row)))
    return np.broadcast_to(row[None, :, None], (height, width, 3)).copy()


def number_of(image: Image) -> int:
    """What `numbered` wrote, also after lossy coding."""
    width = image.shape[1] // BITS
    middle = [int(image[image.shape[0] // 2, bit * width + width // 2].mean() > 127) << bit for bit in range(BITS)]
    return sum(middle)


def write_numbered(
    path: Path,
    images: Sequence[Image],
    *,
    fps: float = 25,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    times: Sequence[float] | None = None,
    rotation: int = 0,
    options: dict[str, str] | None = None,
    audio_seconds: float = 0.0,
) -> Path:
    """Writes a video; `times` in seconds make its frame rate variable."""
    rate = Fraction(fps).limit_denominator(1001)
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=rate, options=options or {})
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = pixels
        if rotation:
            stream.set_display_rotation(rotation)
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        sound = container.add_stream("aac", rate=16000) if audio_seconds else None
        for i, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            if times is not None:
                frame.pts, frame.time_base = round(1000 * times[i]), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if sound is not None:
            for start in range(0, int(16000 * audio_seconds), 1024):
                silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
                silence.sample_rate, silence.pts = 16000, start
                container.mux(sound.encode(silence))
            container.mux(sound.encode())
    return path
