"""Recordings to measure on: moving pictures, sound, readings of sensors, key points."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np

POINTS = ("nose", "left_ear", "right_ear", "neck", "tailbase")


def write_test_video(
    path: Path, seconds: int, size: str = "320x240", rate: int = 30, noise: int = 12, codec: str = "libx264"
) -> Path:
    """FFmpeg's moving test picture with noise, in H.264 or another codec."""
    source = f"testsrc2=size={size}:rate={rate}:duration={seconds},noise=alls={noise}:allf=t"
    pixels = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    with av.open(source, format="lavfi") as pictures, av.open(str(path), "w") as container:
        options = {"preset": "ultrafast"} if codec == "libx264" else {}
        stream: Any = container.add_stream(codec, rate=rate, options=options)
        stream.width, stream.height = map(int, size.split("x"))
        stream.pix_fmt = pixels
        for picture in pictures.decode(video=0):
            container.mux(stream.encode(picture.reformat(format=pixels)))
        container.mux(stream.encode())
    return path


def write_noise(path: Path, minutes: int, rate: int = 44_100) -> Path:
    """Stereo noise as AAC."""
    rng = np.random.default_rng(0)
    with av.open(str(path), "w") as file:
        stream = file.add_stream("aac", rate=rate, layout="stereo")
        for second in range(60 * minutes):
            sound = rng.normal(scale=0.1, size=(2, rate)).astype(np.float32)
            frame = av.AudioFrame.from_ndarray(sound, format="fltp", layout="stereo")
            frame.sample_rate, frame.pts = rate, second * rate
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


def write_key_points(path: Path, minutes: int, rate: int = 30) -> Path:
    """Five points of a mouse that wanders, as the CSV of DeepLabCut."""
    rng = np.random.default_rng(0)
    frames = 60 * minutes * rate
    way = np.cumsum(rng.normal(size=(frames, 1, 2)), axis=0)
    places = way + rng.normal(scale=20, size=(1, len(POINTS), 2)) + rng.normal(size=(frames, len(POINTS), 2))
    rows = np.concatenate([places, rng.uniform(0.8, 1, (frames, len(POINTS), 1))], axis=2).reshape(frames, -1)
    names = [point for point in POINTS for _ in range(3)]
    parts = ["x", "y", "likelihood"] * len(POINTS)
    header = [["scorer", *["network"] * len(names)], ["bodyparts", *names], ["coords", *parts]]
    lines = [",".join(cells) for cells in header]
    lines += [",".join([str(number), *(f"{value:.3f}" for value in row)]) for number, row in enumerate(rows)]
    path.write_text("\n".join([*lines, ""]), "utf-8")
    return path
