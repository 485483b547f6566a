"""Video files as a browser plays them: as they are, in another container, or encoded anew in pieces.

What browsers of today play: H.264 with 8 bits in 4:2:0, VP8, VP9 and AV1, in MP4 or WebM.
"""

from __future__ import annotations

import math
import tempfile
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock
from typing import Literal

import av

from actionformer.errors import InputError
from actionformer.video.opening import UNKNOWN, codec_of, opened, streams_of
from actionformer.video.orientation import UPRIGHT, display_matrix, exactly
from actionformer.video.reader import JOINABLE, WITHOUT_TIMES, Video
from actionformer.viewer.memory import kept
from actionformer.viewer.piece_cache import PieceCache
from actionformer.viewer.pieces import SECONDS, NoPictureError, encode_piece, encoding

PLAIN_PIXELS = {"yuv420p", "yuvj420p"}
IN_MP4 = {"h264", "vp9", "av1"}
IN_WEBM = {"vp8", "vp9", "av1"}
SOUND_IN_MP4 = {"aac", "mp3", "opus", "flac"}
SOUND_IN_WEBM = {"opus", "vorbis"}

MOST_PIECES, MOST_COPIES = 512 << 20, 4 << 30
"""Bytes that pieces of videos, and copies of whole ones, may take on disk."""
MOST_LOOKS = 4 << 20
"""Bytes of memory for what is known of files."""
LAST_PIECE = 1_000_000
"""Of a video that does not say how long it is."""
Version = tuple[Path, int, int]
"""A file as it is now: its path, when it was changed (ns), its size in bytes."""


@dataclass(frozen=True)
class Look:
    """What a video file is, and what a browser needs of it."""

    way: Literal["file", "remux", "transcode"]
    media_type: str
    """Of what a browser gets: the file, the copy, or each piece."""
    fps: float
    duration: float | None
    """Seconds, None where the file does not say, or may hold more than it says."""
    sound: bool


def look_at(path: Path) -> Look:
    """What has to be done to a file before a browser plays it.

    Raises:
        InputError: not a readable video, or one that has to be encoded, and FFmpeg has no encoder for it.
    """
    with Video(path) as video:
        codec, pixels = codec_of(video.stream), video.stream.codec_context.pix_fmt
        container = set(video.container.format.name.split(","))
        sound = [codec_of(stream) for stream in video.container.streams.audio]
        alone, heard = video.streams.alone, codec_of(video.streams.sound) != UNKNOWN
        fps, duration = video.fps, None if container & JOINABLE else video.declared
        seen = next(video.frames())
        obeyed = seen.orientation == UPRIGHT or ("mp4" in container and exactly(display_matrix(seen.decoded)))
    if pixels in PLAIN_PIXELS and obeyed and not container & WITHOUT_TIMES:
        if alone and "mp4" in container and codec in IN_MP4 and SOUND_IN_MP4.issuperset(sound):
            return Look("file", "video/mp4", fps, duration, heard)
        webm = "webm" in container and path.suffix.lower() == ".webm"
        if alone and webm and codec in IN_WEBM and SOUND_IN_WEBM.issuperset(sound):
            return Look("file", "video/webm", fps, duration, heard)
        if codec in IN_MP4:
            return Look("remux", "video/mp4", fps, duration, heard)
    return Look("transcode", encoding().media_type(heard), fps, duration, heard)


class Conversions:
    """What is made of files so that browsers play it, each once, in a folder that goes with this object.

    Args:
        most_pieces: bytes that pieces may take on disk.
        most_copies: bytes that whole copies may take there; the last one is kept in any case.
    """

    def __init__(self, most_pieces: int = MOST_PIECES, most_copies: int = MOST_COPIES) -> None:
        self._most_copies = most_copies
        self._folder = tempfile.TemporaryDirectory(prefix="actionformer-view-", ignore_cleanup_errors=True)
        self._look: Callable[[Version], Look] = kept(lambda version: look_at(version[0]), MOST_LOOKS)
        self._copies: OrderedDict[Version, Path] = OrderedDict()
        self._copied = 0
        self._pieces = PieceCache(Path(self._folder.name), most_pieces)
        self._making = [Lock() for _ in range(64)]
        self._copying = Lock()
        self._closed = Event()

    def close(self) -> None:
        """Removes all that was made."""
        self._closed.set()
        self._pieces.close()
        self._folder.cleanup()

    def look(self, path: Path) -> Look:
        """`look_at`, once a file."""
        return self._look(_version(path))

    def playable(self, path: Path) -> tuple[Path, str]:
        """A file that a browser plays, and its media type; copying a large file takes its time.

        Raises:
            InputError: not a readable video, or one that is played in pieces.
        """
        look = self.look(path)
        if look.way == "transcode":
            raise InputError(f"{path.name}: no browser plays it as a whole, only in pieces (media/0, media/1, ...)")
        return (path if look.way == "file" else self._copy(path)), look.media_type

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

    def piece(self, path: Path, number: int) -> tuple[bytes, str]:
        """A piece of a video that is played in pieces, see `encode_piece`, and its media type; made once.

        Raises:
            NoPictureError: there is no such piece.
            InputError: not a readable video.
        """
        look = self.look(path)
        if look.way != "transcode":
            raise NoPictureError(f"{path.name} is played as a whole, not in pieces")
        if number >= min(LAST_PIECE, (look.duration or math.inf) / SECONDS):
            start = min(number, LAST_PIECE) * SECONDS
            raise NoPictureError(f"no picture from {start:.1f} s on: {path.name} is over by then")
        key = _version(path), number
        with self._making[hash(key) % len(self._making)]:
            piece = self._pieces.get(key)
            if piece is None:
                try:
                    piece = encode_piece(path, number, look.sound)
                except InputError:  # a ValueError too
                    raise
                except (av.FFmpegError, ValueError) as error:
                    raise InputError(f"{path.name}: cannot be made playable in a browser ({error})") from error
                self._pieces.put(key, piece)
            return piece, look.media_type


def _size(path: Path | None) -> int:
    """Bytes; none of what is not, or no longer, there: temporary folders are swept."""
    return path.stat().st_size if path and path.exists() else 0


def _version(path: Path) -> Version:
    about = path.stat()
    return path, about.st_mtime_ns, about.st_size


def remux(source: Path, target: Path, stop: Event) -> None:
    """The video, and its sound if MP4 can hold it, in an MP4 file, up to a stop; no frame is touched."""
    with (
        opened(str(source), source.name) as file,
        av.open(str(target), "w", format="mp4", options={"movflags": "faststart"}) as output,
    ):
        streams = streams_of(file, str(source))
        chosen = [streams.video, *([streams.sound] if codec_of(streams.sound) in SOUND_IN_MP4 else [])]
        copies = {stream.index: output.add_stream_from_template(stream) for stream in chosen}
        for packet in file.demux(chosen):
            if stop.is_set():
                return
            if packet.size:
                packet.stream = copies[packet.stream.index]
                output.mux(packet)
