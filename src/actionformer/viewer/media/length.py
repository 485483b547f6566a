"""How long a video is that does not say so, or may hold more than it says: by the times of its packets."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import av

from actionformer.video.clock import Clock, lasts
from actionformer.video.opening import opened, streams_of
from actionformer.video.reader import VideoReader


class Length(NamedTuple):
    """Of the pictures of a video."""

    seconds: float
    """Until the last one ends."""
    jumps: int
    """How often the clock of the file jumps."""


def measured(path: Path) -> Length:
    """The length of a video, without decoding it; where it is broken, it ends.

    Raises:
        InputError: not a readable video.
    """
    with VideoReader(path) as video:
        next(video.frames())  # the beginning may be stated wrongly
        begin, step, stated = video.origin, video.usual, video.stated
        clock = Clock(joined=stated.joinable, end=stated.end)
    end = begin + step
    with opened(str(path), path.name) as file:
        packets = file.demux(streams_of(file, str(path)).video)
        try:
            for packet in packets:
                if packet.size and not packet.is_discard:
                    decoded, waits, lasting = _seconds(packet)
                    time = clock.time(decoded, step, step) + waits
                    end = max(end, time + lasts(time, lasting, step, stated.ends))
        except (av.FFmpegError, IndexError):
            pass
    return Length(end - begin, clock.jumps)


def _seconds(packet: Any) -> tuple[float | None, float, float]:
    """When a packet is decoded, how much later it is shown, and for how long."""
    base = float(packet.time_base or 0)
    first = packet.pts if packet.dts is None else packet.dts
    waits = 0 if packet.pts is None or first is None else max(packet.pts - first, 0)
    return None if first is None else first * base, waits * base, (packet.duration or 0) * base
