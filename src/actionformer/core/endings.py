"""What files of recordings end in, in lower case."""

from __future__ import annotations

_VIDEOS = "3gp asf avi flv m2ts m4v mkv mov mp4 mpeg mpg mts mxf ogv ts vob webm wmv"
_SOUND_ALONE = "aac ac3 aif aiff amr ape caf flac m4a m4b mka mp2 mp3 oga ogg opus wav wma wv"

VIDEOS = frozenset(f".{name}" for name in _VIDEOS.split())
"""Files with pictures, and mostly sound."""
SOUND_ALONE = frozenset(f".{name}" for name in _SOUND_ALONE.split())
"""Files of sound without pictures."""
