"""From what queries say to candidates."""

from __future__ import annotations

import torch
from torch import Tensor

from actionformer.detectors.tadtr.network import Outputs
from actionformer.nn.segment_decoding import SegmentDecoder


class Decoder(SegmentDecoder):
    """A query's segment of a class scores the probability of the class times the query's actionness."""

    def scored(self, outputs: Outputs) -> tuple[Tensor, Tensor]:
        """Segments (B, Q, 2) of the last layer in grid steps, and scores (B, Q, K)."""
        scores = outputs.logits[-1].float().sigmoid() * outputs.actionness.float()[..., None]
        centre, width = outputs.segments[-1].float().mul(outputs.spans[:, None, None]).unbind(-1)
        return torch.stack((centre - width / 2, centre + width / 2), dim=-1) - 0.5, scores  # feature t is at t + 1/2
