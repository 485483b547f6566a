"""From gradients to weights: parameter groups, optimiser, learning rate, clipping, weight average."""

from __future__ import annotations

import copy
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grads_with_norm_, get_total_norm
from torch.optim import SGD, Adam, AdamW, Optimizer

from actionformer.core import ranks
from actionformer.nn.weight_rules import WeightRule, maps_decay
from actionformer.training.settings import TrainingSettings


def parameter_groups(
    model: nn.Module, weight_decay: float, rule: Callable[[str, nn.Parameter], WeightRule] = maps_decay
) -> list[dict[str, Any]]:
    """Trainable parameters, those of one rule together: first those that decay most, of these first the fastest."""
    groups: dict[WeightRule, list[nn.Parameter]] = defaultdict(list)
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            groups[rule(name, parameter)].append(parameter)
    return [
        {
            "params": groups[one],
            "weight_decay": weight_decay * one.decay_factor,
            "rate_factor": one.rate_factor,
        }
        for one in sorted(groups, reverse=True)
    ]


def build_optimizer(
    settings: TrainingSettings, model: nn.Module, rule: Callable[[str, nn.Parameter], WeightRule] = maps_decay
) -> Optimizer:
    """AdamW (Loshchilov and Hutter, ICLR 2019), Adam, both with betas 0.9 and 0.999, or SGD with momentum 0.9.

    The step is torch's default, as published: a fused one rounds otherwise, and steps of Adam on gradients
    near 0 amplify the last digit.

    Args:
        settings: which optimiser, rate and weight decay.
        model: whose weights are trained.
        rule: of each weight by its name, how much it decays and how fast it learns.
    """
    groups = parameter_groups(model, settings.weight_decay, rule)
    if settings.optimizer == "sgd":
        return SGD(groups, lr=settings.learning_rate, momentum=0.9)
    kind: type[Adam] = {"adamw": AdamW, "adam": Adam}[settings.optimizer]
    return kind(groups, lr=settings.learning_rate, betas=(0.9, 0.999), eps=1e-8)


def scheduled_rate(step: int, settings: TrainingSettings, steps_per_epoch: int) -> float:
    """Rate of step 0, 1, ...: a line from 0 up to the peak over the warm-up, then as `settings.schedule` says.

    Weights with a rate factor learn at that many times this rate.
    """
    base, warmup_steps = settings.learning_rate, settings.warmup_epochs * steps_per_epoch
    if settings.schedule == "step":
        epoch = step // steps_per_epoch - settings.warmup_epochs
        dropped = base * settings.drop_factor ** sum(epoch >= drop for drop in settings.drop_epochs)
        return warming_rate(step, base, warmup_steps) if step < warmup_steps else dropped
    total_steps = settings.all_epochs * steps_per_epoch
    return learning_rate(
        step, base=base, warmup_steps=warmup_steps, total_steps=total_steps, lowest=settings.lowest_rate
    )


def warming_rate(step: int, base: float, warmup_steps: int) -> float:
    """Rate of step i of a warm-up: `base * i / (warmup_steps - 1)`. A warm-up of a single step is at rate 0."""
    return base * step / max(warmup_steps - 1, 1)


def learning_rate(step: int, *, base: float, warmup_steps: int, total_steps: int, lowest: float = 1e-8) -> float:
    """Rate of step 0, 1, ..., total_steps - 1: a line from 0 up to `base`, then half a cosine down to `lowest`.

    With W = `warmup_steps` and N = `total_steps`, warm-up included, as published:
    `base * i / (W - 1)` for i < W, then `lowest + (base - lowest) * (1 + cos(pi (i - W) / (N - W))) / 2`.
    Steps from N on stay at the lowest rate.
    """
    if step < warmup_steps:
        return warming_rate(step, base, warmup_steps)
    progress = min((step - warmup_steps) / max(total_steps - warmup_steps, 1), 1.0)
    return lowest + (base - lowest) * (1 + math.cos(math.pi * progress)) / 2


def set_learning_rate(optimizer: Optimizer, rate: float) -> None:
    """Use `rate` for all groups from the next step on, each times its factor."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group.get("rate_factor", 1.0)  # states written before there were factors have none


def add_up_gradients(parameters: Iterable[nn.Parameter], figures: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Replaces all gradients by their sum over the processes that share a step; alone nothing is done.

    A weight that has a gradient in no process keeps none, as the optimiser leaves such weights as they are.

    Args:
        parameters: the same of all processes.
        figures: scalars, of the same names in all processes.

    Returns:
        The figures, added up likewise.
    """
    if ranks.count() == 1:
        return dict(figures)
    weights = list(parameters)
    there = weights[0].new_tensor([weight.grad is not None for weight in weights])
    gradients = [torch.zeros_like(weight) if weight.grad is None else weight.grad for weight in weights]
    every = torch.cat([one.detach().flatten() for one in (there, *figures.values(), *gradients)])
    ranks.add_up(every)
    flags, sums, rest = every.split([len(weights), len(figures), len(every) - len(weights) - len(figures)])
    summed = rest.split([weight.numel() for weight in weights])
    for weight, flag, gradient in zip(weights, flags.tolist(), summed, strict=True):
        weight.grad = gradient.view_as(weight) if flag else None
    return dict(zip(figures, sums, strict=True))


def clip_gradients(parameters: Iterable[nn.Parameter], largest: float) -> Tensor:
    """Scale all gradients together down to an L2 norm of `largest`; 0 leaves them as they are.

    Returns:
        The norm before, a scalar.
    """
    parameters = [parameter for parameter in parameters if parameter.grad is not None]
    norm = get_total_norm([parameter.grad for parameter in parameters if parameter.grad is not None])
    if largest > 0:
        clip_grads_with_norm_(parameters, largest, norm)
    return norm


class WeightAverage:
    """Exponential moving average of a model's weights, from a copy of the initial ones on; `model` holds it.

    After every step `average <- d * average + (1 - d) * weights` with d = `decay`. With warm-up,
    d = min(decay, (1 + step) / (10 + step)), so that the average of a short run is not mostly its initial
    weights. Buffers are copied.

    Args:
        model: whose weights are averaged.
        decay: d.
        warmup: see above.
        updates: names of weights that are counted in more than once per step, and how often.

    Attributes:
        model: a copy of the model with the averaged weights, in evaluation mode and without gradients.
        step: updates made.
    """

    def __init__(
        self, model: nn.Module, decay: float, warmup: bool, *, updates: Mapping[str, int] | None = None
    ) -> None:
        self.model = copy.deepcopy(model).eval().requires_grad_(False)
        self.decay = decay
        self.warmup = warmup
        self.updates = dict(updates or {})
        self.step = 0

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Count in the weights of `model` after a step."""
        decay = min(self.decay, (1 + self.step) / (10 + self.step)) if self.warmup else self.decay
        averages, weights = dict(self.model.named_parameters()), dict(model.named_parameters())
        for done in range(max(self.updates.values(), default=1)):
            names = [name for name in averages if self.updates.get(name, 1) > done]
            due: list[Tensor] = [averages[name] for name in names]
            torch._foreach_mul_(due, decay)  # rounded twice, as published; a lerp drifts from it
            torch._foreach_add_(due, [weights[name] for name in names], alpha=1 - decay)
        for average, buffer in zip(self.model.buffers(), model.buffers(), strict=True):
            average.copy_(buffer)
        self.step += 1

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run needs."""
        return {"step": self.step, "weights": self.model.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from `state_dict`."""
        self.step = int(state["step"])
        self.model.load_state_dict(state["weights"])
