"""The network as CUDA graphs: one launch a video, where hundreds of small kernels would keep the CPU busy.

A graph is recorded for one length. Sequences are padded to one of few, which their mask makes harmless, and the graphs
used last are kept.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from actionformer.nn.network import Network

KEPT = 32


def bucket(length: int) -> int:
    """The length that sequences of `length` moments are padded to: at most an eighth more, or 63 moments."""
    step = max(64, 1 << max(length.bit_length() - 4, 0))
    return -(-length // step) * step


@dataclass(frozen=True)
class _Graph:
    """A recorded pass: its inputs are filled, then it is replayed, then its outputs are read."""

    graph: torch.cuda.CUDAGraph
    features: Tensor
    valid: Tensor
    outputs: Any


class Graphs:
    """Stands for a model in eval mode; weights that are changed in place later are seen.

    What a call returns holds until the next call of the same shape.
    """

    def __init__(self, model: Network) -> None:
        self.model = model
        self.graphs: OrderedDict[tuple[int, ...], _Graph] = OrderedDict()

    def __call__(self, features: Tensor, valid: Tensor) -> Any:
        """Features (B, T, D) and their mask (B, T) -> outputs."""
        key = tuple(features.shape)
        if key not in self.graphs:
            self.graphs[key] = self._record(features, valid)
            if len(self.graphs) > KEPT:
                self.graphs.popitem(last=False)
        self.graphs.move_to_end(key)
        recorded = self.graphs[key]
        recorded.features.copy_(features)
        recorded.valid.copy_(valid)
        recorded.graph.replay()
        return recorded.outputs

    def _record(self, features: Tensor, valid: Tensor) -> _Graph:
        features, valid = features.clone(), valid.clone()
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):  # libraries choose their kernels before anything is recorded
            for _ in range(3):
                self.model(features, valid)
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            outputs = self.model(features, valid)
        return _Graph(graph, features, valid, outputs)
