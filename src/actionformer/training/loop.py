"""The training loop: batches in, weights and metrics out, resumable at every epoch."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from itertools import islice
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from actionformer.core import ranks
from actionformer.core.errors import InputError, reason_of, warn
from actionformer.core.run_files import METRICS
from actionformer.data.augmentation import Augmentation
from actionformer.data.dataset import Batch, EpochLoader
from actionformer.detectors.base import architecture_of
from actionformer.nn.assignment import GroundTruth
from actionformer.nn.extremes import EXTREME, Largest, largest_of
from actionformer.nn.network import Network
from actionformer.nn.whole_batch import in_whole_batch, rows_of_batch
from actionformer.settings.config import Config
from actionformer.training.optimisation import (
    WeightAverage,
    add_up_gradients,
    build_optimizer,
    clip_gradients,
    scheduled_rate,
    set_learning_rate,
)

Metrics = dict[str, float]
PART = "_loss"
"""What the names of the loss's parts end with among the metrics: no other figure's name does."""


class Observer(Protocol):
    """Who is told how training goes."""

    def step(self, step: int, metrics: Metrics) -> None:
        """A step is done."""

    def epoch(self, epoch: int, metrics: Metrics) -> None:
        """An epoch is done; evaluation's figures are among its metrics where there was one."""

    def saved(self, epoch: int, metrics: Metrics) -> None:
        """An epoch is saved: who ends the training now loses nothing of it."""


