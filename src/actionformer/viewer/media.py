"""Video files as a browser plays them: as they are, in another container, or encoded anew.

What browsers of today play: H.264 with 8 bits in 4:2:0, VP8, VP9 and AV1, in MP4 or WebM.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from threading import Lock
from typing import Any, Literal

import av

from actionformer.errors import InputError
from actionformer.video.reader import WITHOUT_TIMES, TimedFrame, Video

CLOCK = 90_000
"""Ticks a second of what is encoded anew."""
PLAIN_PIXELS = {"yuv420p", "yuvj420p"}
IN_MP4 = {"h264", "vp9", "av1"}
IN_WEBM = {"vp8", "vp9", "av1"}
SOUND_IN_MP4 = {"aac", "mp3", "opus", "flac"}
SOUND_IN_WEBM = {"opus", "vorbis"}


@dataclass(frozen=True)
class Look:
    """What a video file is, and what a browser needs of it."""

    way: Literal["file", "remux", "transcode"]
    media_type: str
    """Of the file as it is."""
    fps: float
    duration: float | None
    """Seconds, None where the file does not say."""


def look_at(path: Path) -> Look:
    """What has to be done to a file before a browser plays it.

    Raises:
        InputError: not a readable video.
    """
    with Video(path) as video:
        codec, pixels = _kind(video.stream), video.stream.codec_context.pix_fmt
        container = set(video.container.format.name.split(","))
        sound = {_kind(stream) for stream in video.container.streams.audio}
        fps, duration = video.fps, video.declared
    way: Literal["file", "remux", "transcode"] = "transcode"
    media_type = "video/mp4"
    if pixels in PLAIN_PIXELS and not container & WITHOUT_TIMES:
        if "mp4" in container and codec in IN_MP4 and sound <= SOUND_IN_MP4:
            way = "file"
        elif "webm" in container and path.suffix.lower() == ".webm" and codec in IN_WEBM and sound <= SOUND_IN_WEBM:
            way, media_type = "file", "video/webm"
        elif codec in IN_MP4:
            way = "remux"
    return Look(way, media_type, fps, duration)


def _kind(stream: Any) -> str:
    """The codec of a stream, whichever decoder FFmpeg has for it."""
    return str(stream.codec_context.codec.canonical_name)


class Conversions:
    """Playable copies of files, each made once, in a folder that goes with this object."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="actionformer-view-", ignore_cleanup_errors=True)
        self._looks: dict[Path, Look] = {}
        self._made: dict[Path, tuple[Path, str]] = {}
        self._lock = Lock()

    def close(self) -> None:
        """Removes the copies."""
        self._folder.cleanup()

    def look(self, path: Path) -> Look:
        """`look_at`, once a file."""
        if path not in self._looks:
            self._looks[path] = look_at(path)
        return self._looks[path]

    def playable(self, path: Path) -> tuple[Path, str]:
        """A file that a browser plays, and its media type; it may have to be made, which takes its time.

        Raises:
            InputError: not a readable video, or nothing here can encode one.
        """
        look = self.look(path)
        if look.way == "file":
            return path, look.media_type
        if path not in self._made:
            with self._lock:
                if path not in self._made:
                    self._made[path] = self._converted(path, look)
        return self._made[path]

    def _converted(self, path: Path, look: Look) -> tuple[Path, str]:
        target = Path(self._folder.name) / f"{len(self._made)}.video"
        try:
            if look.way == "remux":
                remux(path, target)
                return target, "video/mp4"
            return target, transcode(path, target)
        except (av.FFmpegError, ValueError) as error:
            raise InputError(f"{path.name}: cannot be made playable in a browser ({error})") from error


def remux(source: Path, target: Path) -> None:
    """The first video stream, and sound that MP4 can hold, in an MP4 file; no frame is touched."""
    with av.open(str(source), metadata_errors="ignore") as file, _mp4(target) as output:
        sound = [stream for stream in file.streams.audio if _kind(stream) in SOUND_IN_MP4][:1]
        chosen: list[Any] = [file.streams.video[0], *sound]
        copies = {stream.index: output.add_stream_from_template(stream) for stream in chosen}
        for packet in file.demux(chosen):
            if packet.size:
                packet.stream = copies[packet.stream.index]
                output.mux(packet)


def transcode(source: Path, target: Path) -> str:
    """The frames of a video encoded anew, upright, without sound; returns the media type.

    H.264 in MP4 where FFmpeg has its encoder, else VP8 in WebM.

    Raises:
        InputError: not a readable video, or FFmpeg has neither encoder.
    """
    codec, media_type, begin = _encoder()
    with ExitStack() as stack:
        video = stack.enter_context(Video(source))
        output = stack.enter_context(begin(target))
        stream: Any = None
        for frame in video.frames():
            picture = _even(frame)
            if stream is None:
                stream = output.add_stream(codec, rate=Fraction(video.fps).limit_denominator(CLOCK))
                stream.width, stream.height, stream.pix_fmt = picture.width, picture.height, "yuv420p"
                stream.codec_context.time_base = Fraction(1, CLOCK)
                stream.options = {"preset": "veryfast"} if codec == "libx264" else {"deadline": "realtime"}
            output.mux(stream.encode(picture))
        if stream is None:
            raise InputError(f"{source.name}: has no frame that can be decoded")
        output.mux(stream.encode(None))
    return media_type


def _even(frame: TimedFrame) -> av.VideoFrame:
    """A frame with even sides, which encoders of 4:2:0 want, and its time on the clock of the output."""
    image = frame.image()
    height, width = (side - side % 2 for side in image.shape[:2])
    picture = av.VideoFrame.from_ndarray(image[:height, :width].copy(), format="rgb24").reformat(format="yuv420p")
    picture.pts, picture.time_base = round(frame.time * CLOCK), Fraction(1, CLOCK)
    return picture


def _mp4(target: Path) -> av.container.OutputContainer:
    return av.open(str(target), "w", format="mp4", options={"movflags": "faststart"})


def _webm(target: Path) -> av.container.OutputContainer:
    return av.open(str(target), "w", format="webm")


def _encoder() -> tuple[str, str, Callable[[Path], av.container.OutputContainer]]:
    if "libx264" in av.codecs_available:
        return "libx264", "video/mp4", _mp4
    if "libvpx" in av.codecs_available:
        return "libvpx", "video/webm", _webm
    raise InputError("this FFmpeg encodes neither H.264 nor VP8, so that the video cannot be made playable")
