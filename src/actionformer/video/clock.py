"""The clock of a video: its rate, when its pictures are shown and for how long. Numbers in, numbers out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median_low

JUMP_BACK, JUMP_AHEAD = 1.0, 10.0
"""Seconds from which a step of the clock may be a jump, as where recordings were joined: FFmpeg's own bound ahead."""
LONGEST_PICTURE = 86_400.0
"""Seconds that the last picture is believed to last where the stated end agrees: a day."""
NEAR_END = 0.5
"""Seconds within which two statements of an end agree."""
ALIKE = 1.3
"""Rates within this factor do not contradict each other: 29.97 and 30, film and its telecine, a phone in the dark."""
FEW = 1 / 8
"""Share of steps that are as the stated rate says below which it is contradicted."""
LEAST_STEPS = 8
"""Steps without which nothing that is stated is contradicted."""
ROUNDED = 0.0011
"""Seconds by which two equal steps differ where a container rounds times to milliseconds."""


@dataclass(frozen=True)
class Rate:
    """How many frames a second a video has."""

    fps: float
    doubt: str | None = None
    """What its user should know where the rate is not as stated."""


def rate_of(
    stated: float | None, steps: Sequence[float], *, guesses: Sequence[float] = (), counted: bool = False
) -> Rate | None:
    """The rate of a video: the stated one, unless it is absent or contradicts the times of the pictures.

    Args:
        stated: frames a second.
        steps: seconds from each of the first pictures to the next, in any order; pauses among them do not matter.
        guesses: other rates that were derived from the file; one that is as the times say is more exact than they.
        counted: whether the stated rate is the number of all pictures over the length. Then it can only be too low,
            and pictures that come more slowly at the beginning do not contradict it.

    Returns:
        None where nothing tells.
    """
    usual = usual_step(steps)
    if usual is None or not _contradicted(stated, steps):
        known = stated or next(iter(guesses), None)
        return Rate(known) if known else None
    found = 1 / usual
    fps = next((guess for guess in guesses if abs(guess * usual - 1) < 0.05), _even(found))
    if stated is None:
        return Rate(
            fps,
            None
            if fps in guesses
            else f"states no frame rate: {fps:g} is used, measured from the times of its pictures",
        )
    if counted and found < stated:
        return Rate(stated)
    said = f"has {stated:.4g} frames per second on average" if counted else f"states {stated:.4g} frames per second"
    return Rate(fps, f"{said}, but its pictures come {fps:g} per second, which is used")


def usual_step(steps: Sequence[float]) -> float | None:
    """The median of steps between pictures, seconds, and the mean of those that differ by rounding alone.

    None without steps; of two pictures at one time there is no step.
    """
    real = [step for step in steps if step > 0]
    if not real:
        return None
    middle = median_low(real)
    return fmean(step for step in real if abs(step - middle) <= max(ROUNDED, 0.05 * middle))


def _contradicted(stated: float | None, steps: Sequence[float]) -> bool:
    if stated is None:
        return True
    alike = sum(1 / ALIKE < step * stated < ALIKE for step in steps)
    return len(steps) >= LEAST_STEPS and alike < FEW * len(steps)


def _even(rate: float) -> float:
    """A measured rate without the digits that were not measured: a whole number where one is near."""
    whole = round(rate)
    return float(whole) if whole and abs(rate / whole - 1) < 0.005 else float(f"{rate:.4g}")


def lasts(time: float, stated: float, step: float, ends: Sequence[float]) -> float:
    """Seconds that a picture is shown for, as far as its file can be believed.

    Args:
        time: when it is shown, seconds.
        stated: seconds that the file says it lasts, 0 where it does not say.
        step: seconds of a usual picture.
        ends: where the file says that it ends, seconds. A picture that lasts until there may last for long.
    """
    if 0 < stated <= max(JUMP_AHEAD, 2 * step):
        return stated
    until_the_end = any(abs(time + stated - end) <= NEAR_END for end in ends)
    return stated if until_the_end and 0 < stated <= LONGEST_PICTURE else step


class Clock:
    """Times of pictures in the order they are shown, from their stamps; they never go back.

    Args:
        joined: whether recordings may be joined in the source, or it may be started anew: a long step ahead is a jump.
            Elsewhere a clock is absolute, and a long step is a pause.
        end: seconds, which the source states for its end; what lies far beyond is a jump too. None if it does not say.

    Attributes:
        jumps: how many there were; times went on from the picture before.
    """

    def __init__(self, *, joined: bool, end: float | None) -> None:
        self.jumps = 0
        self._joined, self._end = joined, end
        self._last: float | None = None  # stamp
        self._shift = 0.0  # what the jumps amount to

    def time(self, stamp: float | None, step: float, missed: float) -> float:
        """When the next picture is shown.

        Args:
            stamp: seconds, None where the source does not say.
            step: seconds that a picture lasts.
            missed: seconds since the picture before, where the clock has jumped.
        """
        last = self._last
        if stamp is None:
            stamp = 0.0 if last is None else last + step
        if last is not None and self._jumped(stamp - last, stamp):
            self.jumps += 1
            self._shift += last + missed - stamp
        elif last is not None:
            stamp = max(stamp, last)
        self._last = stamp
        return stamp + self._shift

    def _jumped(self, step: float, stamp: float) -> bool:
        if step > JUMP_AHEAD:
            return self._joined or (self._end is not None and stamp > self._end + JUMP_AHEAD)
        return -step > JUMP_BACK
