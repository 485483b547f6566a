"""Training videos in numbers, for rules."""

from collections.abc import Sequence

import numpy as np

from actionformer.advice.advised import Advised, advised
from actionformer.advice.facts import Facts


def facts_of(
    steps: Sequence[float] = (10.0,),
    lengths: Sequence[int] = (500,),
    axes: int | None = None,
    labels: Sequence[Sequence[int]] = (),
) -> Facts:
    return Facts(
        np.array(steps, dtype=float), np.array(lengths), axes, tuple(np.array(one, np.int64) for one in labels)
    )


def values(said: Advised) -> dict[str, object]:
    """Setting -> value."""
    return {one.name: one.value for one in said.advice}


def value(name: str, facts: Facts, **given: dict[str, object]) -> object:
    """What is advised for one setting, None if nothing is."""
    return values(advised(facts, given)).get(name)
