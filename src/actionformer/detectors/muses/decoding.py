"""From what is said of proposals to candidates."""

from __future__ import annotations

import torch
from torch import Tensor

from actionformer.detectors.muses.network import Outputs
from actionformer.inference.settings import DecodingSettings
from actionformer.nn.segment_decoding import SegmentDecoder


class Decoder(SegmentDecoder):
    """A proposal of a class scores the probability of the class times the exponential of its completeness.

    Suppression judges by proposals as they came; they are reported where their action lies.

    Args:
        settings: thresholds.
        weights: of every stream in the mean of what they say.
        span: grid steps that `top_k` counts in; by default all.
    """

    def __init__(self, settings: DecodingSettings, weights: tuple[float, ...], span: int | None = None) -> None:
        super().__init__(settings, span)
        self.weights = weights

    def scored(self, outputs: Outputs) -> tuple[Tensor, Tensor]:
        """Proposals (B, N, 2) in grid steps, and scores (B, N, K)."""
        activity, completeness = (self.mean(part.float()) for part in outputs.judged[:2])
        scores = activity.softmax(-1)[..., 1:] * completeness.exp()
        return outputs.proposals, scores * outputs.there[..., None]

    def reported(self, outputs: Outputs) -> Tensor:
        """(B, N, K, 2) where the action of each class lies, by its proposal."""
        start, end = outputs.proposals[..., None, :].unbind(-1)  # (B, N, 1)
        centre, ratio = self.shifts(outputs).unbind(-1)
        length = end - start
        middle, half = (start + end) / 2 + length * centre, length * ratio.exp() / 2
        return torch.stack((middle - half, middle + half), dim=-1)

    def shifts(self, outputs: Outputs) -> Tensor:
        """(B, N, K, 2) how the action of each class lies beside its proposal, no longer standardised."""
        mean, deviation = (one[:, None, None, None] for one in (outputs.mean, outputs.deviation))
        return self.mean(outputs.judged.shifts.float() * deviation + mean)

    def mean(self, said: Tensor) -> Tensor:
        """What all streams (S, B, N, ...) say together, (B, N, ...)."""
        weights = said.new_tensor(self.weights)
        return torch.einsum("s,s...->...", weights / weights.sum(), said)
