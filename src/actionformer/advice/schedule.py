"""Batches, rare classes, epochs and the learning rate, from the number of sequences and the size of the network."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from actionformer.advice.draft import Draft
from actionformer.core.words import plural
from actionformer.data.rarity import class_shares, repeat_factors, worth_repeating

BATCHES = {100: 2, 400: 4, 2_000: 8}
"""Up to so many sequences per epoch -> sequences in a batch."""
LARGEST = 16
FEW = 100
"""Sequences among which those of like length are the same few again and again."""
STEPS = 700
"""What a small network needs until more steps give nothing; docs/accuracy.md has figures."""
FEWEST_EPOCHS, OF_MANY = {100: 20, 2_000: 30}, 15
"""Up to so many sequences -> epochs, and those of more; published models have about as many for so many videos."""
OF_A_MAP = 12
"""Epochs where all segments of a sequence are scored, thousands in each: published models have 8 to 10."""
MOST_EPOCHS = 500
WARMUP = 7
"""The warm-up is one epoch in so many."""
RATE = 0.128
"""Learning rate times channels: 1e-3 for 128 of them."""
HIGHEST = 2e-3
"""Learning rate."""
EVALUATIONS = 6
"""In a run."""


def add_schedule(draft: Draft) -> None:
    """Batch, repeats, epochs, warm-up, rate and evaluations."""
    labels = draft.sequences
    sequences = len(labels)
    size = _up_to(BATCHES, sequences, LARGEST)
    draft.set("training.batch_size", size, f"{plural(sequences, 'sequence')} per epoch")
    if sequences <= FEW:
        draft.set(
            "training.batch_by_length",
            False,
            "few sequences: sorted by length they meet the same neighbours again and again",
        )
    _add_repeats(draft, labels)
    repeated = repeat_factors(labels, draft["training.repeat_rare"]).sum()
    _add_epochs(draft, max(round(float(repeated)), 1))  # where there is no sequence, training says why
    _add_rate(draft)


def _up_to(table: Mapping[int, int], count: int, beyond: int) -> int:
    """The value of the first row that reaches a count."""
    return next((value for most, value in table.items() if count <= most), beyond)


def _add_repeats(draft: Draft, labels: Sequence[NDArray[np.int64]]) -> None:
    """Rare classes come more often where they would hardly be learned."""
    threshold = worth_repeating(labels)
    if threshold:
        share = min(class_shares(labels).values())
        reason = f"the rarest class is in {share:.1%} of the sequences: such sequences come more often in an epoch"
        draft.set("training.repeat_rare", threshold, reason)


def _add_epochs(draft: Draft, sequences: int) -> None:
    """Enough epochs for so many steps; of what the user gives of them the rest is made to fit."""
    steps = math.ceil(sequences / (draft["training.batch_size"] * draft["training.accumulate"]))
    fewest = OF_A_MAP if draft.scores_all_segments else _up_to(FEWEST_EPOCHS, sequences, OF_MANY)
    total = min(max(math.ceil(STEPS / steps), fewest), MOST_EPOCHS)
    if draft.is_given("training.epochs"):
        total = math.ceil(draft["training.epochs"] * WARMUP / (WARMUP - 1))
    share = "a seventh of the run" if total >= WARMUP else "one epoch"
    draft.set("training.warmup_epochs", max(total // WARMUP, 1), f"{share}: the learning rate rises slowly")
    epochs = max(total - draft["training.warmup_epochs"], 1)
    draft.set("training.epochs", epochs, f"{plural(steps, 'step')} per epoch; with the warm-up {total * steps:,} steps")
    total = draft["training.epochs"] + draft["training.warmup_epochs"]
    every = max(round(total / EVALUATIONS), 1)
    draft.set("training.evaluate_every", every, f"{plural(math.ceil(total / every), 'evaluation')} in the run")


def _add_rate(draft: Draft) -> None:
    if draft.has("model.width"):
        reason = f"{RATE:g} / channels, at most {HIGHEST:g}: wider networks learn in smaller steps"
        draft.set("training.learning_rate", min(RATE / draft["model.width"], HIGHEST), reason)
