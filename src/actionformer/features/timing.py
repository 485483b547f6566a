"""Whether features lie in time as those that a model was trained on."""

from __future__ import annotations

from actionformer.core.errors import InputError
from actionformer.features.spec import FeatureSpec

SAME_SECONDS = 0.05
"""Share by which steps and windows in seconds may differ: 24 frames a second are as good as 25."""
SAME_RATE = 1.3
"""Features of every fourth frame, say, may be of videos of 25 or of 30 frames a second, but not of 60."""


def check_timing(found: FeatureSpec, expected: FeatureSpec, where: str, *, rates: bool = True) -> None:
    """A model reads an action's length off the number of features it has: others of the same video mean other lengths.

    Stride and window must agree in frames or in seconds, and the rate roughly, unless they agree in seconds. What
    either side does not know is not held against it.

    Args:
        found: the features that there are.
        expected: those that the model was trained on.
        where: video or file, for the message.
        rates: compare rates; a set of videos may hold many.

    Raises:
        InputError: they differ; names both.
    """
    different = [name for name in ("stride", "num_frames") if not _agree(found, expected, name)]
    if not different and rates and _rate_differs(found, expected):
        different = ["fps"]
    if different:
        names = [
            name for name in ("fps", "stride", "num_frames") if None not in (_of(found, name), _of(expected, name))
        ]
        raise InputError(
            f"{where}: features of {_in_words(found, names)}, the model was trained on {_in_words(expected, names)}: "
            "extract them as those were, correct what is said of them, or go on all the same with --other-timing "
            "(in Python other_timing=True)"
        )


def _of(spec: FeatureSpec, name: str) -> float | None:
    value: float | None = getattr(spec, name)
    return value


def _agree(found: FeatureSpec, expected: FeatureSpec, name: str) -> bool:
    one, other = _of(found, name), _of(expected, name)
    if one is None or other is None or abs(one - other) <= 1e-3 * other:
        return True
    if found.fps is None or expected.fps is None:
        return False
    return _near(one / found.fps, other / expected.fps)


def _rate_differs(found: FeatureSpec, expected: FeatureSpec) -> bool:
    if found.fps is None or expected.fps is None:
        return False
    ratio = found.fps / expected.fps
    in_seconds = all(
        _near(one / found.fps, other / expected.fps)
        for name in ("stride", "num_frames")
        if (one := _of(found, name)) is not None and (other := _of(expected, name)) is not None
    )
    return not in_seconds and not 1 / SAME_RATE <= ratio <= SAME_RATE


def _near(one: float, other: float) -> bool:
    return abs(one - other) <= SAME_SECONDS * other


def _in_words(spec: FeatureSpec, names: list[str]) -> str:
    return ", ".join(f"{name} {_of(spec, name):g}" for name in names)
