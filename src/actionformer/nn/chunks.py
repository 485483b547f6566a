"""The network over a sequence that comes in chunks: what one pass gives, in memory that does not grow with length.

Every part of the network sees a limited way. Between two chunks each part keeps the end of its input, as far as its
next outputs reach back, and so nothing is computed twice but the margin of a single part. A long file cut to chunks and
a live source are the same here: they differ in who cuts.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TypeVar

import torch
from torch import Tensor

from actionformer.nn.blocks import Block
from actionformer.nn.ensemble import averaged_parts
from actionformer.nn.layers import Mask
from actionformer.nn.necks import FeaturePyramidNeck
from actionformer.nn.outputs import LevelOutputs
from actionformer.nn.pyramid_network import PyramidNetwork

T = TypeVar("T")
Part = Callable[[Tensor, Mask], tuple[Tensor, ...]]
Chunk = tuple[Tensor, ...]
"""x (1, t, C) and its mask (1, t) that follow those before, t >= 1; of heads logits, offsets, mask; () for nothing."""


def lookahead(model: PyramidNetwork) -> list[int] | None:
    """For every level, how many features after a moment its outputs depend on (before it: as many, with an fpn more).

    None where that has no bound: attention or statistics over the whole sequence, or positions, which a long sequence
    interpolates.
    """
    neck_radius = model.neck.receptive_radius
    if model.position is not None or neck_radius is None:
        return None
    reaches, strides = [model.embedding.receptive_radius], [1]
    for block in model.pyramid.blocks:
        if block.receptive_radius is None:
            return None
        reaches.append(reaches[-1] + block.receptive_radius * strides[-1])
        strides.append(strides[-1] * block.stride)
    reaches, strides = reaches[model.pyramid.first_level :], strides[model.pyramid.first_level :]
    if isinstance(model.neck, FeaturePyramidNeck):
        reaches = [max(reaches)] * len(reaches)  # the finest level waits for the coarsest
    last = neck_radius + model.head_radius
    return [reach + last * stride for reach, stride in zip(reaches, strides, strict=True)]


class PyramidChunks:
    """Embedding and pyramid of a network in eval mode, and the top-down way of an fpn neck, at work on one sequence.

    Args:
        model: one whose blocks see a limited way, and which knows no positions.
    """

    def __init__(self, model: PyramidNetwork) -> None:
        assert model.position is None
        assert not model.training
        self.first_level = model.pyramid.first_level
        self.padded = False
        self.embedding = Stage(lambda x, valid: (model.embed(x, valid),), radius=model.embedding.receptive_radius)
        self.blocks = [
            Stage(partial(_output, block), radius=block.receptive_radius or 0, stride=block.stride)
            for block in model.pyramid.blocks
        ]
        count = len(model.offset_activation.scales)
        self.sums = [_Sum(model.neck, level) for level in range(count) if isinstance(model.neck, FeaturePyramidNeck)]

    def push(self, features: Tensor, valid: Tensor | None = None, *, last: bool = False) -> list[Chunk]:
        """Takes in features (t, D) and their mask (t,); returns what they complete of each level."""
        self.padded |= valid is not None
        if valid is None:
            valid = torch.ones(len(features), dtype=torch.bool, device=features.device)
        outputs = [self.embedding((features[None], valid[None]), last, self.padded)]
        for block in self.blocks:
            outputs.append(block(outputs[-1], last, self.padded))
        return self._summed(outputs[self.first_level :], last)

    def complete_after(self, features: int) -> list[int]:
        """How many moments of each level so many features complete, while others follow."""
        counts = [self.embedding.complete_after(features)]
        for block in self.blocks:
            counts.append(block.complete_after(counts[-1]))
        counts = counts[self.first_level :]
        for level in reversed(range(len(self.sums) - 1)):
            counts[level] = self.sums[level].complete_after(counts[level], counts[level + 1])
        return counts

    def _summed(self, levels: list[Chunk], last: bool) -> list[Chunk]:
        above: Chunk | None = None
        for level in reversed(range(len(self.sums))):
            levels[level] = above = self.sums[level](levels[level], above, last)
        return levels


class Chunks(ABC):
    """Networks in eval mode at work on one sequence."""

    @abstractmethod
    def push(self, features: Tensor, valid: Tensor | None = None, *, last: bool = False) -> list[LevelOutputs]:
        """Takes in features (t, D), t >= 1, and their mask (t,); returns what they complete, for no level or for some.

        The mask can be left out where nothing is padding.

        With `last` that is all that is left: no more features can follow.
        """

    @abstractmethod
    def complete_after(self, features: int) -> list[int]:
        """How many moments of each level so many features complete, while others follow."""


class EnsembleChunks(Chunks):
    """Several networks whose outputs are averaged."""

    def __init__(self, members: Sequence[Chunks]) -> None:
        self.members = members

    @torch.inference_mode()
    def push(self, features: Tensor, valid: Tensor | None = None, *, last: bool = False) -> list[LevelOutputs]:
        """See `Chunks`; all members complete the same moments."""
        return list(averaged_parts([one.push(features, valid, last=last) for one in self.members]))

    def complete_after(self, features: int) -> list[int]:
        """See `Chunks`."""
        return self.members[0].complete_after(features)


class NetworkChunks(Chunks):
    """One network.

    Args:
        model: one whose `lookahead` has a bound.
    """

    def __init__(self, model: PyramidNetwork) -> None:
        assert lookahead(model) is not None
        self.model = model
        self.pyramid = PyramidChunks(model)
        radius = model.neck.radius + model.head_radius
        levels = range(len(model.offset_activation.scales))
        self.heads = [Stage(partial(self._look, level=level), radius=radius) for level in levels]

    @torch.inference_mode()
    def push(self, features: Tensor, valid: Tensor | None = None, *, last: bool = False) -> list[LevelOutputs]:
        """See `Chunks`."""
        levels = self.pyramid.push(features, valid, last=last)
        completed = []
        for level, (head, chunk) in enumerate(zip(self.heads, levels, strict=True)):
            first = head.done
            if found := head(chunk, last, self.pyramid.padded):
                logits, offsets, mask = found
                completed.append(LevelOutputs(level, first, logits, offsets, mask))
        return completed

    def complete_after(self, features: int) -> list[int]:
        """See `Chunks`."""
        levels = zip(self.heads, self.pyramid.complete_after(features), strict=True)
        return [head.complete_after(count) for head, count in levels]

    def _look(self, x: Tensor, valid: Mask, level: int) -> tuple[Tensor, Tensor]:
        return self.model.look(self.model.neck.finish(x, valid, level), valid, level)


def with_last(parts: Iterable[T]) -> Iterator[tuple[T, bool]]:
    """Each part with whether it is the last; there is at least one."""
    following = iter(parts)
    part = next(following)
    for after in following:
        yield part, False
        part = after
    yield part, True


def _output(block: Block, x: Tensor, valid: Mask) -> tuple[Tensor]:
    return (block(x, valid)[0],)


class _Held:
    """Moments that wait: a chunk to which others are joined and of which the beginning is dropped."""

    def __init__(self) -> None:
        self.parts: Chunk = ()

    def __len__(self) -> int:
        return self.parts[0].shape[1] if self.parts else 0

    def add(self, chunk: Chunk) -> None:
        if not len(self):
            self.parts = chunk
        elif chunk:
            self.parts = tuple(torch.cat(pair, dim=1) for pair in zip(self.parts, chunk, strict=True))

    def drop(self, count: int) -> None:
        self.parts = cut(self.parts, count)


def cut(chunk: Chunk, start: int, stop: int | None = None) -> Chunk:
    """The moments of a chunk from `start` to `stop`."""
    return tuple(tensor[:, start:stop] for tensor in chunk)


class Stage:
    """One part of the network over chunks.

    Outputs too near to an end of what is held, where the sequence goes on, are not those of the whole sequence and are
    left out: those of the right end until more has come, those of the left end were done before.
    """

    def __init__(self, part: Part, *, radius: int, stride: int = 1) -> None:
        self.part, self.radius, self.stride = part, radius, stride
        self.held = _Held()
        self.first = 0  # position of the first moment held, a multiple of the stride
        self.done = 0  # outputs given so far

    def __call__(self, chunk: Chunk, last: bool, padded: bool) -> Chunk:
        """The outputs that a chunk of inputs completes, and their mask; with `last` all that are left."""
        self.held.add(chunk)
        known = self.first + len(self.held)
        ready = -(-known // self.stride) if last else self.complete_after(known)
        if ready <= self.done:
            return ()
        skipped = self.done - self.first // self.stride
        x, valid = self.held.parts
        outputs = (*self.part(x, valid if padded else None), valid[:, :: self.stride])
        outputs = cut(outputs, skipped, skipped + ready - self.done)
        self.done = ready
        start = max(ready * self.stride - self.radius, 0) // self.stride * self.stride
        self.held.drop(start - self.first)
        self.first = start
        return outputs

    def complete_after(self, inputs: int) -> int:
        """How many outputs so many inputs complete, while others follow."""
        return max((inputs - 1 - self.radius) // self.stride + 1, 0)


class _Sum:
    """A level of an fpn neck with the coarser one above it, as far as both are there."""

    def __init__(self, neck: FeaturePyramidNeck, level: int) -> None:
        self.neck, self.level = neck, level
        self.fine, self.coarse = _Held(), _Held()

    def __call__(self, fine: Chunk, coarse: Chunk | None, last: bool) -> Chunk:
        if fine:
            x, valid = fine
            self.fine.add((self.neck.lateral(x, valid, self.level), valid))
        if coarse is None:  # the coarsest
            ready, self.fine.parts = self.fine.parts, ()
            return ready
        self.coarse.add(coarse)
        repeats = self.neck.repeats[self.level]
        count = min(len(self.fine), len(self.coarse) * repeats)
        used = -(-count // repeats) if last else count // repeats
        if used == 0:
            return ()
        x, valid = cut(self.fine.parts, 0, count if last else used * repeats)
        summed = self.neck.add(x, self.coarse.parts[0][:, :used], valid, self.level)
        self.fine.drop(x.shape[1])
        self.coarse.drop(used)
        return summed, valid

    def complete_after(self, fine: int, coarse: int) -> int:
        """How many moments so many of both levels complete, while others follow."""
        repeats = self.neck.repeats[self.level]
        return min(fine // repeats, coarse) * repeats
