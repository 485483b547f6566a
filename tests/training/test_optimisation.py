import copy
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from actionformer.nn.weight_rules import WeightRule
from actionformer.training.optimisation import (
    WeightAverage,
    build_optimizer,
    clip_gradients,
    learning_rate,
    parameter_groups,
    scheduled_rate,
    set_learning_rate,
)
from actionformer.training.settings import TrainingSettings


class Network(nn.Module):
    """One parameter of every kind that the real network has, and a buffer."""

    mean: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(4, 4, 3, padding=1)
        self.norm = nn.LayerNorm(4)
        self.linear = nn.Linear(4, 2)
        self.scale = nn.Parameter(torch.ones(()))
        self.relative_bias = nn.Parameter(torch.zeros(2, 5))
        self.table = nn.Parameter(torch.zeros(8, 4))
        self.register_buffer("mean", torch.zeros(4))

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.conv((x - self.mean).mT).mT + self.table)
        scores: Tensor = self.linear(x) * self.scale + self.relative_bias.sum()
        return scores


def make(seed: int = 0) -> Network:
    torch.manual_seed(seed)
    return Network()


def step(model: Network, optimizer: torch.optim.Optimizer, seed: int) -> None:
    features = torch.randn(2, 8, 4, generator=torch.Generator().manual_seed(seed))
    optimizer.zero_grad()
    model(features).square().sum().backward()
    optimizer.step()


def same(first: nn.Module, second: nn.Module) -> bool:
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    return all(torch.equal(one, other) for one, other in pairs)


def test_only_weights_of_maps_decay() -> None:
    model = make()
    decayed, others = parameter_groups(model, 0.05)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    assert decayed["weight_decay"] == 0.05
    assert others["weight_decay"] == 0
    assert {names[id(parameter)] for parameter in decayed["params"]} == {"conv.weight", "linear.weight"}
    assert len(decayed["params"]) + len(others["params"]) == len(names)


def test_frozen_parameters_are_in_no_group() -> None:
    model = make().requires_grad_(False)
    assert parameter_groups(model, 0.05) == []


def test_a_detector_says_what_decays_and_what_learns_slowly() -> None:
    """The first step of AdamW moves each weight by its own rate against the sign, after decay by that rate."""
    model = nn.Linear(1, 1)
    nn.init.constant_(model.weight, 2.0)
    nn.init.constant_(model.bias, 2.0)

    def rule(name: str, weight: nn.Parameter) -> WeightRule:
        return WeightRule(rate_factor=0.1 if name == "weight" else 2.0)

    optimizer = build_optimizer(TrainingSettings(weight_decay=0.5), model, rule)
    set_learning_rate(optimizer, 0.1)
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([0.2, 0.01])
    model(torch.ones(1, 1)).sum().backward()
    optimizer.step()
    assert model.weight.item() == pytest.approx(2 * (1 - 0.01 * 0.5) - 0.01, abs=1e-6)
    assert model.bias.item() == pytest.approx(2 * (1 - 0.2 * 0.5) - 0.2, abs=1e-6)


def test_a_detector_says_how_much_a_weight_decays() -> None:
    def rule(name: str, weight: nn.Parameter) -> WeightRule:
        return WeightRule(decay_factor=10.0 if name == "weight" else 1.0)

    groups = parameter_groups(nn.Linear(1, 1), 0.5, rule)
    assert [(group["params"][0].shape, group["weight_decay"]) for group in groups] == [((1, 1), 5.0), ((1,), 0.5)]


def test_a_state_from_before_there_were_factors_goes_on() -> None:
    model = make()
    state = build_optimizer(TrainingSettings(), model).state_dict()
    for group in state["param_groups"]:
        del group["rate_factor"]
    optimizer = build_optimizer(TrainingSettings(), model)
    optimizer.load_state_dict(state)
    set_learning_rate(optimizer, 0.3)
    assert [group["lr"] for group in optimizer.param_groups] == [0.3, 0.3]


def test_adamw_by_hand() -> None:
    """The first step of AdamW moves by the rate against the sign: 2 (1 - 0.1 * 0.5) - 0.1 = 1.8."""
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, 2.0)
    optimizer = build_optimizer(TrainingSettings(weight_decay=0.5, learning_rate=0.1), model)
    model(torch.ones(1, 1)).sum().backward()
    optimizer.step()
    assert model.weight.item() == pytest.approx(1.8, abs=1e-6)


