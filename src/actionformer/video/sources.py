"""Where live video comes from: a camera, an address, a pipe, a file that is still being written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import av

from actionformer.core.errors import InputError

REAL_TIME = frozenset(("rtp", "rtsp", "rtsps", "rtmp", "rtmps", "srt", "udp"))
"""Schemes of addresses that do not wait for who reads them."""


@dataclass(frozen=True)
class Source:
    """Where live video comes from."""

    kind: Literal["device", "address", "pipe", "file"]
    address: str
    """What FFmpeg opens; "-" is standard input."""
    format: str | None = None
    """FFmpeg's name of a device or container, None where it finds out itself."""

    @property
    def name(self) -> str:
        """The address without the password that it may hold."""
        return "standard input" if self.address == "-" else re.sub(r"//[^/]*@", "//", self.address)

    @property
    def scheme(self) -> str:
        """rtsp of rtsp://host."""
        return self.address.partition("://")[0].lower()

    @property
    def real_time(self) -> bool:
        """Whether it goes on when nobody reads."""
        return self.kind == "device" or (self.kind == "address" and self.scheme in REAL_TIME)


def source_of(text: str) -> Source:
    """The source that a text stands for: a file, a named pipe, "-", an address, a device, or `FORMAT:` before one.

    Raises:
        InputError: none of these.
    """
    known = {name for names in av.formats_available for name in names.split(",")}
    before, _, rest = text.partition(":")
    prefixed = rest and before in known and not rest.startswith("//") and not Path(text).exists()
    format_, address = (before, rest) if prefixed else (None, text)
    if "://" in address:
        return Source("address", address, format_)
    if address == "-" or Path(address).is_fifo():
        return Source("pipe", address, format_)
    if Path(address).is_file():
        return Source("file", address, format_)
    if re.fullmatch(r"/dev/video\d+", address):
        return Source("device", address, format_ or "v4l2")
    if format_:
        return Source("device", address, format_)
    raise InputError(
        f"{text}: no such file, pipe or address: give one, - for standard input, "
        "or a device after its format, such as v4l2:/dev/video0"
    )
