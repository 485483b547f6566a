"""Sequences through the network, on whatever device it is: alone or in batches, in one pass or in chunks."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, TypeVar

import torch
from torch import Tensor

from actionformer.core.errors import warn
from actionformer.detectors.base import Architecture, Decoder, Level, Part, architecture_of
from actionformer.engines.engine import Engine
from actionformer.inference.graphs import Graphs, bucket
from actionformer.inference.sequences import FeatureSequence
from actionformer.nn.network import Network
from actionformer.nn.packed import can_pack, packed
from actionformer.settings.config import Config

Item = TypeVar("Item")
CHUNK, GPU_CHUNK = 2048, 65536
GPU_BATCH = 64
LARGEST_GRAPH = 32768  # from here on kernels are long enough to be launched one by one


class Runner:
    """A network in eval mode, made fast on its device.

    Attributes:
        model: the network as it was built.
        architecture: its detector, under the present settings.
        graphs: CUDA graphs that replay single sequences, of a network without positions or proposals. Nobody has
            measured yet what they gain: `runner.graphs = Graphs(runner.model)` switches them on.
        engine: computes in the network's place, see `load`; the network itself still computes what comes in chunks.
        chunk: moments of a long sequence, or on a GPU of a batch, that are computed together. A sequence of more than
            two chunks is run chunk by chunk, in memory that does not grow with its length.
    """

    def __init__(self, model: Network, config: Config, device: torch.device) -> None:
        self.model, self.device = model, device
        self.config = config
        self.on_cpu = device.type == "cpu"
        self.chunk = CHUNK if self.on_cpu else GPU_CHUNK
        self._packed: tuple[list[tuple[int, int]], Network] | None = None
        self.graphs: Graphs | None = None
        self.engine: Engine | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Without what is made again when it is needed, and cannot be pickled."""
        graphs = None if self.graphs is None else Graphs(self.model)
        return self.__dict__ | {"_packed": None, "graphs": graphs}

    @property
    def config(self) -> Config:
        """All settings."""
        return self.architecture.config

    @config.setter
    def config(self, config: Config) -> None:
        self.architecture: Architecture = architecture_of(config)

    @property
    def levels(self) -> list[Level]:
        """The levels of the network's pyramid, if it has one that spans a sequence and not each of its windows."""
        return [] if self.config.data.window is not None else self.architecture.levels(self.model)

    @property
    def strides(self) -> list[int]:
        """Features between the moments of each level of whatever the network sees at once."""
        return [level.stride for level in self.architecture.levels(self.model)]

    @property
    def network(self) -> Network:
        """The model, or on a CPU its packed copy, made anew when its weights have changed."""
        if not can_pack(self.model):
            return self.model
        weights = list(self.model.parameters())
        state = [(w.data_ptr(), 0 if w.is_inference() else w._version) for w in weights]
        if self._packed is None or self._packed[0] != state:
            self._packed = state, packed(self.model)
        return self._packed[1]

    def batches(self, sequences: list[FeatureSequence], size: int | None = None) -> list[list[int]]:
        """Rows of the sequences that are run together: long ones alone, others with those of like length.

        Sequences with published padding share a batch only if they are padded alike: that is part of their result.

        Args:
            sequences: any.
            size: most in a batch; by default 1 on a CPU, of windows as many as the detector says, on a GPU as many as
                fill a chunk. A CPU gets no more than fill a chunk in any case.
        """
        groups: dict[tuple[int, int], list[int]] = {}
        for row, sequence in enumerate(sequences):
            alone = row if self._is_long(self._computed(sequence)) else -1
            padded = self.architecture.padded_length(len(sequence))
            groups.setdefault((alone, padded), []).append(row)
        on_cpu = 1 if self.config.data.window is None else self.architecture.windows_together
        largest = size or (on_cpu if self.on_cpu else GPU_BATCH)
        batches: list[list[int]] = []
        for rows in groups.values():
            batch: list[int] = []
            for row in sorted(rows, key=lambda row: self._computed(sequences[row])):
                moments = self._computed(sequences[row]) * (len(batch) + 1)
                bounded = size is None or self.on_cpu  # a CPU is slower with more in memory than its caches hold
                if batch and (len(batch) == largest or (bounded and moments > self.chunk)):
                    batches.append(batch)
                    batch = []
                batch.append(row)
            batches.append(batch)
        return batches

    @torch.inference_mode()
    def run(self, sequences: list[FeatureSequence]) -> Decoder:
        """Has sequences of one batch computed and decoded; a GPU still works when this returns."""
        decoder = self.architecture.decoder()
        for outputs in self.outputs(sequences):
            decoder.add(outputs)
        return decoder

    def outputs(self, sequences: list[FeatureSequence]) -> Iterator[Any]:
        """What the network says of sequences of one batch, as its decoder takes it: of a long one chunk by chunk.

        Each part is to be used before the next is asked for, without gradients.
        """
        padded = max(map(self._computed, sequences))
        if self._is_long(padded):
            found = self.architecture.long_outputs(self.network, partial(self._in_chunks, sequences[0], padded))
            if found is not None:
                yield from found
                return
            warn(
                f"{padded} features run in one pass, in memory that grows with their number: "
                "this model sees a sequence as a whole",
                stacklevel=2,
            )
        if self.engine is not None and self.engine.takes(padded):
            yield from self.engine(*self._batch(sequences, padded))
            return
        yield from self.architecture.parts(self._forward(sequences, padded))

    def _forward(self, sequences: list[FeatureSequence], padded: int) -> Any:
        graphs = self.graphs
        if graphs is not None and len(sequences) == 1 and not self.architecture.second_stage:
            longer = self.graph_length(len(sequences[0]))
            if longer <= LARGEST_GRAPH:
                features, valid = self._batch(sequences, longer)
                everywhere = torch.ones(features.shape[:2], dtype=torch.bool, device=self.device)
                return graphs(features, everywhere if valid is None else valid)
        proposals = [torch.from_numpy(one.proposals) for one in sequences if one.proposals is not None]
        return self.architecture.outputs_of(self.network, *self._batch(sequences, padded), proposals)

    def graph_length(self, length: int) -> int:
        """The length of the graph for a sequence of `length` features, whose results are those of the padding rule."""
        longer = bucket(self.architecture.computed_length(length))
        return min(longer, self.architecture.padded_length(length) or longer)

    def _computed(self, sequence: FeatureSequence) -> int:
        return self.architecture.computed_length(len(sequence))

    def _is_long(self, length: int) -> bool:
        return length > 2 * self.chunk

    def _batch(self, sequences: list[FeatureSequence], padded: int) -> tuple[Tensor, Tensor | None]:
        """Features (B, T, D) and their mask (B, T), None where nothing is padding, on the device."""
        parts = [sequence.part(0, padded) for sequence in sequences]
        features = torch.stack([rows for rows, _ in parts]) if len(parts) > 1 else parts[0][0][None]
        if all(mask is None for _, mask in parts):
            return features.to(self.device), None
        valid = torch.arange(padded) < torch.tensor([[len(sequence)] for sequence in sequences])
        return features.to(self.device), valid.to(self.device)

    def _in_chunks(self, sequence: FeatureSequence, padded: int) -> Iterator[Part]:
        for start in range(0, padded, self.chunk):
            yield sequence.part(start, min(start + self.chunk, padded), self.device)


def one_ahead(items: Iterable[Item]) -> Iterator[Item]:
    """Items, each after the next has been drawn."""
    held: deque[Item] = deque()
    for item in items:
        held.append(item)
        if len(held) == 2:
            yield held.popleft()
    yield from held
