"""What is made of video files so that a browser plays them: copies in another container, and media segments."""

from __future__ import annotations

import math
import tempfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from threading import Event, Lock

import av

from actionformer.core.errors import InputError
from actionformer.viewer.media.playability import Playability, playability_of
from actionformer.viewer.media.remux import remux
from actionformer.viewer.media.segment_cache import SegmentCache
from actionformer.viewer.media.segments import SEGMENT_SECONDS, NoPictureError, encode_segment
from actionformer.viewer.memory import kept

MOST_SEGMENTS, MOST_COPIES = 512 << 20, 4 << 30
"""Bytes that media segments, and copies of whole videos, may take on disk."""
MOST_PLAYABILITY = 4 << 20
"""Bytes of memory for what is known of files."""
Version = tuple[Path, int, int]
"""A file as it is now: its path, when it was changed (ns), its size in bytes."""


class Conversions:
    """What is made of video files so that browsers play them, each once, in a temporary folder that `close` removes.

    Args:
        most_segments: bytes that media segments may take on disk.
        most_copies: bytes that whole copies may take there; the last one is kept in any case.
    """

    def __init__(self, most_segments: int = MOST_SEGMENTS, most_copies: int = MOST_COPIES) -> None:
        self._most_copies = most_copies
        self._folder = tempfile.TemporaryDirectory(prefix="actionformer-view-", ignore_cleanup_errors=True)
        self._playability: Callable[[Version], Playability] = kept(
            lambda version: playability_of(version[0]), MOST_PLAYABILITY
        )
        self._copies: OrderedDict[Version, Path] = OrderedDict()
        self._copied = 0
        self._segments = SegmentCache(Path(self._folder.name), most_segments)
        self._making = [Lock() for _ in range(64)]
        self._copying = Lock()
        self._closed = Event()

    def close(self) -> None:
        """Removes all that was made."""
        self._closed.set()
        self._segments.close()
        self._folder.cleanup()

    def playability(self, path: Path) -> Playability:
        """`playability_of`, computed once per file."""
        return self._playability(_version(path))

    def playable(self, path: Path) -> tuple[Path, str]:
        """A file that a browser plays, and its media type; copying a large file takes its time.

        Raises:
            InputError: the file is no readable video, or is played in media segments.
        """
        how = self.playability(path)
        if how.way == "transcode":
            raise InputError(f"{path.name}: no browser plays it as a whole, only in segments (media/0, media/1, ...)")
        return (path if how.way == "file" else self._copy(path)), how.media_type

    def _copy(self, path: Path) -> Path:
        version = _version(path)
        with self._copying:
            if not _size(self._copies.get(version)):  # not made, or swept
                target = Path(self._folder.name) / f"{self._copied}.mp4"
                self._copied += 1
                try:
                    remux(path, target, self._closed)
                except (av.FFmpegError, ValueError) as error:
                    raise InputError(f"{path.name}: cannot be made playable in a browser ({error})") from error
                self._copies[version] = target
            self._copies.move_to_end(version)
            self._forget_copies()
            return self._copies[version]

    def _forget_copies(self) -> None:
        """Removes copies that were not asked for for longest until the others, and at least one, have room."""
        while len(self._copies) > 1 and sum(_size(copy) for copy in self._copies.values()) > self._most_copies:
            _, oldest = self._copies.popitem(last=False)
            oldest.unlink(missing_ok=True)

    def segment(self, path: Path, number: int) -> tuple[bytes, str]:
        """One media segment, see `encode_segment`, and its media type; made once.

        Raises:
            NoPictureError: the video has no such segment.
            InputError: not a readable video.
        """
        how = self.playability(path)
        if how.way != "transcode":
            raise NoPictureError(f"{path.name} is played as a whole, not in segments")
        if number >= how.duration / SEGMENT_SECONDS:
            start = min(number, math.ceil(how.duration / SEGMENT_SECONDS)) * SEGMENT_SECONDS
            raise NoPictureError(f"no picture from {start:.1f} s on: {path.name} ends before that")
        key = _version(path), number
        with self._making[hash(key) % len(self._making)]:
            segment = self._segments.get(key)
            if segment is None:
                try:
                    segment = encode_segment(path, number, how.sound)
                except InputError:  # a ValueError too
                    raise
                except (av.FFmpegError, ValueError) as error:
                    raise InputError(f"{path.name}: cannot be made playable in a browser ({error})") from error
                self._segments.put(key, segment)
            return segment, how.media_type


def _size(path: Path | None) -> int:
    """Bytes; none of what is not, or no longer, there: temporary folders are swept."""
    return path.stat().st_size if path and path.exists() else 0


def _version(path: Path) -> Version:
    about = path.stat()
    return path, about.st_mtime_ns, about.st_size
