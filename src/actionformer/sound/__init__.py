"""From files to sound: the track of a video or of an audio file, mixed to one channel, on the clock of the video."""

from actionformer.sound.reader import SoundReader

__all__ = ["SoundReader"]
