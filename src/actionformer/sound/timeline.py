"""Pieces of sound with the times they state -> one sound without gaps. Numbers in, numbers out."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from actionformer.core.errors import InputError
from actionformer.sound.mixing import Samples

TOLERANCE = 0.005
"""Seconds by which a stated time may lie beside the count of samples: containers round times, often to milliseconds."""
AHEAD = 8
"""Pieces after one that are asked whether its time is right. FFmpeg's times of Vorbis are 10 ms beside the truth for a
piece or two wherever the length of blocks changes."""
LONGEST_SILENCE = 86_400.0
"""Seconds that may be missing in a file altogether: a day."""
CHUNK = 1 << 16
"""Samples of silence that come together."""


@dataclass(frozen=True)
class Piece:
    """What one decoded frame holds."""

    time: float
    """Seconds at which its first sample is heard."""
    rate: int
    """Samples a second."""
    samples: Samples

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.samples) / self.rate


def joined(pieces: Iterable[Piece]) -> Iterator[tuple[int, Samples]]:
    """Sound from time 0 on, as (rate, samples) that follow one another without a gap.

    The stated time of a piece decides where its samples lie, to half a sample. Where it comes later than the piece
    before has ended, there is silence; what lies before that end, or before time 0, is left out. A difference within
    `TOLERANCE`, or one that a piece soon after takes back, is none: the samples are counted on, so it does not add up.

    Raises:
        InputError: more than `LONGEST_SILENCE` is missing.
    """
    begun, count, rate = 0.0, 0, 0  # of the stretch of one rate that goes on: its time, its samples
    silence, first = 0.0, True
    for piece, following in _with_following(pieces):
        if piece.rate != rate:
            begun, count, rate = begun + (count / rate if rate else 0.0), 0, piece.rate
        end = begun + count / rate
        late, first = piece.time - end if first else _late(piece, following, end), False
        missing, surplus = round(max(late, 0.0) * rate), round(max(-late, 0.0) * rate)
        silence += missing / rate
        check_silence(silence)
        for samples in (*silent(missing), piece.samples[surplus:]):
            if len(samples):
                count += len(samples)
                yield rate, samples


def _late(piece: Piece, following: Sequence[Piece], end: float) -> float:
    """Seconds by which a piece begins after the `end` of those before; 0 if it or one that follows joins on there."""
    late = piece.time - end
    for one in (piece, *following):
        if abs(one.time - end) <= TOLERANCE:
            return 0.0
        end += one.seconds
    return late


def _with_following(pieces: Iterable[Piece]) -> Iterator[tuple[Piece, Sequence[Piece]]]:
    """Each piece with up to `AHEAD` that come after it."""
    waiting: deque[Piece] = deque()
    for piece in pieces:
        waiting.append(piece)
        if len(waiting) > AHEAD:
            yield waiting.popleft(), waiting
    while waiting:
        yield waiting.popleft(), waiting


def check_silence(seconds: float) -> None:
    """Refuses a file that says that nothing is heard for so long.

    Raises:
        InputError: over `LONGEST_SILENCE`.
    """
    if seconds > LONGEST_SILENCE:
        raise InputError(f"says that nothing is heard for {seconds:.0f} s, which cannot be: is it damaged?")


def silent(samples: int) -> Iterator[Samples]:
    """So many samples of silence, in chunks."""
    for first in range(0, samples, CHUNK):
        yield np.zeros(min(CHUNK, samples - first), np.float32)
