"""Sound files made for tests: clicks at known times, in any container and codec."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

CLICK = 0.004  # seconds
FPS = 25  # of the pictures


def clicks(times: Sequence[float], seconds: float, rate: int, hertz: float = 2000.0) -> NDArray[np.float32]:
    """(samples,) silence with a short tone around each time."""
    at = np.arange(round(seconds * rate)) / rate
    sound = np.zeros(len(at))
    for time in times:
        near = np.abs(at - time) < CLICK / 2
        sound[near] += np.cos(np.pi * (at[near] - time) / CLICK) ** 2 * np.cos(2 * np.pi * hertz * (at[near] - time))
    return (0.8 * sound).astype(np.float32)


def centre(sound: NDArray[Any], time: float, rate: int = 16_000, within: float = 0.1) -> float:
    """Seconds of the middle of the energy around a time."""
    first = max(round((time - within) * rate), 0)
    energy = sound[first : round((time + within) * rate)].astype(np.float64) ** 2
    return float((first + (energy * np.arange(len(energy))).sum() / energy.sum()) / rate)


@dataclass(frozen=True)
class Track:
    """The sound of one track."""

    samples: NDArray[np.float32]
    """(samples,) or (channels, samples)"""
    rate: int = 44_100
    codec: str = "aac"
    layout: str = "mono"
    begins: float = 0.0
    """Seconds after the pictures."""
    lost: tuple[float, float] = (0.0, 0.0)
    """Seconds between which packets are missing."""
    tags: dict[str, str] = field(default_factory=dict)


def write_file(path: Path, *tracks: Track, pictures: float = 0.0, options: dict[str, str] | None = None) -> Path:
    """A file of sound tracks, and of so many seconds of black pictures at 25 a second."""
    with av.open(str(path), "w", options=options or {}) as file:
        video: Any = file.add_stream("mpeg4", rate=FPS, width=32, height=32) if pictures else None
        streams = [file.add_stream(one.codec, rate=one.rate, layout=one.layout) for one in tracks]
        packets = [] if video is None else [*_pictures(video, round(pictures * FPS))]
        for stream, track in zip(streams, tracks, strict=True):
            stream.metadata.update(track.tags)
            packets += _sounding(stream, track)
        for packet in sorted(packets, key=lambda packet: packet.dts * packet.time_base):
            file.mux(packet)
    return path


def _pictures(stream: Any, count: int) -> list[Any]:
    stream.pix_fmt = "yuv420p"
    packets: list[Any] = []
    for number in range(count):
        frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
        frame.pts, frame.time_base = number, Fraction(1, FPS)
        packets += stream.encode(frame)
    return [*packets, *stream.encode(None)]


def _sounding(stream: Any, track: Track) -> list[Any]:
    stream.codec_context.options = {"strict": "experimental"}  # FFmpeg's own encoder of Vorbis
    samples = np.atleast_2d(track.samples)
    packets: list[Any] = []
    for first in range(0, samples.shape[1], 4096):
        chunk = np.ascontiguousarray(samples[:, first : first + 4096])
        frame = av.AudioFrame.from_ndarray(chunk, format="fltp", layout=track.layout)
        frame.sample_rate, frame.pts, frame.time_base = track.rate, first, Fraction(1, track.rate)
        packets += stream.encode(frame)
    kept = []
    for packet in [*packets, *stream.encode(None)]:
        if track.lost[0] <= packet.pts * packet.time_base < track.lost[1]:
            continue
        shift = round(track.begins / packet.time_base)
        packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
        kept.append(packet)
    return kept
