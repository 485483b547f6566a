"""How features lie in time: who is believed where several say it, and whether a model was trained on such."""

from __future__ import annotations

from typing import Any

from actionformer.core.errors import InputError
from actionformer.features.spec import FeatureSpec

GRID = ("fps", "stride", "num_frames")
"""What must be known of features to place them in time."""
TIMING = (*GRID, "start", "duration")
"""All that can be said of it."""
SAME_SECONDS = 0.05
"""Share by which steps and windows in seconds may differ: 24 frames a second are as good as 25."""
SAME_RATE = 1.3
"""Features of every fourth frame, say, may be of videos of 25 or of 30 frames a second, but not of 60."""
ALL_THE_SAME = "use them all the same with --other-timing (in Python other_timing=True)"
"""What else can be done about features that lie in time otherwise than a model learned."""


UNKNOWN = FeatureSpec()


def timing_of(
    *,
    call: FeatureSpec = UNKNOWN,
    sidecar: FeatureSpec = UNKNOWN,
    settings: FeatureSpec = UNKNOWN,
    model: FeatureSpec = UNKNOWN,
    annotations: FeatureSpec = UNKNOWN,
) -> FeatureSpec:
    """Timing of which several speak: each number is that of the first who knows it.

    A call is believed before the sidecar, which travels with its features; then come the settings, what a model was
    trained on, and last the annotation file, whose rate may be that of another copy of the video.
    """
    believed = (call, sidecar, settings, model, annotations)
    known: dict[str, Any] = {}
    for name in TIMING:
        known[name] = next((said for spec in believed if (said := _of(spec, name)) is not None), None)
    return FeatureSpec(**known)


def unknown_of(spec: FeatureSpec) -> list[str]:
    """What is not known, and must be to place features in time."""
    return [name for name in GRID if _of(spec, name) is None]


def check_timing(found: FeatureSpec, expected: FeatureSpec, where: str, *, rates: bool = True) -> None:
    """A model reads an action's length off the number of features it has: others of the same video mean other lengths.

    Stride and window must agree in frames or in seconds, and the rate roughly, unless they agree in seconds. What
    either side does not know is not held against it. Of joined features each is compared.

    Args:
        found: the features that there are.
        expected: those that the model was trained on.
        where: video or file, for the message.
        rates: compare rates; a set of videos may hold many.

    Raises:
        InputError: they differ; names both.
    """
    if len(found.sources) == len(expected.sources):
        for number, (one, other) in enumerate(zip(found.sources, expected.sources, strict=True), start=1):
            check_timing(one, other, f"{where}, source {number}", rates=rates)
    different = [name for name in ("stride", "num_frames") if not _agree(found, expected, name)]
    if not different and rates and _rate_differs(found, expected):
        different = ["fps"]
    if different:
        names = [
            name for name in ("fps", "stride", "num_frames") if None not in (_of(found, name), _of(expected, name))
        ]
        raise InputError(
            f"{where}: features of {_in_words(found, names)}, the model was trained on {_in_words(expected, names)}: "
            f"extract them in the same way, correct the stated timing, or {ALL_THE_SAME}"
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
