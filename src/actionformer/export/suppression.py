"""Suppression inside a graph: what `actionformer.suppress` does, candidate by candidate, as a loop over tensors."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch._higher_order_ops.while_loop import while_loop

from actionformer.export.ranking import NONE, Ranked
from actionformer.inference.settings import SuppressionSettings
from actionformer.inference.suppression import LENGTH_MARGIN, TINY

MARGIN = float(LENGTH_MARGIN)


def suppressed(found: Ranked, lengths: Tensor, most: Tensor, slots: int, settings: SuppressionSettings) -> Ranked:
    """What suppression keeps, best first; where a sequence has less than others, the last scores are 0.

    Args:
        found: candidates of B sequences, in grid steps.
        lengths: (B,) features of each sequence.
        most: (B,) how many are kept of each.
        slots: at least the largest of `most`.
        settings: without voting.
    """
    labels, (start, end) = found.labels, found.segments.unbind(-1)
    spread = end - start + MARGIN
    position = torch.arange(labels.shape[1], device=labels.device)
    slot = torch.arange(slots, device=labels.device)
    soft_from = (settings.soft_from_width / lengths.float())[:, None]
    least = float(TINY) if settings.method == "none" else max(settings.min_score, float(TINY))
    scores = found.scores
    if settings.method == "hard":
        scores = torch.where(scores > settings.min_score, scores, NONE)

    def worth(step: Tensor, best: Tensor) -> Tensor:
        """(B, 1) whether the best candidate of each sequence is kept."""
        return (best >= least) & (step < most[:, None])

    def goes_on(step: Tensor, scores: Tensor, kept: Tensor, index: Tensor) -> Tensor:
        return worth(step, scores.amax(1, keepdim=True)).any()

    def pick(step: Tensor, scores: Tensor, kept: Tensor, index: Tensor) -> tuple[Tensor, ...]:
        best = scores.amax(1, keepdim=True)
        tied = scores == best
        if settings.per_class or settings.method == "none":
            tied = tied & (labels == torch.where(tied, labels, torch.iinfo(torch.int64).max).amin(1, keepdim=True))
        tied = tied & (start == torch.where(tied, start, math.inf).amin(1, keepdim=True))
        chosen = torch.where(tied, position, position.shape[0]).amin(1, keepdim=True)  # (B, 1)
        lowered = torch.where(position == chosen, NONE, lower(scores, chosen))
        counts = worth(step, best)
        here = (slot == step) & counts
        return (
            step + 1,
            torch.where(counts, lowered, scores),
            torch.where(here, best, kept),
            torch.where(here, chosen, index),
        )

    def lower(scores: Tensor, chosen: Tensor) -> Tensor:
        """(B, N) the scores after those that overlap the chosen ones (B, 1) have lost some."""
        if settings.method == "none":
            return scores
        begins, ends = start.gather(1, chosen), end.gather(1, chosen)
        shared = (torch.minimum(end, ends) - torch.maximum(start, begins)).clamp(min=0)
        tiou = shared / (spread - shared + (ends - begins + MARGIN))
        if settings.method == "hard":
            gone = tiou >= settings.tiou_threshold
            return torch.where(gone & rivals(chosen), NONE, scores)
        if settings.soft_from or settings.soft_from_width:
            tiou = torch.where(tiou > settings.soft_from + soft_from * spread.gather(1, chosen), tiou, 0.0)
        factor = (tiou * tiou / -settings.sigma).exp()
        return torch.where(rivals(chosen), scores * factor, scores)

    def rivals(chosen: Tensor) -> Tensor:
        """(B, N) which candidates compete with the chosen ones (B, 1)."""
        return labels == labels.gather(1, chosen) if settings.per_class else torch.ones_like(labels, dtype=torch.bool)

    empty = scores.new_zeros(len(labels), slots), labels.new_zeros(len(labels), slots)
    carried: tuple[Tensor, ...] = (torch.zeros((), dtype=torch.int64, device=labels.device), scores, *empty)
    if torch.compiler.is_exporting():
        carried = while_loop(goes_on, pick, carried)
    else:
        while goes_on(*carried):
            carried = pick(*carried)
    _, _, kept, index = carried
    segments = found.segments.gather(1, index[..., None].expand(-1, -1, 2))
    return Ranked(segments, kept, labels.gather(1, index))
