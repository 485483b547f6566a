"""Advice that a training ends with is of things that its detector has."""

import pytest

from actionformer.recipes.overview import _for_long
from actionformer.settings.loading import load_config


@pytest.mark.parametrize(
    ("preset", "advice"),
    [
        ("small", "take features further apart, or give the model more levels"),
        ("gtad_small", "take features further apart, or raise data.window"),
        ("bmn_activitynet_tsp", "label more of these"),
        ("muses_small", "label more of these"),
    ],
)
def test_what_is_tried_for_long_actions(preset: str, advice: str) -> None:
    assert _for_long(load_config(preset)) == advice
