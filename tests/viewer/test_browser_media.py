"""Videos that no browser plays, in a real headless Chromium: encoded in pieces, the right frame at every time."""

import random
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from browsing import NEEDS_CHROMIUM, Open, ready, serving
from playwright.sync_api import Page

from actionformer.detections import Detections, write_results
from actionformer.viewer.pieces import SECONDS
from actionformer.viewer.project import Given

pytestmark = NEEDS_CHROMIUM

FPS, BITS, SIDE = 25, 10, 32
LENGTH = 12.5  # seconds: four pieces, the last of them short


def write_numbered(path: Path, codec: str, seconds: float = LENGTH, *, sound: bool = False, **options: str) -> Path:
    """Frames that show their own number as black and white squares, the lowest bit first, above noise."""
    noise = np.random.default_rng(0).integers(0, 256, (SIDE, BITS * SIDE, 3), np.uint8)  # frames as large as real ones
    with av.open(str(path), "w") as file:
        stream: Any = file.add_stream(codec, rate=FPS, options={"bf": "0", "g": "100", **options})
        stream.width, stream.height, stream.pix_fmt = BITS * SIDE, 2 * SIDE, "yuv420p"
        stream.bit_rate = 2_000_000
        voice: Any = file.add_stream("aac", rate=48000, layout="mono") if sound else None
        for i in range(round(seconds * FPS)):
            bits = np.array([(i >> bit) & 1 for bit in range(BITS)], np.uint8)
            squares = np.broadcast_to(np.repeat(235 * bits + 10, SIDE)[None, :, None], noise.shape)
            image = np.concatenate([squares, np.roll(noise, 7 * i, axis=1)])
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = i, Fraction(1, FPS)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
        if voice:
            times = np.arange(round(seconds * 48000)) / 48000
            tone = av.AudioFrame.from_ndarray(
                np.float32(0.5 * np.sin(2 * np.pi * 440 * times))[None], format="fltp", layout="mono"
            )
            tone.sample_rate, tone.pts = 48000, 0
            file.mux([*voice.encode(tone), *voice.encode()])
    return path


def project(folder: Path, seconds: float = LENGTH) -> Given:
    """Detections of a video `v`, which lies in the folder, until its end."""
    found = {"v": Detections([[0.0, seconds]], [0.5], [0], ("left",))}
    write_results(folder / "found.json", found)
    return Given(folder / "found.json", videos=folder)


NUMBER = f"""async () => {{
  const film = document.querySelector("video");
  while (film.seeking || film.readyState < 2) await new Promise((next) => setTimeout(next, 20));
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [film.videoWidth, film.videoHeight];
  const drawing = canvas.getContext("2d");
  drawing.drawImage(film, 0, 0);
  const {{ data }} = drawing.getImageData(0, {SIDE // 2}, canvas.width, 1);
  let number = 0;
  for (let bit = 0; bit < {BITS}; bit += 1) {{
    if (data[4 * ({SIDE} * bit + {SIDE // 2})] > 128) number += 1 << bit;
  }}
  return number;
}}"""


def go(page: Page, time: float) -> None:
    page.evaluate("async (time) => (await import('/static/player.js')).seek(time)", time)


FILES = [
    ("v.avi", "mpeg4", {}),
    ("v.avi", "libx264", {"bf": "2"}),
    ("v.mkv", "libx265", {"preset": "ultrafast", "x265-params": "log-level=error"}),
    ("v.mpg", "mpeg2video", {}),
]


@pytest.mark.parametrize(("name", "codec", "options"), FILES, ids=[f"{name}-{codec}" for name, codec, _ in FILES])
def test_the_frame_of_a_time_is_shown(
    open_page: Open, tmp_path: Path, name: str, codec: str, options: dict[str, str]
) -> None:
    if codec not in av.codecs_available:
        pytest.skip(f"FFmpeg has no {codec} here")
    write_numbered(tmp_path / name, codec, **options)
    with serving(project(tmp_path)) as url:
        page = ready(open_page(url))
        assert page.evaluate(NUMBER) == 0
        frames = random.Random(0).sample(range(round(LENGTH * FPS)), 10)
        assert len({int(frame / FPS / SECONDS) for frame in frames}) == 4
        for frame in frames:
            go(page, frame / FPS)
            assert page.evaluate(NUMBER) == frame
        go(page, SECONDS - 2 / FPS)
        before = page.evaluate(NUMBER)
        for step in range(1, 5):  # over where two pieces join
            page.keyboard.press("ArrowRight")
            assert page.evaluate(NUMBER) == before + step
