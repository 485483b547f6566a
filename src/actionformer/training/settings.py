"""Settings of training."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from actionformer.settings.base import Settings


class TrainingSettings(Settings):
    """Targets, losses, optimisation and the run."""

    epochs: int = Field(30, ge=1, le=100_000)
    """Epochs after the warm-up, which comes on top."""
    warmup_epochs: int = Field(5, ge=0, le=100_000)
    """Epochs over which the rate rises linearly."""
    batch_size: int = Field(2, ge=1, le=65_536)
    """Sequences in a batch."""
    batch_by_length: bool = True
    """Let sequences of like length share a batch, so that less of the arithmetic is padding; else any do."""
    accumulate: int = Field(1, ge=1, le=65_536)
    """Batches whose gradients make one step; k batches of b equal one of k * b."""
    optimizer: Literal["adamw", "adam"] = "adamw"
    """Decoupled weight decay, or Adam's own."""
    learning_rate: float = Field(1e-4, gt=0, le=100)
    """Peak rate."""
    lowest_rate: float = Field(1e-8, ge=0, le=100)
    """Rate at the end of the cosine."""
    weight_decay: float = Field(0.05, ge=0, le=100)
    """On the weights of convolutions and linear maps only."""
    gradient_clip: float = Field(1.0, ge=0, le=1e9)
    """Largest L2 norm of all gradients together; 0 is off."""
    average_decay: float = Field(0.999, ge=0, lt=1)
    """Decay of the weight average that evaluation uses; 0 evaluates the last weights."""
    average_warmup: bool = True
    """Let the decay rise as min(average_decay, (1 + step) / (10 + step)), so that short runs average too."""
    center_sampling: bool = True
    """Only moments near an action's centre are positive."""
    center_radius: float = Field(1.5, gt=0, le=1e6)
    """How near, in strides of the level."""
    regression_weight: float = Field(1.0, ge=-1e6, le=1e6)
    """Weight of the regression loss; below 0 it is scaled to the size of the classification loss."""
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    """Share of a class target that is spread over all classes."""
    initial_normalizer: float = Field(100.0, gt=0, le=1e9)
    """Starting value of the running mean of positives that losses are divided by."""
    empty_class_prior: bool = False
    """Start classes without a training action at probability 1e-6 (EPIC-Kitchens)."""
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    """Type of the forward pass's arithmetic."""
    workers: int | None = Field(None, ge=0, le=256)
    """Threads that read batches ahead; by default none on a CPU, which computes itself, and up to 4 for a GPU."""
    evaluate_every: int = Field(5, ge=0, le=100_000)
    """Epochs between evaluations; 0 evaluates at the end only."""
    seed: int = Field(0, ge=0, lt=2**32)
    """Seed of weights, order, crops and dropout."""

    @property
    def all_epochs(self) -> int:
        """Epochs of a run, warm-up included."""
        return self.warmup_epochs + self.epochs
