"""Batches, epochs and the learning rate, from the number of sequences and the size of the network."""

from __future__ import annotations

import math

from actionformer.advice.draft import Draft
from actionformer.data.windows import window_starts

BATCHES = {100: 2, 400: 4, 2_000: 8}
"""Up to so many sequences per epoch -> sequences in a batch."""
LARGEST = 16
FEW = 100
"""Sequences among which those of like length are the same few again and again."""
STEPS = 700
"""What a small network needs until more steps give nothing; docs/accuracy.md has figures."""
FEWEST_EPOCHS, MOST_EPOCHS = 20, 500
WARMUP = 7
"""The warm-up is one epoch in so many."""
RATE = 0.128
"""Learning rate times channels: 1e-3 for 128 of them."""
HIGHEST = 2e-3
"""Learning rate."""
EVALUATIONS = 6
"""In a run."""


def add_schedule(draft: Draft) -> None:
    """Batch, epochs, warm-up, rate and evaluations."""
    sequences = _sequences(draft)
    size = next((size for most, size in BATCHES.items() if sequences <= most), LARGEST)
    draft.set("training.batch_size", size, f"{sequences:,} sequences per epoch")
    if sequences <= FEW:
        draft.set(
            "training.batch_by_length",
            False,
            "few sequences: sorted by length they meet the same neighbours again and again",
        )
    _add_epochs(draft, math.ceil(sequences / (draft["training.batch_size"] * draft["training.accumulate"])))
    _add_rate(draft)


def _sequences(draft: Draft) -> int:
    window, overlap = draft["data.window"], draft["data.train_overlap"]
    if window is None:
        return len(draft.facts.lengths)
    return sum(len(window_starts(int(length), window, overlap)) for length in draft.facts.lengths)


def _add_epochs(draft: Draft, steps: int) -> None:
    """Epochs of so many steps each; of what the user gives of them the rest is made to fit."""
    every = min(max(math.ceil(STEPS / steps), FEWEST_EPOCHS), MOST_EPOCHS)
    if draft.is_given("training.epochs"):
        every = math.ceil(draft["training.epochs"] * WARMUP / (WARMUP - 1))
    draft.set("training.warmup_epochs", max(every // WARMUP, 1), "a seventh of the run: the learning rate rises slowly")
    epochs = max(every - draft["training.warmup_epochs"], 1)
    draft.set("training.epochs", epochs, f"{steps:,} steps per epoch; with the warm-up {every * steps:,} steps")
    every = draft["training.epochs"] + draft["training.warmup_epochs"]
    draft.set("training.evaluate_every", max(round(every / EVALUATIONS), 1), f"{EVALUATIONS} evaluations in the run")


def _add_rate(draft: Draft) -> None:
    if draft.has("model.width"):
        reason = f"{RATE:g} / channels, at most {HIGHEST:g}: wider networks learn in smaller steps"
        draft.set("training.learning_rate", min(RATE / draft["model.width"], HIGHEST), reason)
