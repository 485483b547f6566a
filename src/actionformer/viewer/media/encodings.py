"""The encodings that browsers play and FFmpeg may have."""

from __future__ import annotations

from dataclasses import dataclass

import av

from actionformer.core.errors import InputError


@dataclass(frozen=True)
class Encoding:
    """How segments are encoded."""

    container: str
    container_options: dict[str, str]
    codec: str
    codec_options: dict[str, str]
    name: str
    """What browsers call the codec."""
    sound: bool

    def media_type(self, sound: bool) -> str:
        """What a browser wants to know before it gets a segment of a video with or without sound."""
        names = f"{self.name},mp4a.40.2" if sound and self.sound else self.name
        return f'video/{self.container}; codecs="{names}"'


H264 = Encoding(
    container="mp4",
    container_options={"movflags": "empty_moov+default_base_moof"},
    codec="libx264",
    codec_options={"preset": "superfast", "crf": "23", "bf": "0", "profile": "high", "level": "4.2"},
    name="avc1.64002a",  # this profile and level, in hexadecimal
    sound=True,
)
VP8 = Encoding(
    container="webm",
    container_options={"live": "1"},
    codec="libvpx",
    codec_options={"deadline": "realtime", "cpu-used": "8", "crf": "12", "b": "3M"},
    name="vp8",
    sound=False,
)


def encoding() -> Encoding:
    """The better encoding that FFmpeg has here.

    Raises:
        InputError: it has neither.
    """
    for known in (H264, VP8):
        if known.codec in av.codecs_available:
            return known
    raise InputError("this FFmpeg encodes neither H.264 nor VP8, so that the video cannot be made playable")
