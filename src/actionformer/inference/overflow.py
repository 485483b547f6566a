"""Where a network overflows: finite features so large that what it computes from them is no finite number.

Short of that a single value does no harm beyond its neighbours, however large: every layer has a norm, and 1e12 among
features around 1 changes scores no further away, and no more, than 100 does.
"""

from __future__ import annotations

from actionformer.core.errors import InputError
from actionformer.features import FeatureReader
from actionformer.nn.extremes import EXTREME, Largest, largest_of
from actionformer.nn.network import Network

PART = 4096  # rows looked at together


def overflow_of(features: FeatureReader, name: str, model: Network) -> InputError:
    """The error of features with which a network has overflown; names the row to blame."""
    starts = range(0, features.shape[0], PART)
    return overflow_at(max(largest_of(features[start : start + PART], model, start) for start in starts), name, model)


def overflow_at(largest: Largest, name: str, model: Network) -> InputError:
    """The error of features of which this is the largest."""
    precision = str(next(model.parameters()).dtype).removeprefix("torch.")
    if largest.deviations > EXTREME:
        return InputError(
            f"{name}: row {largest.row} has the value {largest.value:g}, with which the network overflows in "
            f"{precision}: extract the features again{_or_wider(precision)}"
        )
    return InputError(
        f"{name}: the network gives no finite numbers in {precision}, though no feature is extreme (the largest is "
        f"{largest.value:g} in row {largest.row}): its weights are unusable{_or_wider(precision)}"
    )


def _or_wider(precision: str) -> str:
    return ", or take precision float32 or bfloat16" if precision == "float16" else ""
