"""The network over a sequence that comes in pieces: what one pass gives, in memory that does not grow with length.

Every part of the network sees a limited way. Between two pieces each part keeps the end of its input, as far as its
next outputs reach back, and so nothing is computed twice but the margin of a single part. A long file cut to pieces and
a live source are the same here: they differ in who cuts.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from actionformer.detectors.actionformer.network import ActionFormer
from actionformer.nn.layers import Mask
from actionformer.nn.pyramid import Block, FeaturePyramidNeck

Part = Callable[[Tensor, Mask], tuple[Tensor, ...]]
Piece = tuple[Tensor, ...]
"""x (1, t, C) and its mask (1, t) that follow those before, t >= 1; of heads logits, offsets, mask; () for nothing."""


class LevelOutputs(NamedTuple):
    """What the network says of the moments of one level that a piece has completed."""

    level: int
    first: int
    """Index in its level of the first of these moments."""
    logits: Tensor
    """(B, t, K) class scores before the sigmoid, 0 at padding."""
    offsets: Tensor
    """(B, t, 2) distances to the action's start and end, in strides of the level."""
    valid: Tensor
    """(B, t) bool."""


def lookahead(model: ActionFormer) -> list[int] | None:
    """For every level, how many features after a moment its outputs depend on (before it: as many, with an fpn more).

    None where that has no bound: attention over the whole sequence, or positions, which a long sequence interpolates.
    """
    if model.position is not None:
        return None
    reaches, strides = [model.embedding.reach], [1]
    for block in model.pyramid.blocks:
        if block.reach is None:
            return None
        reaches.append(reaches[-1] + block.reach * strides[-1])
        strides.append(strides[-1] * block.stride)
    reaches, strides = reaches[model.pyramid.first_level :], strides[model.pyramid.first_level :]
    if isinstance(model.neck, FeaturePyramidNeck):
        reaches = [max(reaches)] * len(reaches)  # the finest level waits for the coarsest
    last = model.neck.reach + model.classifier.reach
    return [reach + last * stride for reach, stride in zip(reaches, strides, strict=True)]


class Pieces:
    """A network in test mode at work on one sequence.

    Args:
        model: one whose `lookahead` has a bound.
    """

    def __init__(self, model: ActionFormer) -> None:
        assert lookahead(model) is not None
        assert not model.training
        self.model = model
        self.padded = False
        self.embedding = _Stage(lambda x, valid: (model.embed(x, valid),), reach=model.embedding.reach)
        self.blocks = [
            _Stage(partial(_output, block), reach=block.reach or 0, stride=block.stride)
            for block in model.pyramid.blocks
        ]
        count = len(model.offset_activation.scales)
        reach = model.neck.reach + model.classifier.reach
        self.heads = [_Stage(partial(self._look, level=level), reach=reach) for level in range(count)]
        self.sums = [_Sum(model.neck, level) for level in range(count) if isinstance(model.neck, FeaturePyramidNeck)]

    @torch.inference_mode()
    def push(self, features: Tensor, valid: Tensor | None = None, *, last: bool = False) -> list[LevelOutputs]:
        """Takes in features (t, D), t >= 1, and their mask (t,); returns what they complete, for no level or for some.

        The mask can be left out where nothing is padding.

        With `last` that is all that is left: no more features can follow.
        """
        self.padded |= valid is not None
        if valid is None:
            valid = torch.ones(len(features), dtype=torch.bool, device=features.device)
        outputs = [self.embedding((features[None], valid[None]), last, self.padded)]
        for block in self.blocks:
            outputs.append(block(outputs[-1], last, self.padded))
        levels = self._summed(outputs[self.model.pyramid.first_level :], last)
        completed = []
        for level, (head, piece) in enumerate(zip(self.heads, levels, strict=True)):
            first = head.done
            if found := head(piece, last, self.padded):
                logits, offsets, mask = found
                completed.append(LevelOutputs(level, first, logits, offsets, mask))
        return completed

    def _summed(self, levels: list[Piece], last: bool) -> list[Piece]:
        """The top-down way of an fpn neck."""
        above: Piece | None = None
        for level in reversed(range(len(self.sums))):
            levels[level] = above = self.sums[level](levels[level], above, last)
        return levels

    def _look(self, x: Tensor, valid: Mask, level: int) -> tuple[Tensor, Tensor]:
        model = self.model
        x = model.neck.finish(x, valid, level)
        return model.classifier(x, valid), model.offset_activation(model.regressor(x, valid), level)


def _output(block: Block, x: Tensor, valid: Mask) -> tuple[Tensor]:
    return (block(x, valid)[0],)


class _Held:
    """Moments that wait: a piece to which others are joined and of which the beginning is dropped."""

    def __init__(self) -> None:
        self.parts: Piece = ()

    def __len__(self) -> int:
        return self.parts[0].shape[1] if self.parts else 0

    def add(self, piece: Piece) -> None:
        if not len(self):
            self.parts = piece
        elif piece:
            self.parts = tuple(torch.cat(pair, dim=1) for pair in zip(self.parts, piece, strict=True))

    def drop(self, count: int) -> None:
        self.parts = cut(self.parts, count)


def cut(piece: Piece, start: int, stop: int | None = None) -> Piece:
    """The moments of a piece from `start` to `stop`."""
    return tuple(tensor[:, start:stop] for tensor in piece)


class _Stage:
    """One part of the network over pieces.

    Outputs too near to an end of what is held, where the sequence goes on, are not those of the whole sequence and are
    left out: those of the right end until more has come, those of the left end were done before.
    """

    def __init__(self, part: Part, *, reach: int, stride: int = 1) -> None:
        self.part, self.reach, self.stride = part, reach, stride
        self.held = _Held()
        self.first = 0  # position of the first moment held, a multiple of the stride
        self.done = 0  # outputs given so far

    def __call__(self, piece: Piece, last: bool, padded: bool) -> Piece:
        self.held.add(piece)
        known = self.first + len(self.held)
        ready = -(-known // self.stride) if last else (known - 1 - self.reach) // self.stride + 1
        if ready <= self.done:
            return ()
        skipped = self.done - self.first // self.stride
        x, valid = self.held.parts
        outputs = (*self.part(x, valid if padded else None), valid[:, :: self.stride])
        outputs = cut(outputs, skipped, skipped + ready - self.done)
        self.done = ready
        start = max(ready * self.stride - self.reach, 0) // self.stride * self.stride
        self.held.drop(start - self.first)
        self.first = start
        return outputs


class _Sum:
    """A level of an fpn neck with the coarser one above it, as far as both are there."""

    def __init__(self, neck: FeaturePyramidNeck, level: int) -> None:
        self.neck, self.level = neck, level
        self.fine, self.coarse = _Held(), _Held()

    def __call__(self, fine: Piece, coarse: Piece | None, last: bool) -> Piece:
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
