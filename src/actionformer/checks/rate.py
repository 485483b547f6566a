"""Learning rates at which nothing is learned: Adam changes a weight by about the rate in a step, at most."""

from __future__ import annotations

from actionformer.checks.findings import Finding
from actionformer.core.words import plural
from actionformer.settings.config import Config

LEAST_WAY = 1e-5
"""How far a weight may come in a whole run where hardly anything is learned; at first weights are some hundredths."""


def check_rate(config: Config, steps: int) -> list[Finding]:
    """Whether the peak rate is absurd for a network of this width, in a run of so many steps.

    Weights of a layer of n inputs are drawn up to 1 / sqrt(n): a single step at a higher rate leaves nothing of them.
    The rate of a run is half its peak on average.
    """
    rate = config.training.learning_rate
    largest = config.model.layer_inputs**-0.5
    way = 0.5 * rate * steps
    if rate > largest:
        what = f"a step changes a weight by about the rate, more than weights are at first (at most {largest:.2g})"
        advice = "presets have 0.0001 to 0.001"
    elif way < LEAST_WAY:
        what = f"in all {plural(steps, 'step')} together no weight changes by more than about {way:.2g}"
        advice = "presets have 0.0001 to 0.001: nothing will be learned"
    else:
        return []
    return [Finding("rate", "warning", 0, 0, f"training.learning_rate is {rate:g}: {what}", "", advice)]
