"""A video in another container, in which no frame is touched."""

from __future__ import annotations

from pathlib import Path
from threading import Event
from typing import Any

import av

from actionformer.video.opening import codec_of, opened, streams_of
from actionformer.video.reader import VideoReader

SOUND_IN_MP4 = {"aac", "mp3", "opus", "flac"}


def remux(source: Path, target: Path, stop: Event) -> None:
    """The video, and its sound if MP4 can hold it, in an MP4 file, up to a stop; no frame is touched.

    Times count from time 0 of the source, and its first picture is shown from there on: browsers do not agree on when
    a file begins whose pictures begin late.
    """
    with VideoReader(source) as video:
        next(video.frames())  # the beginning may be stated wrongly
        origin = video.origin
    with (
        opened(str(source), source.name) as file,
        av.open(str(target), "w", format="mp4", options={"movflags": "faststart"}) as output,
    ):
        streams = streams_of(file, str(source))
        chosen = [streams.video, *([streams.sound] if codec_of(streams.sound) in SOUND_IN_MP4 else [])]
        copies = {stream.index: output.add_stream_from_template(stream) for stream in chosen}
        begun = False
        for packet in file.demux(chosen):
            if stop.is_set():
                return
            if packet.size:
                first = not begun and packet.stream.index == streams.video.index
                _shift(packet, origin, first)
                begun |= first
                packet.stream = copies[packet.stream.index]
                output.mux(packet)


def _shift(packet: Any, origin: float, first: bool) -> None:
    """Makes the times of a packet count from `origin`, seconds; the first picture begins there if it is later."""
    late = origin / packet.time_base
    if first and packet.pts is not None:
        late = max(late, packet.pts)
    packet.pts, packet.dts = (None if stamp is None else stamp - round(late) for stamp in (packet.pts, packet.dts))