def test_sgd_by_hand() -> None:
    """Gradient 1 + 0.5 * 2 = 2: to 1.8. Then 1 + 0.5 * 1.8 = 1.9, plus momentum 0.9 * 2: to 1.8 - 0.37."""
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, 2.0)
    optimizer = build_optimizer(TrainingSettings(optimizer="sgd", weight_decay=0.5, learning_rate=0.1), model)
    for expected in (1.8, 1.43):
        optimizer.zero_grad()
        model(torch.ones(1, 1)).sum().backward()
        optimizer.step()
        assert model.weight.item() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("name", ["adamw", "adam", "sgd"])
def test_resumed_optimizer_is_the_same_bit_for_bit(name: str) -> None:
    chosen = TrainingSettings(optimizer=name, learning_rate=0.01)
    model = make()
    optimizer = build_optimizer(chosen, model)
    for seed in range(3):
        step(model, optimizer, seed)
    resumed = copy.deepcopy(model)
    resumed_optimizer = build_optimizer(chosen, resumed)
    resumed_optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for seed in range(3, 6):
        step(model, optimizer, seed)
        step(resumed, resumed_optimizer, seed)
    assert same(model, resumed)


def test_set_learning_rate_reaches_all_groups() -> None:
    model = make()
    optimizer = build_optimizer(TrainingSettings(), model)
    before = copy.deepcopy(model)
    set_learning_rate(optimizer, 0.0)
    step(model, optimizer, 0)
    assert [group["lr"] for group in optimizer.param_groups] == [0.0, 0.0]
    assert same(model, before)


def test_a_step_schedule_by_hand() -> None:
    """Two steps per epoch: one epoch of warm-up, two at the peak, one at a tenth, two at a hundredth."""
    chosen = TrainingSettings(schedule="step", drop_epochs=(2, 3), epochs=5, warmup_epochs=1, learning_rate=1.0)
    rates = [scheduled_rate(step, chosen, 2) for step in range(12)]
    assert rates == pytest.approx([0, 1, 1, 1, 1, 1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.01])
    assert {scheduled_rate(step, chosen.model_copy(update={"drop_epochs": ()}), 2) for step in range(2, 12)} == {1.0}


def test_drops_rise() -> None:
    for drops in ((0,), (3, 3), (5, 2), (100_001,)):
        with pytest.raises(ValueError, match="drop_epochs must rise from 1 or more"):
            TrainingSettings(drop_epochs=drops)


def test_the_settings_choose_the_cosine_unless_told_otherwise() -> None:
    chosen = TrainingSettings(epochs=3, warmup_epochs=2, learning_rate=2.0, lowest_rate=0.5)
    for step in range(20):
        plain = learning_rate(step, base=2.0, warmup_steps=8, total_steps=20, lowest=0.5)
        assert scheduled_rate(step, chosen, 4) == plain


def test_learning_rate_by_hand() -> None:
    """W = 3, N = 7: 0, 1/2, 1 of the base, then cosines of 0, 45, 90 and 135 degrees: 1, 0.85, 0.5, 0.15."""
    rates = [learning_rate(i, base=2.0, warmup_steps=3, total_steps=7) for i in range(7)]
    assert rates == pytest.approx([0, 1, 2, 2, 2 * 0.8535534, 1, 2 * 0.1464466], abs=1e-6)


def test_learning_rate_at_the_edges() -> None:
    assert learning_rate(0, base=1.0, warmup_steps=0, total_steps=4) == 1.0
    assert learning_rate(0, base=1.0, warmup_steps=1, total_steps=4) == 0.0
    assert learning_rate(1, base=1.0, warmup_steps=1, total_steps=4) == 1.0
    assert learning_rate(9, base=1.0, warmup_steps=1, total_steps=4) == 1e-8


@settings(deadline=None)
@given(warmup=st.integers(0, 30), decay=st.integers(1, 60), base=st.floats(1e-6, 1.0))
def test_learning_rate_rises_then_falls(warmup: int, decay: int, base: float) -> None:
    total = warmup + decay
    rates = [learning_rate(i, base=base, warmup_steps=warmup, total_steps=total) for i in range(total)]
    assert rates[:warmup] == sorted(rates[:warmup])
    assert rates[warmup:] == sorted(rates[warmup:], reverse=True)
    assert all(0 <= rate <= base * (1 + 1e-12) for rate in rates)
    assert rates[warmup] == pytest.approx(base)