class Trainer:
    """A model in training: everything that changes from step to step, and how.

    Augmentation, dropout and drop path of a step are drawn from the seed and the number of the step, so the state needs
    no generator's: what `state_dict` holds is all that a resumed run must know.

    Where several processes share the batches of a step, each has a trainer with the same weights: it adds up the
    gradients of all, so that the step is the one that a process alone would make, but for rounding.
    """

    def __init__(self, model: Network, config: Config, *, steps_per_epoch: int, device: str = "cpu") -> None:
        settings = config.training
        self.model = model.to(device).train()
        self.config = config
        self.settings = settings
        self.device = torch.device(device)
        self.architecture = architecture = architecture_of(config)
        if ranks.count() > 1 and (reason := architecture.undivided()):
            raise InputError(f"{reason}: train in one process, without torchrun")
        self.optimizer = build_optimizer(settings, model, architecture.weight_rule)
        self.criterion = architecture.criterion()
        self.average = WeightAverage(
            model, settings.average_decay, settings.average_warmup, updates=architecture.average_updates()
        )
        self.augmentation = Augmentation(config.data, model.normalizer.mean, model.normalizer.deviation)
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=settings.precision == "float16")
        self.steps_per_epoch = steps_per_epoch
        self.total_steps = settings.all_epochs * steps_per_epoch
        self.steps = 0
        self.skipped, self.told = 0, False  # steps that were left out just before this one; whether that was said

    @property
    def evaluated(self) -> Network:
        """The model to evaluate and keep: the weight average, or the last weights where its decay is 0."""
        if self.settings.average_decay == 0:
            return self.model
        assert isinstance(self.average.model, Network)
        return self.average.model

    def step(self, batches: list[Batch]) -> Metrics:
        """One step of the optimiser on the gradients of all `batches` together."""
        torch.manual_seed(self.settings.seed * 1_000_003 + self.steps)
        rate = scheduled_rate(self.steps, self.settings, self.steps_per_epoch)
        set_learning_rate(self.optimizer, rate)
        truths = [self.architecture.drawn(truth) for batch in batches for truth in truths_of(batch)]
        losses = list(zip(truths, self.criterion.losses(truths, self.device), strict=True))
        self.optimizer.zero_grad(set_to_none=True)
        sums: dict[str, Tensor] = {}
        for batch in batches:
            of_batch, losses = losses[: len(batch.share.parts)], losses[len(batch.share.parts) :]
            for name, part in self._backward(batch, *of_batch[batch.share.own]).items():
                sums[name] = sums[name] + part if name in sums else part
        sums = add_up_gradients(self.model.parameters(), sums)
        self.scaler.unscale_(self.optimizer)
        norm = clip_gradients(self.model.parameters(), self.settings.gradient_clip)
        *parts, norm_before = torch.stack((*sums.values(), norm)).tolist()  # waits for the device
        if math.isfinite(norm_before):
            self.scaler.step(self.optimizer)
            self.average.update(self.model)
            self.skipped = 0
        else:
            self._skip(norm_before, batches)
        self.scaler.update()
        self.steps += 1
        return {
            **dict(zip(sums, parts, strict=True)),
            "gradient_norm": norm_before,
            "learning_rate": rate,
            **self.criterion.figures(),
        }

    def _skip(self, norm: float, batches: list[Batch]) -> None:
        """Leaves out a step whose gradient is no number, unless a feature is to blame, or too many were so in a row.

        In float16 that is usual: a gradient overflows, and its scale is halved; from 1 down that is no help.
        """
        if self.scaler.is_enabled() and self.scaler.get_scale() > 1:
            return
        extreme, most = self._extreme(batches), self.settings.max_skipped_steps
        what = f"the gradient of step {self.steps} is {norm}"
        if extreme or self.skipped >= most:
            advice = extreme or "lower training.learning_rate or look for extreme feature values"
            raise InputError(f"training diverged: {what}; {advice}")
        self.skipped += 1
        if not self.told:
            warn(f"{what}: such steps are left out, and counted in {METRICS}; {most + 1} in a row end the training")
        self.told = True

    def _extreme(self, batches: list[Batch]) -> str | None:
        """What is said of the largest feature of a step, if it is to blame."""
        own = [
            (largest_of(features[:length].numpy(), self.model, first), video)
            for batch in batches
            for features, length, (video, first) in zip(
                batch.features, batch.of_rows(batch.lengths), batch.of_rows(batch.origins), strict=False
            )
        ]
        largest = [one for of_process in ranks.gathered(own) for one in of_process]
        found, video = max(largest, default=(Largest(0.0, 0, 0.0), ""))
        if found.deviations <= EXTREME or not video:
            return None
        return f"row {found.row} of video {video!r} has the value {found.value:g}: extract its features again"

    def _backward(
        self, batch: Batch, truth: GroundTruth, loss: Callable[[Any], Mapping[str, Tensor]]
    ) -> dict[str, Tensor]:
        """Adds the gradients of this process's part of a batch; returns the parts of its loss and their sum."""
        features, valid = batch.features.to(self.device, non_blocking=True), batch.valid
        if valid is not None:
            valid = valid.to(self.device, non_blocking=True)
        with rows_of_batch(batch.share.rows, len(batch.lengths)):
            if self.augmentation.draws:
                features = in_whole_batch(self.augmentation, features)
            with self._precision():
                outputs = self.architecture.outputs_of(self.model, features, valid, truth.proposals)
        parts = {f"{name}{PART}": part * batch.share.counts for name, part in loss(outputs).items()}
        total = torch.stack(list(parts.values())).sum()
        self.scaler.scale(total).backward()
        return {name: part.detach() for name, part in {**parts, "loss": total}.items()}

    def _precision(self) -> Any:
        if self.settings.precision == "float32":
            return nullcontext()
        return torch.autocast(self.device.type, dtype=getattr(torch, self.settings.precision))

    def state_dict(self) -> dict[str, Any]:
        """Everything that a resumed run needs, in tensors and plain numbers."""
        return {
            "steps": self.steps,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": self.average.state_dict(),
            "criterion": self.criterion.state_dict(),
            "scaler": self.scaler.state_dict(),
            "skipped": self.skipped,
        }

    def load_state_dict(self, state: dict[str, Any], *, epochs: int | None = None) -> None:
        """Continue from `state_dict`.

        Args:
            state: of a trainer of the same network and settings.
            epochs: after which it was written, if that is known.

        Raises:
            InputError: it is of another one.
        """
        try:
            self.steps = int(state["steps"])
            self.model.load_state_dict(state["model"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.average.load_state_dict(state["average"])
            self.criterion.load_state_dict(state["criterion"] if "criterion" in state else state["normalizer"])
            self.scaler.load_state_dict(state["scaler"])
            self.skipped = int(state.get("skipped", 0))
        except (LookupError, TypeError, ValueError, AttributeError, RuntimeError) as error:
            raise InputError(f"belongs to another training run ({reason_of(error)})") from error
        whole = state["steps"] if epochs is None else epochs * self.total_steps // self.settings.all_epochs
        if not 0 <= self.steps == whole <= self.total_steps or not self._is_plain():
            raise InputError(f"belongs to another training run (step {self.steps} of {self.total_steps})")

    def _is_plain(self) -> bool:
        """Whether what was loaded is numbers of the right shapes, which the optimiser does not look at itself."""
        moments = [
            (parameter, value)
            for parameter, values in self.optimizer.state.items()
            for name, value in values.items()
            if name != "step"
        ]
        fitting = all(isinstance(value, Tensor) and value.shape == parameter.shape for parameter, value in moments)
        loaded = [*self.model.state_dict().values(), *self.average.model.state_dict().values()]
        return fitting and all(bool(torch.isfinite(one).all()) for one in (*loaded, *(value for _, value in moments)))


def truths_of(batch: Batch) -> list[GroundTruth]:
    """The actions of each part of a batch, of whichever process, and the proposals that a second stage judges."""
    length = batch.features.shape[1]
    parts = [slice(rows.start, rows.stop) for rows in batch.share.parts]
    return [
        GroundTruth(batch.segments[own], batch.labels[own], batch.lengths[own], length, batch.proposals[own])
        for own in parts
    ]


def steps_per_epoch(loader: EpochLoader, accumulate: int) -> int:
    """Steps of the optimiser in an epoch; the last may see fewer batches."""
    return -(-loader.batches_per_epoch // accumulate)


def fit(
    trainer: Trainer,
    loader: EpochLoader,
    *,
    first_epoch: int,
    observer: Observer | None,
    evaluate: Callable[[nn.Module], Metrics] | None,
    save: Callable[[int, Metrics], None] | None,
) -> None:
    """Trains from `first_epoch` to the end.

    Args:
        trainer: the model in training, its state that of the end of the epoch before.
        loader: the batches of each epoch.
        first_epoch: counted from 0, warm-up included.
        observer: is told of every step and epoch, and when that is saved; None where another process has one.
        evaluate: figures of the model as it would be kept; called every `evaluate_every` epochs and at the end.
        save: called after each epoch with its number and metrics; None where another process saves.
    """
    settings = trainer.settings
    epochs = settings.all_epochs
    for epoch in range(first_epoch, epochs):
        started = time.perf_counter()
        trainer.model.train()  # evaluation of the last weights leaves them in eval mode
        rows = []
        for batches in _groups(loader.epoch(epoch, trainer.device), settings.accumulate):
            rows.append(trainer.step(batches))
            if observer is not None:
                observer.step(trainer.steps, rows[-1])
        metrics = mean_of_taken(rows)
        metrics["seconds"] = time.perf_counter() - started
        last = epoch + 1 == epochs
        due = settings.evaluate_every > 0 and (epoch + 1) % settings.evaluate_every == 0
        if evaluate is not None and (last or due):
            metrics |= evaluate(trainer.evaluated)
        if observer is not None:
            observer.epoch(epoch, metrics)
        if save is not None:
            save(epoch, metrics)
        if observer is not None:
            observer.saved(epoch, metrics)


def mean_of_taken(rows: Sequence[Metrics]) -> Metrics:
    """The mean of each figure over steps, those left out aside; `skipped_steps` is how many these are, if any."""
    taken = [row for row in rows if math.isfinite(row["gradient_norm"])]
    skipped = {"skipped_steps": float(len(rows) - len(taken))} if len(taken) < len(rows) else {}
    meant = taken or rows
    return {key: sum(row[key] for row in meant) / len(meant) for key in rows[0]} | skipped


def _groups(batches: Iterator[Batch], size: int) -> Iterator[list[Batch]]:
    while group := list(islice(batches, size)):
        yield group
