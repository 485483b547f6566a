"""Sound at another rate, in constant memory: sample k stands for time k / rate, whatever the rates before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction

import av
import numpy as np

from actionformer.sound.mixing import Samples

TOGETHER = 1 << 15
"""Samples that FFmpeg is given together: a call costs as much as some thousand of them."""


def resampled(stretches: Iterable[tuple[int, Samples]], rate: int) -> Iterator[Samples]:
    """Samples at `rate`, from (rate, samples) that follow one another, none of them empty.

    FFmpeg's resampler does it: a filter of linear phase, whose delay it takes back. Where the rate changes, another one
    goes on from the nearest sample, so that errors do not add up.
    """
    converter: _Converter | None = None
    for before, samples in stretches:
        if converter is None or converter.before != before:
            if converter is not None:
                yield from converter.rest()
            converter = _Converter(before, rate, converter)
        yield from converter.add(samples)
    if converter is not None:
        yield from converter.rest()


class _Converter:
    """From one rate to another, after another such converter."""

    def __init__(self, before: int, after: int, previous: _Converter | None) -> None:
        self.before, self.after = before, after
        self.made: int = previous.made if previous else 0
        """Samples so far, those of earlier converters too."""
        self._begun = previous.seconds if previous else Fraction(0)
        self._taken = 0
        self._held: list[Samples] = []
        self._filter = None if before == after else av.AudioResampler(format="flt", layout="mono", rate=after)

    @property
    def seconds(self) -> Fraction:
        """Of the sound that came in since time 0."""
        return self._begun + Fraction(self._taken, self.before)

    def add(self, samples: Samples) -> Iterator[Samples]:
        """Takes samples in, and yields what they complete."""
        self._held.append(samples)
        self._taken += len(samples)
        if sum(map(len, self._held)) >= TOGETHER:
            yield from self._counted(self._converted())

    def rest(self) -> Iterator[Samples]:
        """What is left, until the sample that is nearest to the end."""
        last = np.concatenate([np.empty(0, np.float32), *self._converted(), *self._resampled(None)])
        due = round(self.seconds * self.after) - self.made
        yield from self._counted([np.pad(last[:due], (0, max(due - len(last), 0)))])

    def _converted(self) -> list[Samples]:
        held, self._held = self._held, []
        if self._filter is None or not held:
            return held
        samples = np.concatenate(held)
        frame = av.AudioFrame.from_ndarray(samples[None], format="flt", layout="mono")
        frame.sample_rate = self.before
        return self._resampled(frame)

    def _resampled(self, frame: av.AudioFrame | None) -> list[Samples]:
        """What a frame completes; None ends the sound."""
        return [made.to_ndarray()[0] for made in self._filter.resample(frame)] if self._filter else []

    def _counted(self, arrays: Iterable[Samples]) -> Iterator[Samples]:
        for samples in arrays:
            self.made += len(samples)
            if len(samples):
                yield samples
