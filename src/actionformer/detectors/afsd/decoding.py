"""From coarse and refined outputs to candidates."""

from __future__ import annotations

import torch
from torch import Tensor

from actionformer.detectors.afsd.network import Outputs, moments
from actionformer.detectors.afsd.settings import AFSDSettings
from actionformer.inference.settings import DecodingSettings
from actionformer.nn.segment_decoding import SegmentDecoder


class Decoder(SegmentDecoder):
    """A refined segment's score is the mean of both probabilities of its class, times how well the segment fits.

    Args:
        settings: thresholds.
        network: settings of the network.
        shift: steps from where a sequence begins to its first feature.
    """

    def __init__(self, settings: DecodingSettings, network: AFSDSettings, shift: float) -> None:
        super().__init__(settings)
        self.network, self.shift = network, shift

    def scored(self, outputs: Outputs) -> tuple[Tensor, Tensor]:
        """Segments (B, M, 2) of the moments of all levels together, in grid steps, and scores (B, M, K)."""
        probability = (outputs.logits.float().softmax(-1) + outputs.refined_logits.float().softmax(-1)) / 2
        scores = probability[..., 1:] * outputs.center.float().sigmoid()[..., None]
        if outputs.valid is not None:
            scores = scores * outputs.valid[..., None]
        return self.refined(outputs), scores

    def refined(self, outputs: Outputs) -> Tensor:
        """(B, M, 2) refined segments in grid steps, cut to their sequence."""
        distances, step = outputs.distances.float(), self.network.frames_per_feature
        moved = distances + outputs.shifts.float() * distances.sum(-1, keepdim=True) / 2
        features = outputs.boundaries.shape[2]
        at = moments(features, self.network).to(moved.device)
        ends = torch.stack((at - moved[..., 0], at + moved[..., 1]), dim=-1)
        length = moved.new_full((len(moved), 1, 1), features)
        if outputs.valid is not None:
            length = outputs.valid[:, :features].sum(1).to(moved.dtype)[:, None, None]
        return torch.minimum((ends / step).clamp(min=0), length) - self.shift
