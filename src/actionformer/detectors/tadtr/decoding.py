"""From what queries say to candidates."""

from __future__ import annotations

import torch
from torch import Tensor

from actionformer.detectors.tadtr.network import Outputs
from actionformer.inference.settings import DecodingSettings
from actionformer.nn.decoding import Candidates


class Decoder:
    """The most probable pairs of query and class of a batch: its class's probability times the query's actionness.

    Of these, `min_probability` and `min_length` drop those that are not above them. Nothing waits for the device before
    `candidates` is asked.
    """

    def __init__(self, settings: DecodingSettings) -> None:
        self.settings = settings

    @torch.no_grad()
    def add(self, outputs: Outputs) -> None:
        """Takes in all outputs of a batch."""
        classes = outputs.logits.shape[-1]
        scores = (outputs.logits[-1].float().sigmoid() * outputs.actionness.float()[..., None]).flatten(1)
        best = scores.sort(dim=1, descending=True, stable=True)
        kept = min(self.settings.top_k, scores.shape[1])
        self.scores, pairs = best.values[:, :kept], best.indices[:, :kept]
        self.left = best.values[:, kept] if kept < scores.shape[1] else torch.zeros_like(scores[:, 0])
        self.labels = pairs % classes
        centre, width = outputs.segments[-1].float().mul(outputs.spans[:, None, None]).unbind(-1)
        ends = torch.stack((centre - width / 2, centre + width / 2), dim=-1) - 0.5  # feature t is at t + 1/2
        self.segments = ends.gather(1, (pairs // classes)[..., None].expand(-1, -1, 2))
        self.wrong = ~(scores.isfinite().all(1) & ends.flatten(1).isfinite().all(1))

    def candidates(self) -> list[Candidates]:
        """Those of each sequence, best first; the moment of each is the feature at its centre."""
        found = zip(self.segments.cpu().double(), self.scores.cpu(), self.labels.cpu(), strict=True)
        return [self._worth(*one) for one in found]

    def _worth(self, segments: Tensor, scores: Tensor, labels: Tensor) -> Candidates:
        length = segments[:, 1] - segments[:, 0]
        kept = (scores > self.settings.min_probability) & (length > self.settings.min_length)
        segments, scores, labels = segments[kept], scores[kept], labels[kept]
        moments = segments.mean(1).round().clamp(min=0).long()
        return Candidates(segments, scores, labels, torch.zeros_like(labels), moments)

    def overflown(self) -> list[bool]:
        """Of each sequence whether the network gave a number that is not finite."""
        wrong: list[bool] = self.wrong.tolist()
        return wrong

    def left_out(self) -> list[tuple[float, int]]:
        """The highest score that `top_k` has left out of each sequence, 0 if none; all are of level 0."""
        return [(score, 0) for score in self.left.tolist()]
