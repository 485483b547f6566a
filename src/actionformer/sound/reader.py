"""Sound files: their samples on the clock of the recording, in constant memory.

Time 0 is where the container begins, as for pictures (`video.reader`), so what is heard and what is seen at one moment
have one time. The times of packets decide where samples lie; FFmpeg, through PyAV, takes away what encoders put before
the first sample, where the file says how much that is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from av.container import InputContainer

from actionformer.core.errors import InputError
from actionformer.sound.mixing import Samples, mono
from actionformer.sound.resampling import resampled
from actionformer.sound.timeline import Piece, check_silence, joined, silent
from actionformer.sound.track import track_of
from actionformer.video.clock import Clock
from actionformer.video.opening import opened
from actionformer.video.packets import PacketReader

RATE = 16_000
"""Samples a second that are given, whatever the file has."""
HIGHEST_RATE = 4_000_000
"""Samples a second of a file; to convert a rate that a broken file states takes minutes and gigabytes."""
QUIET = 1e-4
"""Of full scale, -80 dB: a recording that never gets louder is silent."""


class SoundReader(PacketReader):
    """An open video or audio file, as far as it is heard.

    Attributes, beside those of `PacketReader`:
        track: which stream is read, and what the file says of it.
        rate: samples a second of its own, as it states it.
        jumps: how often the clock of the file jumped so far; times go on from the sound before.
        loudest: the largest sample so far; full scale is 1.

    Raises:
        InputError: not a readable file, or one without sound.
    """

    def __init__(self, path: str | Path) -> None:
        if not Path(path).is_file():
            raise InputError(f"{path}: no such file")
        if Path(path).stat().st_size == 0:
            raise InputError(f"{path}: the file is empty")
        super().__init__(str(path))
        self.rate = int(self.stream.codec_context.sample_rate or RATE)
        self.jumps = 0
        self.loudest = 0.0
        self._made = 0
        self._heard = 0.0  # seconds at which the sound of the file ends
        self._first: float | None = None  # time of the first piece on the clock of the container

    def _opened(self) -> InputContainer:
        return opened(self.name, self.name, kind="video or audio file")

    def _chosen(self) -> Any:
        self.track = track_of(self.container, self.name)
        return self.track.stream

    @property
    def origin(self) -> float:
        """Time 0 on the clock of the container, seconds."""
        if self.track.zero is not None:
            return self.track.zero
        stated = (self.stream.start_time or 0) * float(self.stream.time_base or 0)
        return stated if self._first is None else self._first

    @property
    def declared(self) -> float | None:
        """Seconds at which the recording ends, its sound or its pictures, as far as the file says."""
        ends = [end for end in (self.track.end, self.track.pictures_end) if end is not None]
        return max(ends) - self.origin if self.track.end is not None else None

    @property
    def end(self) -> float:
        """Seconds at which what was given so far ends."""
        return self._made / RATE

    @property
    def cut_short(self) -> bool:
        """After all samples were given: the file promised more, by over half a second and a hundredth of it."""
        promised = 0.0 if self.track.end is None else self.track.end - self.origin
        return promised - self._heard > 0.5 + 0.01 * promised

    def samples(self) -> Iterator[Samples]:
        """The samples from time 0 on, `RATE` a second, of one channel; once.

        Where nothing is heard there is silence: before the sound begins, where packets are missing, and after its end
        until the pictures end.

        Raises:
            InputError: nothing can be decoded, or times that cannot be.
        """
        for samples in resampled(joined(self._pieces()), RATE):
            self._made += len(samples)
            self.loudest = max(self.loudest, float(abs(samples).max()))
            yield samples
        if self._first is None:
            raise InputError(f"{self.name}: no sound could be decoded ({self.skipped} damaged packets): {self.advice}")
        yield from self._until_the_pictures_end()

    def _until_the_pictures_end(self) -> Iterator[Samples]:
        if self.track.pictures_end is None or self.cut_short or self.broken:
            return
        missing = self.track.pictures_end - self.origin - self.end
        check_silence(missing)
        for samples in silent(round(max(missing, 0.0) * RATE)):
            self._made += len(samples)
            yield samples

    def _pieces(self) -> Iterator[Piece]:
        """What is decoded, with its times; the last piece without what its encoder filled it up with."""
        held: Piece | None = None
        for piece in self._timed():
            if held is not None:
                yield held
            held = piece
        if held is not None:
            yield replace(held, samples=held.samples[: self._unpadded(held)])

    def _unpadded(self, last: Piece) -> int:
        """Samples of the last piece until the end that the file states, where that lies in it."""
        count = len(last.samples)
        until = count if self.track.end is None else round((self.track.end - self.origin - last.time) * last.rate)
        return until if 0 < until < count else count

    def _timed(self) -> Iterator[Piece]:
        clock = Clock(joined=self.track.joinable, end=self.track.end)
        lasting = 0.0
        for frame in self._decoded():
            if not frame.samples or not frame.sample_rate:
                continue
            if frame.sample_rate > HIGHEST_RATE:
                raise InputError(
                    f"{self.name}: states {frame.sample_rate:,} samples a second, expected {HIGHEST_RATE:,} at most: "
                    f"{self.advice}"
                )
            time = clock.time(frame.time if self.track.timed else None, lasting, lasting)
            self.jumps = clock.jumps
            if self._first is None:
                self._first = time
            lasting = frame.samples / frame.sample_rate
            self._heard = time + lasting - self.origin
            yield Piece(time - self.origin, frame.sample_rate, mono(frame))
