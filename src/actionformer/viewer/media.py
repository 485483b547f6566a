"""Video files as a browser plays them: as they are, in another container, or encoded anew in pieces.

What browsers of today play: H.264 with 8 bits in 4:2:0, VP8, VP9 and AV1, in MP4 or WebM.
"""

from __future__ import annotations

import math
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock
from typing import Literal

import av

from actionformer.errors import InputError
from actionformer.video.opening import UNKNOWN, codec_of, opened, streams_of
from actionformer.video.orientation import UPRIGHT, display_matrix, exactly
from actionformer.video.reader import JOINABLE, WITHOUT_TIMES, Video
from actionformer.viewer.piece_cache import PieceCache
from actionformer.viewer.pieces import SECONDS, NoPictureError, encode_piece, encoding

PLAIN_PIXELS = {"yuv420p", "yuvj420p"}
IN_MP4 = {"h264", "vp9", "av1"}
IN_WEBM = {"vp8", "vp9", "av1"}
SOUND_IN_MP4 = {"aac", "mp3", "opus", "flac"}
SOUND_IN_WEBM = {"opus", "vorbis"}

KEPT_BYTES = 512 * 2**20
"""What pieces may take on disk."""
MOST_PIECES = 1_000_000
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
        kept: bytes that pieces may take on disk.
    """

    def __init__(self, kept: int = KEPT_BYTES) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="actionformer-view-", ignore_cleanup_errors=True)
        self._looks: dict[Version, Look] = {}
        self._copies: dict[Version, Path] = {}
        self._pieces = PieceCache(Path(self._folder.name), kept)
        self._making: defaultdict[tuple[Version, int], Lock] = defaultdict(Lock)
        self._copying = Lock()
        self._closed = Event()

    def close(self) -> None:
        """Removes all that was made."""
        self._closed.set()
        self._pieces.close()
        self._folder.cleanup()

    def look(self, path: Path) -> Look:
        """`look_at`, once a file."""
        version = _version(path)
        if version not in self._looks:
            self._looks[version] = look_at(path)
        return self._looks[version]

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
            if version not in self._copies:
                target = Path(self._folder.name) / f"{len(self._copies)}.mp4"
                try:
                    remux(path, target, self._closed)
                except (av.FFmpegError, ValueError) as error:
                    raise InputError(f"{path.name}: cannot be made playable in a browser ({error})") from error
                self._copies[version] = target
            return self._copies[version]

    def piece(self, path: Path, number: int) -> tuple[bytes, str]:
        """A piece of a video that is played in pieces, see `encode_piece`, and its media type; made once.

        Raises:
            NoPictureError: there is no such piece.
            InputError: not a readable video.
        """
        look = self.look(path)
        if look.way != "transcode":
            raise NoPictureError(f"{path.name} is played as a whole, not in pieces")
        if number >= min(MOST_PIECES, (look.duration or math.inf) / SECONDS):
            start = min(number, MOST_PIECES) * SECONDS
            raise NoPictureError(f"no picture from {start:.1f} s on: {path.name} is over by then")
        key = _version(path), number
        with self._making[key]:
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
