"""Training videos in numbers, for rules."""

from collections.abc import Sequence

import numpy as np

from actionformer.advice.advised import Advised, advised
from actionformer.advice.facts import Facts


def facts_of(
    steps: Sequence[float] = (10.0,),
    lengths: Sequence[int] = (500,),
    axes: int | None = None,
    labels: Sequence[Sequence[int]] | None = None,
) -> Facts:
    """Without `labels` every recording is a sequence with actions of one class."""
    of_sequences = [[0]] * len(lengths) if labels is None else labels
    return Facts(
        np.array(steps, dtype=float), np.array(lengths), tuple(np.array(one, np.int64) for one in of_sequences), axes
    )


def values(said: Advised) -> dict[str, object]:
    """Setting -> value."""
    return {one.name: one.value for one in said.advice}


def value(name: str, facts: Facts, **given: dict[str, object]) -> object:
    """What is advised for one setting, None if nothing is."""
    return values(advised(facts, given)).get(name)


def reason(name: str, facts: Facts, **given: dict[str, object]) -> str:
    """Why a setting is advised."""
    return next(one.reason for one in advised(facts, given).advice if one.name == name)
