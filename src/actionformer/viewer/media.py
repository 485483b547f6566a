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
from typing import Any, Literal

import av

from actionformer.core.errors import InputError
from actionformer.video.opening import UNKNOWN, codec_of, opened, streams_of
from actionformer.video.orientation import UPRIGHT, display_matrix, exactly
from actionformer.video.reader import TimedFrame, Video
from actionformer.viewer.length import Length, measured
from actionformer.viewer.memory import kept
from actionformer.viewer.piece_cache import PieceCache
from actionformer.viewer.pieces import SECONDS, NoPictureError, encode_piece, encoding

PLAIN_PIXELS = {"yuv420p", "yuvj420p"}
IN_MP4 = {"h264", "vp9", "av1"}
IN_WEBM = {"vp8", "vp9", "av1"}
SOUND_IN_MP4 = {"aac", "mp3", "opus", "flac"}
SOUND_IN_WEBM = {"opus", "vorbis"}

EARLIEST, LATEST = -0.02, 0.0005
"""Seconds at which the clock of a file may begin that is played as it is. Browsers do not agree whether they count from
there; pictures half a frame early are still the right ones, and later ones are not."""
MOST_PIECES, MOST_COPIES = 512 << 20, 4 << 30
"""Bytes that pieces of videos, and copies of whole ones, may take on disk."""
MOST_LOOKS = 4 << 20
"""Bytes of memory for what is known of files."""
Version = tuple[Path, int, int]
"""A file as it is now: its path, when it was changed (ns), its size in bytes."""


@dataclass(frozen=True)
class Look:
    """What a video file is, and what a browser needs of it."""

    way: Literal["file", "remux", "transcode"]
    media_type: str
    """Of what a browser gets: the file, the copy, or each piece."""
    fps: float
    start: float
    """Seconds of the first picture."""
    duration: float
    """Seconds: as the file says; measured where it does not say, or may hold more than it says."""
    sound: bool


def look_at(path: Path) -> Look:
    """What has to be done to a file before a browser plays it.

    Raises:
        InputError: not a readable video, or one that has to be encoded, and FFmpeg has no encoder for it.
    """
    with Video(path) as video:
        container = set(video.container.format.name.split(","))
        duration = None if video.stated.joinable else video.declared
        length = Length(duration, 0) if duration else measured(path)
        first = next(video.frames())
        heard = codec_of(video.streams.sound) != UNKNOWN
        alike = not length.jumps and _shown_alike(video, first, container)
        copied = alike and codec_of(video.stream) in IN_MP4
        kind = _played_as_it_is(video, container, path.suffix.lower())
        if kind and alike and EARLIEST <= video.origin <= LATEST:
            return Look("file", kind, video.fps, first.time, length.seconds, heard)
    if copied:
        return Look("remux", "video/mp4", video.fps, first.time, length.seconds, heard)
    return Look("transcode", encoding().media_type(heard), video.fps, first.time, length.seconds, heard)


def _played_as_it_is(video: Video, container: set[str], ending: str) -> str | None:
    """The media type of a file whose streams browsers play, and choose as we do; None of any other."""
    picture, sound = codec_of(video.stream), {codec_of(stream) for stream in video.container.streams.audio}
    if video.streams.alone and "mp4" in container and picture in IN_MP4 and sound <= SOUND_IN_MP4:
        return "video/mp4"
    webm = "webm" in container and ending == ".webm"
    return "video/webm" if video.streams.alone and webm and picture in IN_WEBM and sound <= SOUND_IN_WEBM else None


def _shown_alike(video: Video, first: TimedFrame, container: set[str]) -> bool:
    """Whether browsers, which obey the header of an MP4 alone, show the same pictures at the same times."""
    obeyed = first.orientation == UPRIGHT or ("mp4" in container and exactly(display_matrix(first.decoded)))
    return obeyed and video.stream.codec_context.pix_fmt in PLAIN_PIXELS and not video.stated.shown_unsaid


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
        if number >= look.duration / SECONDS:
            start = min(number, math.ceil(look.duration / SECONDS)) * SECONDS
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
    """The video, and its sound if MP4 can hold it, in an MP4 file, up to a stop; no frame is touched.

    Times count from time 0 of the source, and its first picture is shown from there on: browsers do not agree on when
    a file begins whose pictures begin late.
    """
    with Video(source) as video:
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
