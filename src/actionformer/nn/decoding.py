"""From the outputs of a pyramid's moments to candidates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from actionformer.inference.settings import DecodingSettings
from actionformer.nn.outputs import LevelOutputs


class Candidates(NamedTuple):
    """Scored segments of one sequence, before suppression: level after level, of every span the best first."""

    segments: Tensor
    """(N, 2) float64 starts and ends, in grid steps, unclipped."""
    scores: Tensor
    """(N,) float32 class probabilities."""
    labels: Tensor
    """(N,) int64 classes."""
    levels: Tensor
    """(N,) int64 pyramid level of each."""
    moments: Tensor
    """(N,) int64 the moment of its level that proposed it."""
    refined: Tensor | None = None
    """(N, 2) float64 what is reported in the place of `segments`, by which suppression judges; None: the same."""

    @property
    def reported(self) -> Tensor:
        """(N, 2) what is reported of each."""
        return self.segments if self.refined is None else self.refined

    def chosen(self, rows: Tensor | slice) -> Candidates:
        """Those that `rows` tells: a range, numbers (M,), or (N,) bool."""
        segments, scores, labels, levels, moments = (one[rows] for one in self[:5])
        refined = None if self.refined is None else self.refined[rows]
        return Candidates(segments, scores, labels, levels, moments, refined)

    def moved(self, steps: float) -> Candidates:
        """The same, so many grid steps later."""
        refined = None if self.refined is None else self.refined + steps
        return self._replace(segments=self.segments + steps, refined=refined)

    @classmethod
    def joined(cls, several: Sequence[Candidates]) -> Candidates:
        """All of several in a row, at least one."""
        segments, scores, labels, levels, moments = map(torch.cat, zip(*(one[:5] for one in several), strict=True))
        same = all(one.refined is None for one in several)
        refined = None if same else torch.cat([one.reported for one in several])
        return cls(segments, scores, labels, levels, moments, refined)


def decode(
    logits: Sequence[Tensor],
    offsets: Sequence[Tensor],
    valid: Sequence[Tensor],
    strides: Sequence[int],
    settings: DecodingSettings,
    *,
    span: int | None = None,
) -> Candidates:
    """The candidates of one sequence (Zhang et al., ECCV 2022; thresholds as published).

    Moment i of a level with stride s lies at t = i * s and proposes, for each class, the segment
    [t - d_start * s, t + d_end * s]. A level keeps the `top_k` most probable pairs of moment and class of every
    span among those with a probability above `min_probability`, and of these the segments longer than `min_length`.

    Args:
        logits: a level each, (T_l, K).
        offsets: a level each, (T_l, 2) distances to start and end, or (T_l, K, 2) of each class, at least 0, in strides
            of the level.
        valid: a level each, (T_l,) bool, False at padding.
        strides: a level each, grid steps between moments.
        settings: thresholds.
        span: grid steps that `top_k` counts in; by default all.

    Returns:
        Candidates in main memory.
    """
    decoder = Decoder(strides, settings, span)
    for level, tensors in enumerate(zip(logits, offsets, valid, strict=True)):
        decoder.add(LevelOutputs(level, 0, *(tensor[None] for tensor in tensors)))
    return decoder.candidates()[0]


class _Proposals(NamedTuple):
    """The most probable pairs of moment and class of one level, best first, where the network is."""

    scores: Tensor
    """(B, N) float32"""
    moments: Tensor
    """(B, N) int64"""
    labels: Tensor
    """(B, N) int64"""
    starts: Tensor
    """(B, N) float32 distances to the start, grid steps."""
    ends: Tensor
    """(B, N) float32 distances to the end, grid steps."""


def _best(scores: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """The highest of scores (B, N), best first (B, n), their places (B, n), and the highest of those left out (B,)."""
    best = scores.topk(min(count, scores.shape[1]))
    left = scores.scatter(1, best.indices, 0).amax(1) if count < scores.shape[1] else torch.zeros_like(scores[:, 0])
    return best.values, best.indices, left


class Decoder:
    """Candidates of a batch of sequences, whose outputs may come in pieces; see `decode`.

    Nothing waits for the device that the outputs are on before `candidates` is asked.
    """

    def __init__(self, strides: Sequence[int], settings: DecodingSettings, span: int | None = None) -> None:
        self.strides = strides
        self.settings = settings
        self.span = span
        self._found: dict[tuple[int, int], _Proposals] = {}  # of every level and span
        self._left: dict[int, Tensor] = {}  # of every level (B,), the highest score left out

    @torch.no_grad()
    def add(self, outputs: LevelOutputs) -> None:
        """Takes in outputs of further moments of a level."""
        for span, part in self._by_span(outputs):
            self._add(span, part)

    def _by_span(self, outputs: LevelOutputs) -> Iterator[tuple[int, LevelOutputs]]:
        """The parts of a level's moments that lie in one span each, which must not depend on how pieces are cut."""
        first, stop, stride = outputs.first, outputs.stop, self.strides[outputs.level]
        if self.span is None or (stop - 1) * stride < self.span:
            yield 0, outputs
            return
        begin = first
        while begin < stop:
            span = begin * stride // self.span
            end = min(-(-(span + 1) * self.span // stride), stop)
            yield span, outputs.between(begin, end)
            begin = end

    def _add(self, span: int, outputs: LevelOutputs) -> None:
        level, first, logits, offsets, valid = outputs
        classes, top_k = logits.shape[2], self.settings.top_k
        probability = (logits.float().sigmoid() * valid[:, :, None]).flatten(1)  # (B, t * K)
        scores, pairs, left = _best(probability, top_k)
        moments = pairs // classes
        distances = offsets.float().flatten(1, -2) * self.strides[level]  # (B, t, 2), or (B, t * K, 2) class by class
        own = moments if offsets.ndim == 3 else pairs
        starts, ends = (side.gather(1, own) for side in distances.unbind(2))
        found = _Proposals(scores, moments + first, pairs % classes, starts, ends)
        if (level, span) in self._found:
            both = zip(self._found[level, span], found, strict=True)
            found = _Proposals(*(torch.cat(pair, dim=1) for pair in both))
            _, order, again = _best(found.scores, top_k)
            found, left = _Proposals(*(tensor.gather(1, order) for tensor in found)), torch.maximum(left, again)
        self._found[level, span] = found
        self._left[level] = torch.maximum(left, self._left[level]) if level in self._left else left

    def overflown(self) -> list[bool]:
        """Of each sequence whether the network gave a number that is not finite: topk takes it for the best."""
        numbers = (number for one in self._found.values() for number in (one.scores, one.starts, one.ends))
        wrong: list[bool] = torch.stack([~number.isfinite().all(1) for number in numbers]).any(0).tolist()
        return wrong

    def left_out(self) -> list[tuple[float, int]]:
        """The highest score that `top_k` has left out of each sequence, 0 if none, and its level."""
        levels = sorted(self._left)
        scores, rows = torch.stack([self._left[level] for level in levels]).cpu().max(dim=0)
        return [(score, levels[row]) for score, row in zip(scores.tolist(), rows.tolist(), strict=True)]

    def candidates(self) -> list[Candidates]:
        """Those of all outputs so far, of each sequence."""
        keys = sorted(self._found)
        together = zip(*(self._found[key] for key in keys), strict=True)
        scores, moments, labels, starts, ends = (torch.cat(tensors, dim=1).cpu() for tensors in together)
        counts = torch.tensor([self._found[key].scores.shape[1] for key in keys])
        levels = [level for level, _ in keys]
        level = torch.tensor(levels).repeat_interleave(counts)  # (N,)
        centre = (moments * torch.tensor(self.strides)[level]).double()
        segments = torch.stack((centre - starts, centre + ends), dim=-1)  # (B, N, 2)
        kept = scores > self.settings.min_probability
        kept &= (segments[..., 1] - segments[..., 0]).float() > self.settings.min_length
        return [
            Candidates(segments[row, mask], scores[row, mask], labels[row, mask], level[mask], moments[row, mask])
            for row, mask in enumerate(kept)
        ]
