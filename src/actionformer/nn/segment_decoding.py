"""From segments that are scored per class to candidates, where a network gives all of a sequence at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor

from actionformer.inference.settings import DecodingSettings
from actionformer.nn.decoding import Candidates


class SegmentDecoder(ABC):
    """The most probable pairs of segment and class of a batch.

    Of these, `min_probability` and `min_length` drop those that are not above them. Nothing waits for the device before
    `candidates` is asked.

    Args:
        settings: thresholds.
        span: grid steps that `top_k` counts in, where sequences may be of any length: of every span as many pairs are
            kept whose segment's centre lies there. By default all.
    """

    def __init__(self, settings: DecodingSettings, span: int | None = None) -> None:
        self.settings, self.span = settings, span

    @abstractmethod
    def scored(self, outputs: Any) -> tuple[Tensor, Tensor]:
        """Segments (B, N, 2) in grid steps and their scores (B, N, K), float32."""

    def reported(self, outputs: Any) -> Tensor | None:
        """(B, N, K, 2) what is reported of each pair in the place of its segment, which suppression judges by.

        None: the same.
        """
        return None

    @torch.no_grad()
    def add(self, outputs: Any) -> None:
        """Takes in all outputs of a batch."""
        segments, scores = self.scored(outputs)
        classes, scores = scores.shape[-1], scores.flatten(1)
        if torch.compiler.is_exporting():  # the one sort that ONNX knows, which leaves equals in their order too
            best = scores.sort(dim=1, descending=True)
        else:
            best = scores.sort(dim=1, descending=True, stable=True)
        kept = scores.shape[1] if self.span else min(self.settings.top_k, scores.shape[1])
        self.scores, pairs = best.values[:, :kept], best.indices[:, :kept]
        self.left = best.values[:, kept] if kept < scores.shape[1] else scores.new_zeros(len(scores))
        if self.span and kept > self.settings.top_k:
            span = segments.mean(-1).gather(1, pairs // classes).div(self.span, rounding_mode="floor")
            beyond = places_in(span) >= self.settings.top_k
            self.left = self.scores.where(beyond, 0).amax(1)
            self.scores = self.scores.masked_fill(beyond, 0)  # no score is above a threshold then
        self.labels = pairs % classes
        self.segments = segments.gather(1, (pairs // classes)[..., None].expand(-1, -1, 2))
        reported = self.reported(outputs)
        places = segments if reported is None else reported
        self.moved = None if reported is None else places.flatten(1, 2).gather(1, pairs[..., None].expand(-1, -1, 2))
        self.wrong = ~(scores.isfinite().all(1) & places.flatten(1).isfinite().all(1))

    def candidates(self) -> list[Candidates]:
        """Those of each sequence, best first; the moment of each is the feature at its centre."""
        moved = [None] * len(self.segments) if self.moved is None else self.moved.cpu().double()
        found = zip(self.segments.cpu().double(), self.scores.cpu(), self.labels.cpu(), moved, strict=True)
        return [self._worth(*one) for one in found]

    def _worth(self, segments: Tensor, scores: Tensor, labels: Tensor, refined: Tensor | None) -> Candidates:
        moments = segments.mean(1).round().clamp(min=0).long()
        every = Candidates(segments, scores, labels, torch.zeros_like(labels), moments, refined)
        length = segments[:, 1] - segments[:, 0]
        return every.chosen((scores > self.settings.min_probability) & (length > self.settings.min_length))

    def ranked(self) -> tuple[Tensor, Tensor, Tensor]:
        """The best pairs before thresholds: segments (B, N, 2) in grid steps, scores (B, N) and labels (B, N)."""
        return self.segments, self.scores, self.labels

    def overflown(self) -> list[bool]:
        """Of each sequence whether the network gave a number that is not finite."""
        wrong: list[bool] = self.wrong.tolist()
        return wrong

    def left_out(self) -> list[tuple[float, int]]:
        """The highest score that `top_k` has left out of each sequence, 0 if none; all are of level 0."""
        return [(score, 0) for score in self.left.tolist()]


def places_in(groups: Tensor) -> Tensor:
    """(B, N) how many before each of a row (B, N) are of the same group."""
    by_group = groups.sort(dim=1, stable=True)
    first = torch.searchsorted(by_group.values, by_group.values)
    places = torch.arange(groups.shape[1], device=groups.device) - first
    return places.scatter(1, by_group.indices, places)
