"""Which addresses the server fetches and follows: those that begin as one of a list, and no others."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from actionformer.core.errors import InputError

FETCHED = frozenset(("http", "https"))
"""Schemes of addresses of files."""
FOLLOWED = frozenset(("rtsp", "rtsps", "rtmp", "rtmps", "srt", "udp", "rtp"))
"""Schemes of live sources. Those of HTTP are none: FFmpeg follows their redirects and playlists anywhere."""
PORTS = {"http": 80, "https": 443}
NOT_ALLOWED = "the server takes no such address: its operator lists those that it takes with --allow"


@dataclass(frozen=True)
class Place:
    """An address in parts that can be compared; of a path on this machine the first three are empty."""

    scheme: str
    login: str
    host: str
    port: int | None
    path: str


class Allowed:
    """Addresses that begin as one of those listed: of the same scheme, host and port, with the path below.

    Args:
        prefixes: such as https://media.example.org/videos/ or rtsp://camera/, and paths such as /dev/video0.

    Raises:
        InputError: one that is no address.
    """

    def __init__(self, prefixes: Iterable[str] = ()) -> None:
        self.prefixes = tuple(prefixes)
        self._places = []
        for prefix in self.prefixes:
            if (place := _place(prefix)) is None:
                known = ", ".join(sorted(FETCHED | FOLLOWED))
                raise InputError(f"{prefix}: is no prefix of addresses: give a path from / on, or one of {known}")
            self._places.append(place)

    def fetches(self, address: str) -> bool:
        """Whether a file may be fetched from there."""
        place = _place(address)
        return place is not None and place.scheme in FETCHED and self._has(place)

    def follows(self, address: str) -> bool:
        """Whether it is a live source that may be followed."""
        place = _place(address)
        return place is not None and place.scheme not in FETCHED and self._has(place)

    def _has(self, place: Place) -> bool:
        return any(_is_below(place, one) for one in self._places)


def _is_below(place: Place, prefix: Place) -> bool:
    if (place.scheme, place.login, place.host, place.port) != (prefix.scheme, prefix.login, prefix.host, prefix.port):
        return False
    whole = prefix.path if prefix.path.endswith("/") else f"{prefix.path}/"
    return place.path == prefix.path or place.path.startswith(whole)


def _place(text: str) -> Place | None:
    """The parts of an address; None of one that could be read in two ways, or leads out of its path."""
    if not text.isascii() or re.search(r"[\x00-\x20\x7f\\]", text):
        return None
    if text.startswith("/"):
        path = os.path.realpath(text)
        return Place("", "", "", None, path + "/" * (text.endswith("/") and path != "/"))
    try:
        parts = urlsplit(text)
        port = parts.port or PORTS.get(parts.scheme)
    except ValueError:
        return None
    path = parts.path
    while (plain := unquote(path)) != path:
        path = plain
    leads_out = any(part == "." or part.startswith("..") for part in re.split(r"[/\\]", path))
    if parts.scheme not in FETCHED | FOLLOWED or not parts.hostname or leads_out:
        return None
    login = parts.netloc.rpartition("@")[0]
    return Place(parts.scheme, login, parts.hostname, port, path or "/")
