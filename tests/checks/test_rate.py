"""Rates at which nothing is learned are warned of, those of presets are not."""

import pytest

from actionformer.checks.rate import check_rate
from actionformer.settings.config import Config
from actionformer.settings.loading import load_config, preset_names


@pytest.mark.parametrize(("width", "rate", "absurd"), [(512, 0.03, True), (128, 0.03, False), (128, 0.06, True)])
def test_rates_that_leave_nothing_of_a_weight(width: int, rate: float, absurd: bool) -> None:
    config = Config().replace(model={"width": width}, training={"learning_rate": rate})
    found = [str(finding) for finding in check_rate(config, 1000)]
    assert [text.startswith(f"training.learning_rate is {rate:g}: a step changes a weight by") for text in found] == [
        True
    ] * absurd


def test_rates_that_change_nothing() -> None:
    config = Config().replace(training={"learning_rate": 1e-9})
    (finding,) = check_rate(config, 1000)
    assert "in all 1,000 steps together no weight changes by more than about 5e-07" in str(finding)
    assert check_rate(config, 10**9) == []


@pytest.mark.parametrize("preset", preset_names())
def test_presets(preset: str) -> None:
    config = load_config(preset)
    assert check_rate(config, config.training.all_epochs) == []  # a step an epoch
