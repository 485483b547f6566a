"""Which proposals training learns from: a few of every sequence, drawn anew in every step (section 4.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from actionformer.detectors.muses.settings import MUSESSettings
from actionformer.nn.assignment import GroundTruth

FOREGROUND, INCOMPLETE, BACKGROUND = 0, 1, 2
"""What a proposal shows: an action, a part of one, none."""


class Matches(NamedTuple):
    """The action of N proposals with which each has its best tIoU, the first of equals."""

    tiou: Tensor
    """(N,) float64, 0 where there is no action."""
    share: Tensor
    """(N,) of the proposal that lies inside of that action."""
    action: Tensor
    """(N,) int64, 0 where there is none."""


class Examples(NamedTuple):
    """M proposals that were drawn of one sequence."""

    proposals: Tensor
    """(M, 2) float32, grid steps."""
    places: Tensor
    """(M,) of which kind one was wanted."""
    kinds: Tensor
    """(M,) what it is: where there was none of the kind, a foreground."""
    labels: Tensor
    """(M,) int64, 0 for a background, else 1 + the class of its action."""
    shifts: Tensor
    """(M, 2) of foregrounds, see `shifts_to`; else 0."""


@dataclass(frozen=True)
class DrawnTruth(GroundTruth):
    """The actions of a batch, and in the place of all proposals those that were drawn."""

    examples: Sequence[Examples] = ()
    """Of each sequence."""


def matched(proposals: Tensor, actions: Tensor) -> Matches:
    """The actions (A, 2) that belong to proposals (N, 2)."""
    proposals, actions = proposals.double(), actions.double()
    if not len(actions):
        nothing = proposals.new_zeros(len(proposals))
        return Matches(nothing, nothing, nothing.long())
    own, theirs = proposals.diff(dim=1), actions.diff(dim=1).T
    shared = torch.minimum(proposals[:, 1:], actions[:, 1]) - torch.maximum(proposals[:, :1], actions[:, 0])
    shared = shared.clamp(min=0)
    tiou, action = (shared / (own + theirs - shared)).max(1)
    share = shared.gather(1, action[:, None])[:, 0] / own[:, 0].clamp(min=1e-9)
    return Matches(tiou, share, action)


def shifts_to(actions: Tensor, proposals: Tensor, frame: float) -> Tensor:
    """(N, 2) how actions (N, 2) lie beside proposals (N, 2): the shift of the centre in lengths of the proposal, and
    the logarithm of the ratio of lengths. Lengths are a `frame` longer, as published, which is 0 steps otherwise."""
    actions, proposals = actions.double(), proposals.double()
    length = proposals.diff(dim=1) + frame
    centre = (actions.mean(1, keepdim=True) - proposals.mean(1, keepdim=True)) / length
    return torch.cat((centre, ((actions.diff(dim=1) + frame) / length).log()), dim=1)


def foreground_shifts(proposals: Tensor, actions: Tensor, settings: MUSESSettings) -> Tensor:
    """(F, 2) of all proposals (N, 2) of a sequence that fit an action (A, 2)."""
    found = matched(proposals, actions)
    fit = found.tiou > settings.foreground_tiou
    return shifts_to(actions[found.action[fit]], proposals[fit], frame_of(settings))


def frame_of(settings: MUSESSettings) -> float:
    """One frame in grid steps, where segments lie in whole frames."""
    return 0.0 if settings.whole_frames is None else 1 / settings.whole_frames


def examples_of(proposals: Tensor, actions: Tensor, labels: Tensor, length: float, settings: MUSESSettings) -> Examples:
    """What training learns of a sequence in one step, drawn with replacement from torch's global generator.

    Foregrounds are drawn from the proposals that fit an action, and the actions. Of a sequence without actions only
    backgrounds are drawn, if there are any.

    Args:
        proposals: (N, 2) in grid steps.
        actions: (A, 2) likewise.
        labels: (A,) their classes.
        length: of the sequence, in grid steps.
        settings: what counts as which kind, and how many are drawn.
    """
    found = matched(proposals, actions)
    every = torch.cat((proposals, actions))
    action = torch.cat((found.action, torch.arange(len(actions))))
    long = proposals.diff(dim=1)[:, 0] > settings.background_length * length
    kinds = (
        torch.cat((found.tiou > settings.foreground_tiou, torch.ones(len(actions), dtype=torch.bool))),
        (found.tiou < settings.incomplete_tiou) & (found.share > settings.incomplete_share),
        (found.tiou < settings.background_tiou) & long,
    )
    pools = [kind.nonzero()[:, 0] for kind in kinds]
    return _drawn(pools, every, actions, labels, action, settings)


def _drawn(
    pools: Sequence[Tensor], every: Tensor, actions: Tensor, labels: Tensor, action: Tensor, settings: MUSESSettings
) -> Examples:
    rows, places, kinds = [torch.empty(0, dtype=torch.int64)], list[int](), list[int]()
    for place, (pool, count) in enumerate(zip(pools, settings.draws, strict=True)):
        kind = place if len(pool) else FOREGROUND
        if number := len(pools[kind]):
            rows.append(pools[kind][torch.randint(number, (count,))])
            places += [place] * count
            kinds += [kind] * count
    row, place_of, kind_of = torch.cat(rows), torch.tensor(places).long(), torch.tensor(kinds).long()
    foreground, shown = kind_of == FOREGROUND, kind_of != BACKGROUND
    own_labels, shifts = torch.zeros_like(row), every.new_zeros(len(row), 2)
    own_labels[shown] = 1 + labels[action[row[shown]]]
    fit = row[foreground]
    shifts[foreground] = shifts_to(actions[action[fit]], every[fit], frame_of(settings)).to(shifts.dtype)
    return Examples(every[row], place_of, kind_of, own_labels, shifts)
