"""From coarse and refined outputs to candidates."""

from __future__ import annotations

import torch
from torch import Tensor

from actionformer.detectors.afsd.network import Outputs, moments
from actionformer.detectors.afsd.settings import AFSDSettings
from actionformer.inference.settings import DecodingSettings
from actionformer.nn.decoding import Candidates


class Decoder:
    """The most probable pairs of moment and class of a batch, of all levels together.

    The score is the mean of both probabilities of the class, times how well the segment fits. Of the pairs
    `min_probability` and `min_length` drop those that are not above them. Nothing waits for the device before
    `candidates` is asked.

    Args:
        settings: thresholds.
        network: settings of the network.
        shift: steps from where a sequence begins to its first feature.
    """

    def __init__(self, settings: DecodingSettings, network: AFSDSettings, shift: float) -> None:
        self.settings, self.network, self.shift = settings, network, shift

    @torch.no_grad()
    def add(self, outputs: Outputs) -> None:
        """Takes in all outputs of a batch."""
        probability = (outputs.logits.float().softmax(-1) + outputs.refined_logits.float().softmax(-1)) / 2
        scores = probability[..., 1:] * outputs.center.float().sigmoid()[..., None]
        finite = scores.isfinite().flatten(1).all(1)
        if outputs.valid is not None:
            scores = scores * outputs.valid[..., None]
        classes, scores = scores.shape[-1], scores.flatten(1)
        segments = self.segments(outputs)
        kept = min(self.settings.top_k, scores.shape[1])
        best = scores.sort(dim=1, descending=True, stable=True)
        self.scores, pairs = best.values[:, :kept], best.indices[:, :kept]
        self.left = best.values[:, kept] if kept < scores.shape[1] else torch.zeros_like(scores[:, 0])
        self.labels = pairs % classes
        self.found = segments.gather(1, (pairs // classes)[..., None].expand(-1, -1, 2))
        self.wrong = ~(finite & segments.flatten(1).isfinite().all(1))

    def segments(self, outputs: Outputs) -> Tensor:
        """(B, M, 2) refined segments in grid steps, cut to their sequence."""
        distances, step = outputs.distances.float(), self.network.frames_per_feature
        refined = distances + outputs.shifts.float() * distances.sum(-1, keepdim=True) / 2
        features = outputs.boundaries.shape[2]
        at = moments(features, self.network).to(refined.device)
        ends = torch.stack((at - refined[..., 0], at + refined[..., 1]), dim=-1)
        length = refined.new_full((len(refined), 1, 1), features)
        if outputs.valid is not None:
            length = outputs.valid[:, :features].sum(1).to(refined.dtype)[:, None, None]
        return torch.minimum((ends / step).clamp(min=0), length) - self.shift

    def candidates(self) -> list[Candidates]:
        """Those of each sequence, best first; the moment of each is the feature at its centre."""
        found = zip(self.found.cpu().double(), self.scores.cpu(), self.labels.cpu(), strict=True)
        return [self._worth(*one) for one in found]

    def _worth(self, segments: Tensor, scores: Tensor, labels: Tensor) -> Candidates:
        length = segments[:, 1] - segments[:, 0]
        kept = (scores > self.settings.min_probability) & (length > self.settings.min_length)
        segments, scores, labels = segments[kept], scores[kept], labels[kept]
        at = segments.mean(1).round().clamp(min=0).long()
        return Candidates(segments, scores, labels, torch.zeros_like(labels), at)

    def overflown(self) -> list[bool]:
        """Of each sequence whether the network gave a number that is not finite."""
        wrong: list[bool] = self.wrong.tolist()
        return wrong

    def left_out(self) -> list[tuple[float, int]]:
        """The highest score that `top_k` has left out of each sequence, 0 if none; all are of level 0."""
        return [(score, 0) for score in self.left.tolist()]
