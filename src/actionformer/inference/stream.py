"""Actions of a video whose features arrive chunk by chunk, each given once it is final."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from actionformer.core.detections import Detections
from actionformer.core.errors import InputError, warn
from actionformer.core.segments import TimeGrid, clip
from actionformer.detectors.base import Architecture, Decoder, Level, architecture_of
from actionformer.features import RunningMean
from actionformer.inference.caps import Cut, Shares, worth_telling
from actionformer.inference.overflow import overflow_at
from actionformer.inference.runner import CHUNK, Runner
from actionformer.inference.sequences import Array, ArrayRows, as_matrix, check_shape, with_padding
from actionformer.inference.suppression import suppress_and_count
from actionformer.nn.decoding import Candidates
from actionformer.nn.extremes import Largest, largest_of
from actionformer.nn.outputs import LevelOutputs
from actionformer.settings.config import Config


def with_live(config: Config, max_action_seconds: float | None, max_per_hour: float | None) -> Config:
    """Settings with these two of the section `live`; what is None stays as it is.

    Raises:
        InputError: a number that cannot be meant.
    """
    given = {"max_action_seconds": max_action_seconds, "max_per_hour": max_per_hour}
    return config.replace(live={name: value for name, value in given.items() if value is not None})


class Stream:
    """Looks for actions in features as they come.

    Time is cut into blocks of `max_action_seconds`, the longest that an action may last. An action belongs to the block
    in which it starts, and competes with all candidates that start in this block, the one before and the one after:
    everything it can overlap. Chains of suppression that reach further are cut there. So a block is final once all
    that starts in the next one is known, and what is found does not depend on when features arrive. Levels of the
    pyramid that are made for longer actions alone, which would have to be waited for longest, are left out.

    Args:
        runner: of a network that can be run in chunks.
        config: all settings.
        grid: of the features.
        class_names: of the network.
        name: what messages call the source.
        told: warn where caps cut what is missed; else `cut` tells.
        shown_from: the least score that is shown, from which on what is cut is missed; see `worth_telling`.
        centred: the features come less their mean over the video. Else a model with `data.center_videos` sees them less
            the mean of all that have come so far.
        at_once: features that the network may wait for, of a source that is not live: many at once are faster, and
            what is found is the same, to rounding.

    Attributes:
        delay_seconds: an action is final no later than when the features of so much time after its start are there.
        cut: what caps have cut so far.
    """

    def __init__(
        self,
        runner: Runner,
        config: Config,
        grid: TimeGrid,
        class_names: tuple[str, ...],
        *,
        name: str = "stream",
        told: bool = True,
        shown_from: float | None = None,
        centred: bool = False,
        at_once: int = 1,
    ) -> None:
        self.config, self.grid, self.class_names, self.device = config, grid, class_names, runner.device
        self._architecture, self._network = architecture_of(config), runner.network
        seconds = config.live.max_action_seconds
        if seconds is None:
            raise InputError("a stream needs max_action_seconds, the longest that an action may last")
        chunks = self._architecture.chunks(self._network)
        if chunks is None or config.data.resize is not None or config.data.window is not None:
            raise InputError(
                "this model cannot follow a stream: it sees a sequence as a whole "
                "(global attention, positions, statistics of all moments, or features resized or cut to one length): "
                "detect in finished files, without live.max_action_seconds"
            )
        if config.suppression.soft_from_width:
            raise InputError(
                "suppression.soft_from_width needs the length of a video, which a stream has not: set it to 0"
            )
        levels = self._architecture.levels(self._network)
        step = grid.step
        self.block = longest_action(config, grid)
        if self.block < 1:
            raise InputError(
                f"max_action_seconds must be at least the {step:g} s between two features, found {seconds:g}"
            )
        self.strides = [level.stride for level in levels]
        self.levels = levels_for(levels, self.block)
        coarsest = self.strides[self.levels[-1]]
        self.size = min(max(round(self.block / 4 / coarsest), 1) * coarsest, CHUNK)
        self.long_chunk = max(at_once // self.size, 1) * self.size
        wait = max(levels[level].lookahead or 0 for level in self.levels) + coarsest
        self.delay_seconds = (3 * self.block + wait + self.long_chunk + 1) * step
        self.length = 0  # features so far
        self.ended = False
        self._chunks = chunks
        running = config.data.center_videos and not centred
        self._centring = RunningMean(config.model.input_width) if running else None
        self._largest, self._fed = Largest(0.0, 0, 0.0), 0  # of the features that the network has seen, and how many
        self._waiting: list[Array] = []  # features that do not fill a chunk yet
        self._known = dict.fromkeys(self.levels, 0)  # moments of each level of which all is known
        self._next = 0  # first block that is not final
        self._candidates = _nothing()
        self.cut = Cut()
        self._name, self._told, self._said = name, told, ("", 1)  # what was said last, and of how much
        self._shown_from, self._best = shown_from, 0.0
        self._shares = Shares(config, grid, self.block)
        self._kept = 0  # actions that are final

    def push(self, features: Any) -> Detections:
        """Takes in features (t, D) that follow those before, t >= 1; returns the actions that are final with them.

        Raises:
            InputError: features of another width or shape, or the stream has ended.
        """
        if self.ended:
            raise InputError("the stream has ended: begin another one")
        rows = ArrayRows(as_matrix(features))
        check_shape(rows.shape, self.config.model.input_width)
        self._waiting.append(rows[:].copy() if self._centring is None else self._centring(rows[:]))
        self.length += rows.shape[0]
        if sum(map(len, self._waiting)) > self.long_chunk:
            joined, start = np.concatenate(self._waiting), 0
            while len(joined) - start > self.long_chunk:  # one at least is kept for the end
                self._feed(joined[start : start + self.long_chunk])
                start += self.long_chunk
            self._waiting = [joined[start:].copy()]
        found = self._final()
        self._say(2 * self._said[1])
        return found

    def finish(self, duration: float | None = None) -> Detections:
        """Ends the stream; returns the actions that were not final before.

        Args:
            duration: where the video ends, seconds, and actions at the latest; by default what the features cover.
        """
        if self.ended:
            raise InputError("the stream has ended: begin another one")
        if duration is not None and not 0 < duration < math.inf:
            raise InputError(f"duration must be a positive number of seconds, found {duration}")
        self.ended = True
        if self.length == 0:
            return joined((), self.class_names)
        rest = np.concatenate(self._waiting)
        found: list[Detections] = []
        if waited := (len(rest) - 1) // self.size * self.size:  # live, blocks are final before the end is known
            self._feed(rest[:waited])
            found.append(self._final())
        padding = self._architecture.computed_length(self.length) - self.length
        self._feed(rest[waited:], padding, last=True)
        found.append(self._final(duration or self.grid.seconds_covered(self.length)))
        self._say(0)
        return joined(found, self.class_names)

    def provisional(self) -> Detections:
        """The actions so far that are not final yet, of all moments whose lookahead is there."""
        return self._together(range(self._next, self._last_block() + 1))[0]

    def _say(self, least: int) -> None:
        """Says what caps have cut, if it is so much and was not said before."""
        if not self._told or self.cut.more < least:
            return
        message = self.cut.message(self._name, self._shares.config)
        if message is not None and message != self._said[0]:
            self._said = message, self.cut.more
            warn(message, stacklevel=3)

    def _feed(self, features: Array, padding: int = 0, *, last: bool = False) -> None:
        """Runs a chunk, the last one with padding behind it, and keeps the candidates it gives."""
        self._largest = max(self._largest, largest_of(features, self._network, self._fed))
        completed = self._chunks.push(*with_padding(features, padding, self.device), last=last)
        completed = [outputs for outputs in completed if outputs.level in self.levels]
        pieces = range(self._fed + self.size, self._fed + len(features), self.size)
        self._fed += len(features)
        for outputs in completed:
            self._known[outputs.level] = outputs.stop
        if completed:
            self._take_in(completed, pieces)

    def _take_in(self, completed: Sequence[LevelOutputs], pieces: range) -> None:
        """Keeps the candidates of new outputs, which live would have come in pieces, after so many features each."""
        decoders = self._decoders(completed, pieces)
        if any(one.overflown()[0] for one in decoders):
            raise overflow_at(self._largest, self._name, self._network)
        for one in decoders:
            self.cut.leave(*one.left_out()[0])
        found = Candidates.joined([candidates for one in decoders for candidates in one.candidates()])
        self._best = max(self._best, found.scores.max().item() if len(found.scores) else 0.0)
        short = found.segments[:, 1] - found.segments[:, 0] <= self.block
        self._candidates = Candidates.joined([self._candidates, found.chosen(short)])

    def _decoded(self, completed: Iterable[LevelOutputs], architecture: Architecture | None = None) -> Decoder:
        decoder = (architecture or self._architecture).decoder()
        for outputs in completed:
            decoder.add(outputs)
        return decoder

    def _decoders(self, completed: Sequence[LevelOutputs], pieces: range) -> list[Decoder]:
        """What has decoded new outputs as live: `decoding.top_k` counts in what comes at once."""
        if not pieces:
            return [self._decoded(completed)]
        parts = list(self._as_if_live(completed, pieces))
        most = max(outputs.logits.numel() for part in parts for outputs in part)  # pairs of moment and class
        if most <= self.config.decoding.top_k:  # then it never cuts, and all can be decoded together
            enough = {"top_k": max(outputs.logits.numel() for outputs in completed)}
            decoding = self.config.decoding.model_copy(update=enough)
            return [self._decoded(completed, architecture_of(self.config.model_copy(update={"decoding": decoding})))]
        whole = self._decoded(completed)
        if whole.left_out()[0][0] <= self.config.decoding.min_probability:  # nothing was cut
            return [whole]
        return [self._decoded(part) for part in parts]

    def _as_if_live(self, completed: Sequence[LevelOutputs], pieces: range) -> Iterator[list[LevelOutputs]]:
        """Outputs as they would have come, live."""
        first = {outputs.level: outputs.first for outputs in completed}  # moments of each level
        stops = [dict(enumerate(self._chunks.complete_after(features))) for features in pieces]
        for stop in (*stops, {outputs.level: outputs.stop for outputs in completed}):
            parts = [outputs.between(first[outputs.level], stop[outputs.level]) for outputs in completed]
            if piece := [outputs for outputs in parts if outputs.logits.shape[1]]:
                yield piece
            first = {level: max(moment, stop[level]) for level, moment in first.items()}

    def _final(self, duration: float | None = None) -> Detections:
        """The actions of the blocks that have become final, of all with a `duration`."""
        first = self._next
        if duration is not None:
            self._next = max(self._last_block() + 1, first)
            found = self._counted(*self._together(range(first, self._next), duration))
        else:
            decoded = min(known * self.strides[level] for level, known in self._known.items())
            # What comes has its moment there or later, and starts at most a block before.
            self._next = max(first, math.floor(decoded / self.block) - 2)
            if self._next == first:
                return joined((), self.class_names)
            candidates = _Blocks(self._candidates, self.block)
            each = (self._of_block(candidates, block) for block in range(first, self._next))
            found = joined(each, self.class_names)
        recent = self._candidates.segments[:, 0] >= (self._next - 1) * self.block
        self._candidates = self._candidates.chosen(recent)
        return found

    def _last_block(self) -> int:
        starts = self._candidates.segments[:, 0]
        return max(math.floor(starts.max().item() / self.block), 0) if len(starts) else -1

    def _together(self, blocks: Iterable[int], duration: float | None = None) -> tuple[Detections, int]:
        """The actions of all blocks that are left, if the stream ended now, and how many more are worth telling."""
        shares, most = self._shares, self._shares.of_rest(self.length, self._kept)
        candidates = _Blocks(self._candidates, self.block)
        caps = [(one, shares.of_block(one, 0) if shares.hourly else most) for one in blocks]
        each = [self._suppressed(candidates, one, cap, duration) for one, cap in caps]
        found, more = joined((one for one, _ in each), self.class_names), sum(beyond for _, beyond in each)
        if shares.hourly:
            return found, more
        return found[:most], more + int((found.scores[most:] >= self._worth()).sum())

    def _of_block(self, candidates: _Blocks, block: int) -> Detections:
        """The actions of a block that has become final."""
        return self._counted(*self._suppressed(candidates, block, self._shares.of_block(block, self._kept)))

    def _counted(self, found: Detections, more: int) -> Detections:
        worth = self._worth()
        self.cut.add(int((found.scores >= worth).sum()), more, worth)
        self._kept += len(found)
        return found

    def _worth(self) -> float:
        return worth_telling(self._best) if self._shown_from is None else self._shown_from

    def _suppressed(
        self, candidates: _Blocks, block: int, most: int, duration: float | None = None
    ) -> tuple[Detections, int]:
        """The actions of one block, and how many more it would have that are worth telling."""
        origin = block * self.block
        near, own = candidates.around(block)
        kept, more = suppress_and_count(
            near.segments - origin,  # small numbers: suppression is in float32
            near.scores,
            near.labels,
            self.config.suppression,
            most=most,
            worth=self._worth(),
            wanted=own,
        )
        seconds = self.grid.to_seconds(kept.segments.astype(np.float64) + origin)
        found = Detections(
            clip(seconds, math.inf if duration is None else duration, self.grid.start),
            kept.scores.astype(np.float64),
            kept.labels,
            self.class_names,
            near.levels.numpy()[kept.index],
        )
        return found, more


class _Blocks:
    """Candidates in the order of their starts, so that those of neighbouring blocks lie together."""

    def __init__(self, candidates: Candidates, block: float) -> None:
        self.candidates = candidates.chosen(candidates.segments[:, 0].argsort(stable=True))
        self.of = torch.floor(self.candidates.segments[:, 0] / block).clamp(min=0)

    def around(self, block: int) -> tuple[Candidates, Tensor]:
        """Those that start in a block, the one before or the one after, and (n,) bool which of them in itself."""
        first, stop = torch.searchsorted(self.of, torch.tensor([block - 1, block + 2], dtype=self.of.dtype)).tolist()
        return self.candidates.chosen(slice(first, stop)), self.of[first:stop] == block


def longest_action(config: Config, grid: TimeGrid) -> float:
    """The longest that an action of a stream may last, in grid steps; without streams it has no bound."""
    seconds = config.live.max_action_seconds
    return math.inf if seconds is None else seconds * grid.fps / grid.stride


def levels_for(levels: list[Level], longest: float) -> list[int]:
    """Which levels are made for actions of up to `longest` grid steps."""
    return [index for index, level in enumerate(levels) if level.action_range[0] < longest] or [0]


def joined(several: Iterable[Detections], class_names: tuple[str, ...]) -> Detections:
    """All of several detections of one video."""
    found = [Detections(np.empty((0, 2)), np.empty(0), np.empty(0, np.int64), class_names), *several]
    segments, scores, labels, levels = (
        np.concatenate([getattr(one, name) for one in found]) for name in ("segments", "scores", "labels", "levels")
    )
    return Detections(segments, scores, labels, class_names, levels)


def _nothing() -> Candidates:
    return Candidates(
        torch.empty(0, 2, dtype=torch.float64),
        torch.empty(0),
        *(torch.empty(0, dtype=torch.int64) for _ in range(3)),
    )
