"""The packets of a video file: looked at before their turn, decoded, and found again after a jump."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import chain
from types import TracebackType
from typing import Any, Self, TypeAlias

import av
from av.container import InputContainer

from actionformer.core.errors import InputError
from actionformer.video.opening import ADVICE, opened, reason, streams_of

Packet: TypeAlias = "av.Packet[Any]"

PEEKED_BYTES = 16 << 20
"""After which no more packets are looked at before their turn."""


class PacketReader:
    """An open video file as a stream of packets.

    Attributes:
        name: what messages call it, its path.
        advice: what to do where it cannot be read.
        streams: its streams of pictures and sound.
        stream: that of pictures, which is read.
        skipped: packets that could not be decoded so far.
        broken: why reading broke off in the middle, None while it has not.

    Raises:
        InputError: not a readable video file, or one without a video stream.
    """

    advice = ADVICE

    def __init__(self, name: str) -> None:
        self.name = name
        self.skipped = 0
        self.broken: str | None = None
        self._open()

    def _open(self) -> None:
        self.container = self._opened()
        try:
            self.stream = self._chosen()
        except InputError:
            self.container.close()
            raise
        self.stream.thread_type = "AUTO"
        self._packets: Iterator[Packet] = self._demuxed()

    def _opened(self) -> InputContainer:
        return opened(self.name, self.name)

    def _chosen(self) -> Any:
        """The stream of the container that is read."""
        self.streams = streams_of(self.container, self.name)
        return self.streams.video

    def _peeked(self, most: int) -> list[Packet]:
        """The next packets, which are still to be decoded."""
        packets: list[Packet] = []
        size = 0
        while len(packets) < most and size < PEEKED_BYTES and not (packets and self._pressed()):
            if (packet := next(self._packets, None)) is None:
                break
            packets.append(packet)
            size += packet.size
        return packets

    def _put_back(self, packets: Iterable[Packet]) -> None:
        """Packets that were looked at come next."""
        self._packets = chain(packets, self._packets)

    def _pressed(self) -> bool:
        """Whether what comes next should not be waited for."""
        return False

    def _tried(self, packets: Iterable[Packet]) -> list[av.VideoFrame]:
        """The frames of packets, as if they had not been decoded."""
        frames: list[av.VideoFrame] = []
        for packet in packets:
            try:
                frames += packet.decode()
            except av.FFmpegError:
                continue
        self.stream.codec_context.flush_buffers()
        return frames

    def _demuxed(self) -> Iterator[Packet]:
        try:
            yield from self.container.demux(self.stream)
        except (av.FFmpegError, IndexError) as error:  # the file ends, or is broken, in the middle of a packet
            self.skipped += 1  # (an IndexError where a stream turns up that was not announced)
            self.broken = reason(error)

    def _decoded(self) -> Iterator[Any]:
        """The frames of the stream, in the order they are shown or heard."""
        for packet in self._packets:
            self._feeding(packet)
            try:
                yield from packet.decode()
            except av.FFmpegError:
                self.skipped += 1

    def _feeding(self, packet: Packet) -> None:
        """Called before each packet is decoded."""

    def _jump(self, seconds: float) -> None:
        """To the key frame at or before a time on the clock of the container.

        Raises:
            av.FFmpegError: the container cannot seek.
        """
        target = math.floor(seconds / self.stream.time_base)
        self.container.seek(max(target, 0), stream=self.stream, backward=True)
        self._packets = self._demuxed()

    def _reopen(self) -> None:
        self.container.close()
        self._open()

    def close(self) -> None:
        """Closes the file."""
        self._packets = iter(())  # no cycle: a process that is forked later must not find threads of FFmpeg to end
        self.container.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
