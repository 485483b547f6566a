"""Sound as a medium: what is heard in video and audio files, in rows of 10 ms."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from actionformer.core.endings import SOUND_ALONE, VIDEOS
from actionformer.core.errors import InputError
from actionformer.medium import Medium, ReadSummary, Row
from actionformer.sound.mixing import Samples
from actionformer.sound.reader import QUIET, RATE, SoundReader

HOP = 160
"""Samples of a row."""
FPS = RATE / HOP
"""Rows a second: 100."""


class Sound(Medium):
    """What is heard, (160,) float32 a row: samples of one channel, 16,000 a second, full scale is 1."""

    files = "sound files"
    endings = VIDEOS | SOUND_ALONE

    @contextmanager
    def open(self, path: Path, fps: float | None) -> Iterator[Heard]:
        """The sound of a file.

        Raises:
            InputError: (also) another rate than 100 rows a second.
        """
        if fps not in (None, FPS):
            raise InputError(f"fps is {FPS:g} for sound, found {fps:g}: stride and num_frames say how long clips are")
        with SoundReader(path) as sound:
            yield Heard(sound)


SOUND = Sound()


class Heard:
    """The sound of a file that is open, from time 0 on; see `medium.Recording`."""

    fps = FPS
    start = 0.0
    doubt = "has no pictures, only sound in steps of 10 ms"

    def __init__(self, sound: SoundReader) -> None:
        self.sound = sound

    @property
    def declared(self) -> float | None:
        """Seconds at which the file says that it ends."""
        return self.sound.declared

    def rows(self) -> Iterator[Row]:
        """The samples in rows of `HOP`; the last one is filled up with silence."""
        left: Samples = np.empty(0, np.float32)
        for samples in self.sound.samples():
            left = np.concatenate([left, samples])
            whole = len(left) // HOP * HOP
            yield from left[:whole].reshape(-1, HOP)
            left = left[whole:]
        if len(left):
            yield np.pad(left, (0, HOP - len(left)))

    def summary(self, rows: int) -> ReadSummary:
        """How the reading went."""
        return ReadSummary(
            fps=FPS,
            native_fps=FPS,
            frames=rows,
            start=self.start,
            duration=self.sound.end,
            skipped_packets=self.sound.skipped,
            warning="; ".join(filter(None, (self.sound.track.remark, _oddity(self.sound)))) or None,
        )


def _oddity(sound: SoundReader) -> str | None:
    if sound.loudest < QUIET:
        return "its sound is silent from beginning to end: was it recorded, and is this the right track?"
    if sound.jumps:
        return f"jumps of its clock, as in joined recordings: {sound.jumps}; times go on from the sound before"
    if sound.cut_short:
        return f"is cut short: {sound.end:.2f} s can be read and are kept, the file says {sound.declared:.2f} s"
    return f"damaged packets skipped: {sound.skipped}" if sound.skipped else None
