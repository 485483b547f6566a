"""Where TadTR looks, for people to see: the places of deformable attention as weights of features."""

from __future__ import annotations

import torch
from torch import Tensor

from actionformer.detectors.tadtr.attention import DeformableAttention, sampling_rows
from actionformer.detectors.tadtr.network import Outputs, TadTRNetwork
from actionformer.detectors.tadtr.transformer import DecoderLayer, EncoderLayer
from actionformer.nn.layers import Mask


class SamplingMaps:
    """What features and queries see of a window, layer by layer.

    Args:
        network: in eval mode.
    """

    def __init__(self, network: TadTRNetwork) -> None:
        self.network = network
        self.layers = [layer for layer in network.modules() if isinstance(layer, EncoderLayer | DecoderLayer)]

    @property
    def places(self) -> int:
        """Places that each head looks at."""
        return self.network.settings.num_points

    def names(self) -> list[str]:
        """What to call the layers, in order."""
        encoders = len(self.network.encoder)
        return [
            f"encoder {layer + 1}, from this feature"
            if layer < encoders
            else f"decoder {layer - encoders + 1}, from the query that finds most here"
            for layer in range(len(self.layers))
        ]

    @torch.inference_mode()
    def weights(self, features: Tensor, valid: Mask, layer: int, position: int) -> Tensor:
        """(H, T) what each feature of a window counts for each head, seen from one of them.

        Args:
            features: (1, T, D).
            valid: (1, T).
            layer: index of the layer.
            position: index of the feature; of a decoder's layer the query counts whose segment is the likeliest there.
        """
        seen: list[Tensor] = []
        attention = self.layers[layer].attention

        def keep(module: DeformableAttention, inputs: tuple[Tensor, ...]) -> None:
            query, memory, reference, lengths, _ = inputs
            places = module.places(query, reference, lengths)
            seen.append(sampling_rows(places, module.shares(query), memory.shape[1]))

        handle = attention.register_forward_pre_hook(keep)
        try:
            outputs = self.network(features, valid)
        finally:
            handle.remove()
        row = position if layer < len(self.network.encoder) else query_at(outputs, position)
        return seen[0][0, :, row]


def query_at(outputs: Outputs, position: int) -> int:
    """The query of a single sequence whose segment is the likeliest action at a feature, else the nearest one."""
    centre, width = (outputs.segments[-1, 0] * outputs.spans[0]).unbind(-1)
    score = outputs.logits[-1, 0].sigmoid().amax(-1) * outputs.actionness[0]
    beyond = ((centre - position - 0.5).abs() - width / 2).clamp(min=0)
    return int((score - beyond).argmax() if (beyond == 0).any() else beyond.argmin())
