"""Settings of training."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

from pydantic import Field, field_validator

from actionformer.settings.base import Settings, check_short


class TrainingSettings(Settings):
    """Targets, losses, optimisation and the run."""

    epochs: int = Field(30, ge=1, le=100_000)
    """Epochs after the warm-up; a run has warmup_epochs more."""
    warmup_epochs: int = Field(5, ge=0, le=100_000)
    """Epochs over which the learning rate rises linearly."""
    batch_size: int = Field(2, ge=1, le=65_536)
    """Sequences in a batch, which processes that torchrun has started share."""
    batch_by_length: bool = True
    """Put sequences of similar length into one batch, which needs less padding; otherwise batches are random."""
    repeat_rare: float = Field(0.0, ge=0, le=1)
    """Share t of videos (or windows): those with a class that a share f below t has come sqrt(t / f) times an epoch."""
    accumulate: int = Field(1, ge=1, le=65_536)
    """Batches whose gradients are accumulated for one step; k batches of b equal one batch of k * b."""
    optimizer: Literal["adamw", "adam", "sgd"] = "adamw"
    """AdamW (decoupled weight decay), Adam or SGD with momentum 0.9 (both with weight decay in the gradient)."""
    learning_rate: float = Field(1e-4, gt=0, le=100)
    """Peak learning rate."""
    schedule: Literal["cosine", "step"] = "cosine"
    """How the rate falls after the warm-up: half a cosine down to lowest_rate, or by drop_factor after drop_epochs."""
    drop_epochs: tuple[int, ...] = ()
    """Numbers of epochs, warm-up not counted, after which a step schedule multiplies the rate by drop_factor."""
    drop_factor: float = Field(0.1, gt=0, le=1)
    """What a step schedule multiplies the rate by."""
    lowest_rate: float = Field(1e-8, ge=0, le=100)
    """Learning rate at the end of the cosine schedule."""
    weight_decay: float = Field(0.05, ge=0, le=100)
    """Weight decay of convolutions and linear layers, and of no other weights unless the detector says so."""
    gradient_clip: float = Field(1.0, ge=0, le=1e9)
    """Largest L2 norm of all gradients together; 0 is off."""
    max_skipped_steps: int = Field(5, ge=0, le=100_000)
    """Steps in a row that are left out because their gradient is no finite number; one more ends the training."""
    average_decay: float = Field(0.999, ge=0, lt=1)
    """Decay of the weight average that evaluation uses; 0 evaluates the last weights."""
    average_warmup: bool = True
    """Let the decay rise as min(average_decay, (1 + step) / (10 + step)), so that short runs average too."""
    center_sampling: bool = True
    """Only moments near an action's centre are positive."""
    center_radius: float = Field(1.5, gt=0, le=1e6)
    """Distance from the centre up to which center_sampling counts a moment as positive, in strides of the level."""
    regression_weight: float = Field(1.0, ge=-1e6, le=1e6)
    """Weight of the regression loss; below 0, that loss is scaled to the size of the classification loss."""
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    """Share of every class target that is spread over all classes."""
    initial_normalizer: float = Field(100.0, gt=0, le=1e9)
    """Initial value of the running mean of positive moments by which the losses are divided."""
    empty_class_prior: bool = False
    """Initialise classes without any training action at probability 1e-6 (EPIC-Kitchens)."""
    classifier: bool = False
    """Of model.num_classes 1: train a classifier of whole videos too, which gives what is found its classes."""
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    """Number format of the forward pass."""
    workers: int | None = Field(None, ge=0, le=256)
    """Threads that read batches ahead; by default none on a CPU and up to 4 for a GPU."""
    evaluate_every: int = Field(5, ge=0, le=100_000)
    """Epochs between evaluations; 0 evaluates only at the end."""
    seed: int = Field(0, ge=0, lt=2**32)
    """Seed of weights, order, crops and dropout."""

    @field_validator("drop_epochs")
    @classmethod
    def _rising(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        check_short("drop_epochs", value)
        if any(later <= earlier for earlier, later in pairwise((0, *value))) or max(value, default=0) > 100_000:
            raise ValueError("drop_epochs must rise from 1 or more up to 100,000 at most, e.g. 14 or 5 and 10")
        return value

    @property
    def all_epochs(self) -> int:
        """Epochs of a run, warm-up included."""
        return self.warmup_epochs + self.epochs
