"""From gradients to weights: parameter groups, optimiser, learning rate, clipping, weight average."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grads_with_norm_, get_total_norm
from torch.optim import Adam, AdamW, Optimizer

from actionformer.training.settings import TrainingSettings


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Trainable parameters in two groups: weights of linear maps and convolutions decay, nothing else does.

    Such a weight is called `weight` and has two dimensions or more. Biases, norms, scales, the relative
    position bias and the position table do not decay.
    """
    decayed: list[nn.Parameter] = []
    others: list[nn.Parameter] = []
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            is_map = name.rpartition(".")[2] == "weight" and parameter.ndim >= 2
            (decayed if is_map else others).append(parameter)
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]


def build_optimizer(settings: TrainingSettings, model: nn.Module) -> Optimizer:
    """AdamW (Loshchilov and Hutter, ICLR 2019) or Adam, betas 0.9 and 0.999, over the groups of `model`.

    The step is torch's default, as published: a fused one rounds otherwise, and steps of Adam on gradients
    near 0 amplify the last digit.
    """
    kind: type[Adam] = {"adamw": AdamW, "adam": Adam}[settings.optimizer]
    groups = parameter_groups(model, settings.weight_decay)
    return kind(groups, lr=settings.learning_rate, betas=(0.9, 0.999), eps=1e-8)


def learning_rate(step: int, *, base: float, warmup_steps: int, total_steps: int, lowest: float = 1e-8) -> float:
    """Rate of step 0, 1, ..., total_steps - 1: a line from 0 up to `base`, then half a cosine down to `lowest`.

    With W = `warmup_steps` and N = `total_steps`, warm-up included, as published:
    `base * i / (W - 1)` for i < W, then `lowest + (base - lowest) * (1 + cos(pi (i - W) / (N - W))) / 2`.
    A warm-up of a single step is at rate 0; steps from N on stay at the lowest rate.
    """
    if step < warmup_steps:
        return base * step / max(warmup_steps - 1, 1)
    progress = min((step - warmup_steps) / max(total_steps - warmup_steps, 1), 1.0)
    return lowest + (base - lowest) * (1 + math.cos(math.pi * progress)) / 2


def set_learning_rate(optimizer: Optimizer, rate: float) -> None:
    """Use `rate` for all groups from the next step on."""
    for group in optimizer.param_groups:
        group["lr"] = rate


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
