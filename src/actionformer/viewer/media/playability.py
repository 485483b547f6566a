"""How a browser can play a video file: as it is, in another container, or encoded anew.

What browsers of today play: H.264 with 8 bits in 4:2:0, VP8, VP9 and AV1, in MP4 or WebM. Files of sound alone are
played as they are, or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import av

from actionformer.core.endings import SOUND_ALONE
from actionformer.core.errors import InputError
from actionformer.sound import SoundReader
from actionformer.sound.medium import FPS
from actionformer.video.opening import UNKNOWN, codec_of
from actionformer.video.orientation import UPRIGHT, display_matrix, exactly
from actionformer.video.reader import TimedFrame, VideoReader
from actionformer.viewer.media.encodings import encoding
from actionformer.viewer.media.length import Length, measured
from actionformer.viewer.media.remux import SOUND_IN_MP4

PLAIN_PIXELS = {"yuv420p", "yuvj420p"}
IN_MP4 = {"h264", "vp9", "av1"}
IN_WEBM = {"vp8", "vp9", "av1"}
SOUND_IN_WEBM = {"opus", "vorbis"}

SOUND_ALONE_IN = {
    "wav": ("audio/wav", {"pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_f32le"}),
    "mp3": ("audio/mpeg", {"mp3"}),
    "flac": ("audio/flac", {"flac"}),
    "mp4": ("audio/mp4", {"aac", "mp3", "opus", "flac"}),
    "ogg": ("audio/ogg", {"opus", "vorbis", "flac"}),
}
"""Container of sound -> its media type, and the codecs in it that browsers play."""

EARLIEST, LATEST = -0.02, 0.0005
"""Seconds at which the clock of a file may begin that is played as it is. Browsers do not agree whether they count from
there; pictures half a frame early are still the right ones, and later ones are not."""


@dataclass(frozen=True)
class Playability:
    """How a browser can play a video file, and what it needs to know of it."""

    way: Literal["file", "remux", "transcode"]
    media_type: str
    """Of what a browser gets: the file, the copy, or each segment."""
    fps: float
    start: float
    """Seconds of the first picture."""
    duration: float
    """Seconds: as the file says; measured where it does not say, or may hold more than it says."""
    sound: bool


def playability_of(path: Path) -> Playability:
    """What has to be done to a file before a browser plays it.

    Raises:
        InputError: not a readable video or sound file, one of sound that no browser plays, or a video that has to be
            encoded, and FFmpeg has no encoder for it.
    """
    if path.suffix.lower() in SOUND_ALONE:
        return _heard(path)
    with VideoReader(path) as video:
        container = set(video.container.format.name.split(","))
        duration = None if video.stated.joinable else video.declared
        length = Length(duration, 0) if duration else measured(path)
        first = next(video.frames())
        heard = codec_of(video.streams.sound) != UNKNOWN
        alike = not length.jumps and _shown_alike(video, first, container)
        copied = alike and codec_of(video.stream) in IN_MP4
        kind = _media_type_as_it_is(video, container, path.suffix.lower())
        if kind and alike and EARLIEST <= video.origin <= LATEST:
            return Playability("file", kind, video.fps, first.time, length.seconds, heard)
    if copied:
        return Playability("remux", "video/mp4", video.fps, first.time, length.seconds, heard)
    return Playability("transcode", encoding().media_type(heard), video.fps, first.time, length.seconds, heard)


def _media_type_as_it_is(video: VideoReader, container: set[str], ending: str) -> str | None:
    """The media type of a file whose streams browsers play, and choose as we do; None of any other."""
    picture, sound = codec_of(video.stream), {codec_of(stream) for stream in video.container.streams.audio}
    if video.streams.alone and "mp4" in container and picture in IN_MP4 and sound <= SOUND_IN_MP4:
        return "video/mp4"
    webm = "webm" in container and ending == ".webm"
    return "video/webm" if video.streams.alone and webm and picture in IN_WEBM and sound <= SOUND_IN_WEBM else None


def _shown_alike(video: VideoReader, first: TimedFrame, container: set[str]) -> bool:
    """Whether browsers, which obey the header of an MP4 alone, show the same pictures at the same times."""
    obeyed = first.orientation == UPRIGHT or ("mp4" in container and exactly(display_matrix(first.decoded)))
    return obeyed and video.stream.codec_context.pix_fmt in PLAIN_PIXELS and not video.stated.shown_unsaid


def _heard(path: Path) -> Playability:
    """How a file of sound alone is played; its steps are those of `sound.medium`."""
    with SoundReader(path) as sound:
        codec, seconds = codec_of(sound.stream), (sound.container.duration or 0) / av.time_base
        for name in sound.container.format.name.split(","):
            kind, codecs = SOUND_ALONE_IN.get(name, ("", set()))
            if codec in codecs:
                return Playability("file", kind, FPS, 0.0, sound.declared or seconds, sound=True)
    raise InputError(f"{path}: no browser plays sound of this kind ({codec}): ffmpeg -i IN OUT.flac makes one it plays")