@pytest.mark.parametrize("name", ["thumos", "anet", "ablation_conv_fpn"])
def test_learning_rate_equals_the_published_one(shared: Path, name: str) -> None:
    folder = shared / "parity" / name
    epochs = yaml.safe_load((folder / "official_config.yaml").read_text("utf-8"))["opt"]["epochs"]
    with np.load(folder / "training.npz") as arrays:
        expected, first = arrays["learning_rates_all"], arrays["learning_rates"]
        base = float(arrays["base_learning_rate"])
    steps, warmup_epochs = 4, 5
    total = (epochs + warmup_epochs) * steps
    rates = [learning_rate(i, base=base, warmup_steps=warmup_epochs * steps, total_steps=total) for i in range(total)]
    np.testing.assert_allclose(rates, expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(rates[: len(first)], first, rtol=0, atol=1e-12)


def test_clipping_by_hand() -> None:
    """Gradients 3 and 4 have norm 5; clipped to 1 they are 0.6 and 0.8. One parameter has none."""
    parameters = [nn.Parameter(torch.zeros(1)) for _ in range(3)]
    for limit, expected in [(0.0, (3.0, 4.0)), (10.0, (3.0, 4.0)), (1.0, (0.6, 0.8))]:
        parameters[0].grad, parameters[1].grad = torch.tensor([3.0]), torch.tensor([4.0])
        assert clip_gradients(parameters, limit).item() == 5.0
        found = [parameter.grad.item() for parameter in parameters if parameter.grad is not None]
        assert found == pytest.approx(expected, abs=1e-5)


def test_average_equals_plain_recursion() -> None:
    """Twin: the recursion written out on float64 copies of one weight."""
    for warmup in (False, True):
        model = make()
        average = WeightAverage(model, decay=0.9, warmup=warmup)
        optimizer = build_optimizer(TrainingSettings(learning_rate=0.1), model)
        expected = model.conv.weight.detach().double()
        for i in range(100):
            step(model, optimizer, i)
            model.mean += 1
            average.update(model)
            decay = min(0.9, (1 + i) / (10 + i)) if warmup else 0.9
            expected = decay * expected + (1 - decay) * model.conv.weight.detach().double()
        torch.testing.assert_close(average.model.conv.weight.double(), expected, rtol=0, atol=1e-6)
        assert torch.equal(average.model.get_buffer("mean"), model.mean)


def test_a_weight_that_is_counted_in_several_times_moves_by_the_decay_to_that_power() -> None:
    plain, model = make(), make()
    averages = [WeightAverage(plain, decay=0.9, warmup=False, updates=updates) for updates in (None, {"scale": 6})]
    start = model.scale.item()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1)
    for average in averages:
        average.update(model)
    once, several = (dict(average.model.named_parameters()) for average in averages)
    assert several["scale"].item() == pytest.approx(start + 1 - 0.9**6, abs=1e-6)
    assert once["scale"].item() == pytest.approx(start + 1 - 0.9, abs=1e-6)
    assert all(torch.equal(once[name], several[name]) for name in once if name != "scale")


def test_average_stands_apart_from_the_model() -> None:
    model = make()
    average = WeightAverage(model, decay=0.0, warmup=True)
    assert not average.model.training
    assert not any(parameter.requires_grad for parameter in average.model.parameters())
    step(model, build_optimizer(TrainingSettings(learning_rate=0.1), model), 0)
    assert not same(average.model, model)
    average.update(model)
    assert same(average.model, model)  # decay 0 is the last weights


def test_resumed_average_is_the_same_bit_for_bit() -> None:
    average = WeightAverage(make(), decay=0.999, warmup=True)
    for seed in range(1, 4):
        average.update(make(seed))
    resumed = WeightAverage(make(9), decay=0.999, warmup=True)
    resumed.load_state_dict(copy.deepcopy(average.state_dict()))
    for each in (average, resumed):
        each.update(make(4))
    assert resumed.step == average.step == 4
    assert same(resumed.model, average.model)
