"""Suppression inside a graph: what `actionformer.suppress` does, candidate by candidate, as a loop over tensors."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch._higher_order_ops.while_loop import while_loop

from actionformer.inference.settings import SuppressionSettings
from actionformer.inference.suppression import LENGTH_MARGIN, TINY
from actionformer.standalone.ranking import NONE, Ranked

MARGIN = float(LENGTH_MARGIN)


class Line(NamedTuple):
    """Candidates of B sequences, (B, N) each."""

    start: Tensor
    end: Tensor
    spread: Tensor
    """Their lengths, as a tIoU counts them."""
    labels: Tensor


def suppressed(found: Ranked, lengths: Tensor, most: Tensor, slots: int, settings: SuppressionSettings) -> Ranked:
    """What suppression keeps, best first; where a sequence has less than others, the last scores are 0.

    Args:
        found: candidates of B sequences, in grid steps.
        lengths: (B,) features of each sequence.
        most: (B,) how many are kept of each.
        slots: at least the largest of `most`.
        settings: without voting.
    """
    labels, (start, end) = found.labels, (one.contiguous() for one in found.segments.unbind(-1))
    line = Line(start, end, end - start + MARGIN, labels)
    position = torch.arange(labels.shape[1], device=labels.device)
    slot = torch.arange(slots, device=labels.device)
    cap = most[:, None]
    soft_from = settings.soft_from_width / lengths[:, None].float()
    least = float(TINY) if settings.method == "none" else max(settings.min_score, float(TINY))
    scores = found.scores
    if settings.method == "hard":
        scores = torch.where(scores > settings.min_score, scores, NONE)

    def goes_on(step: Tensor, scores: Tensor, kept: Tensor, index: Tensor) -> Tensor:
        return ((scores.amax(1, keepdim=True) >= least) & (step < cap)).any()

    def pick(step: Tensor, scores: Tensor, kept: Tensor, index: Tensor) -> tuple[Tensor, ...]:
        best = scores.amax(1, keepdim=True)
        tied = _first_of(scores == best, line, settings)
        chosen = torch.where(tied, position, position.shape[0]).amin(1, keepdim=True)  # (B, 1)
        lowered = torch.where(position == chosen, NONE, _lowered(scores, chosen, line, soft_from, settings))
        counts = (best >= least) & (step < cap)
        here = (slot == step) & counts
        return (
            step + 1,
            torch.where(counts, lowered, scores),
            torch.where(here, best, kept),
            torch.where(here, chosen, index),
        )

    empty = scores.new_zeros(labels.shape[0], slots), labels.new_zeros(labels.shape[0], slots)
    carried: tuple[Tensor, ...] = (torch.zeros((), dtype=torch.int64, device=labels.device), scores, *empty)
    if torch.compiler.is_exporting():
        carried = while_loop(goes_on, pick, carried)
    else:
        while goes_on(*carried):
            carried = pick(*carried)
    _, _, kept, index = carried
    segments = found.segments.gather(1, index[..., None].expand(-1, -1, 2))
    return Ranked(segments, kept, labels.gather(1, index))


def _first_of(tied: Tensor, line: Line, settings: SuppressionSettings) -> Tensor:
    """(B, N) of equal candidates those of the lowest label, where labels compete apart, and of these the earliest."""
    if settings.per_class or settings.method == "none":
        lowest = torch.where(tied, line.labels, torch.iinfo(torch.int64).max).amin(1, keepdim=True)
        tied = tied & (line.labels == lowest)
    return tied & (line.start == torch.where(tied, line.start, math.inf).amin(1, keepdim=True))


def _lowered(scores: Tensor, chosen: Tensor, line: Line, soft_from: Tensor, settings: SuppressionSettings) -> Tensor:
    """(B, N) the scores after those that overlap the chosen ones (B, 1) have lost some."""
    if settings.method == "none":
        return scores
    start, end, spread, label = (one.gather(1, chosen) for one in line)
    shared = (torch.minimum(line.end, end) - torch.maximum(line.start, start)).clamp(min=0)
    tiou = shared / (line.spread - shared + spread)
    if settings.method == "hard":
        lowered = torch.where(tiou >= settings.tiou_threshold, NONE, scores)
    else:
        if settings.soft_from or settings.soft_from_width:
            tiou = torch.where(tiou > settings.soft_from + soft_from * spread, tiou, 0.0)
        lowered = scores * (tiou * tiou / -settings.sigma).exp()
    return torch.where(line.labels == label, lowered, scores) if settings.per_class else lowered
