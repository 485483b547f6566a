"""From the network's outputs for one sequence to candidates, and fusion with video-level classes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from actionformer.core.errors import InputError
from actionformer.inference.suppression import Kept, as_array
from actionformer.nn.pieces import LevelOutputs
from actionformer.settings.config import Config, DecodingSettings


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
        offsets: a level each, (T_l, 2) distances to start and end, at least 0, in strides of the level.
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

    @classmethod
    def of(cls, config: Config) -> Decoder:
        """With the settings of a model."""
        span = config.model.max_length if config.decoding.cap_per == "length" else None
        return cls(config.model.strides, config.decoding, span)

    @torch.no_grad()
    def add(self, outputs: LevelOutputs) -> None:
        """Takes in outputs of further moments of a level."""
        for span, part in self._by_span(outputs):
            self._add(span, part)

    def _by_span(self, outputs: LevelOutputs) -> Iterator[tuple[int, LevelOutputs]]:
        """The parts of a level's moments that lie in one span each, which must not depend on how pieces are cut."""
        first, stop, stride = outputs.first, outputs.first + outputs.logits.shape[1], self.strides[outputs.level]
        if self.span is None or (stop - 1) * stride < self.span:
            yield 0, outputs
            return
        begin = first
        while begin < stop:
            span = begin * stride // self.span
            end = min(-(-(span + 1) * self.span // stride), stop)
            yield (
                span,
                LevelOutputs(outputs.level, begin, *(one[:, begin - first : end - first] for one in outputs[2:])),
            )
            begin = end

    def _add(self, span: int, outputs: LevelOutputs) -> None:
        level, first, logits, offsets, valid = outputs
        classes, top_k = logits.shape[2], self.settings.top_k
        probability = (logits.float().sigmoid() * valid[:, :, None]).flatten(1)  # (B, t * K)
        scores, pairs, left = _best(probability, top_k)
        moments = pairs // classes
        starts, ends = ((side.float() * self.strides[level]).gather(1, moments) for side in offsets.unbind(2))
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


def fuse(
    segments: Any, scores: Any, class_scores: Any, *, max_proposals: int = 200, classes_per_video: int = 2
) -> Kept:
    """Class-agnostic proposals of a video with the classes that a video classifier gives it.

    The best proposals are each repeated for the video's best classes, with score
    sqrt(class score * proposal score), as in the published ActivityNet results.

    Args:
        segments: (N, 2) proposals, in any one unit.
        scores: (N,) their scores, at least 0.
        class_scores: (K,) the video's score for every class, at least 0.
        max_proposals: proposals that take part.
        classes_per_video: classes that take part.

    Returns:
        Up to max_proposals * classes_per_video detections, best first; `index` is the proposal of each.

    Raises:
        InputError: class scores that are not a list of numbers of at least 0.
    """
    segments, scores, class_scores = (as_array(values) for values in (segments, scores, class_scores))
    if class_scores.ndim != 1 or not (np.isfinite(class_scores) & (class_scores >= 0)).all():
        raise InputError(
            "class scores of a video: expected (K,) finite numbers of at least 0, "
            f"found shape {class_scores.shape}, {np.array2string(class_scores, threshold=5)}"
        )
    proposals = np.argsort(-scores, kind="stable")[:max_proposals]
    classes = np.argsort(-class_scores, kind="stable")[:classes_per_video]
    fused = np.sqrt(scores[proposals, None] * class_scores[classes])  # (proposals, classes)
    order = np.argsort(-fused, axis=None, kind="stable")
    proposal, label = (axis[order] for axis in (np.repeat(proposals, len(classes)), np.tile(classes, len(proposals))))
    return Kept(
        segments[proposal].astype(np.float32),
        fused.reshape(-1)[order].astype(np.float32),
        label.astype(np.int64),
        proposal.astype(np.int64),
    )
