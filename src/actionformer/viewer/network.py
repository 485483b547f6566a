"""Answers that need a run's network: scores, what a moment sees, candidates, suppression step by step."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import Any

import numpy as np
import torch

from actionformer.core.detections import Detections
from actionformer.core.errors import InputError
from actionformer.core.segments import TimeGrid, clip
from actionformer.detectors.base import Level, SamplingMaps
from actionformer.features import GRID, TIMING, Features, FeatureSpec, check_backbone, open_features
from actionformer.inference.detector import Detector
from actionformer.inference.explain import (
    Explanation,
    LevelRange,
    LevelScores,
    attention_of,
    decoded_from,
    explain,
    level_ranges,
    level_windows,
    nearest_position,
    project,
    sampled,
    surroundings,
)
from actionformer.inference.loading import load
from actionformer.inference.proposals import Seconds
from actionformer.inference.sequences import FeatureSequence, place
from actionformer.inference.settings import SuppressionSettings
from actionformer.inference.suppression import trace
from actionformer.nn.attention_maps import Projections, Weights, attention_at, comparisons
from actionformer.nn.decoding import Candidates
from actionformer.recipes.proposals import ProposalFile
from actionformer.viewer.memory import kept
from actionformer.viewer.project import Project, UnavailableError
from actionformer.viewer.values import Answer, rounded, rounded_score

MOST_SCORES = 400_000
"""Numbers a level at most in an answer with scores."""
MOST_CANDIDATES = 5000
MOST_EXPLAINED, MOST_DETECTED, MOST_PROJECTED = 256 << 20, 64 << 20, 128 << 20
"""Bytes that results for the last videos, or their parts, may take; that of the last one is kept in any case."""
DRAWN = 1000
"""Points at most of attention over a whole video."""
SAME = 0.05
"""Seconds by which the ends of a detection that is computed again may differ from those of the file."""


class Network:
    """The network of a run, loaded when it is first asked; one thread computes at a time.

    Attributes:
        detections: video -> what detection finds, with the level that each came from.

    Raises:
        UnavailableError: (all answers) there are no features of this video.
    """

    def __init__(self, about: Project) -> None:
        self.about = about
        self._busy = RLock()
        self._explained: Callable[[str], Explanation] = kept(self._explain, MOST_EXPLAINED)
        self.detections: Callable[[str], Detections] = kept(self._detect, MOST_DETECTED)
        self._projected: Callable[[str, tuple[int, int], int], Projections] = kept(self._project, MOST_PROJECTED)

    @cached_property
    def detector(self) -> Detector:
        """The run's detector."""
        assert self.about.run is not None
        return load(self.about.run)

    def sequence(self, video: str) -> FeatureSequence:
        """The features of a video in time."""
        assert self.about.config is not None
        assert self.about.card is not None
        features, timing = self._features(video)
        return place(features, timing, None, self.about.config, self.about.card.features)

    def _features(self, video: str) -> tuple[Features, dict[str, float | None]]:
        """The features of a video, and what is known of their place in time."""
        assert self.about.config is not None
        assert self.about.card is not None
        files = self.about.feature_files(self.about.check(video))
        spec = self.about.spec(video)
        check_backbone(spec, self.about.card.features)
        timing = {name: getattr(spec, name) for name in TIMING} | {"duration": self.about.stated_duration(video)}
        first, made_for = FeatureSpec(**{name: timing[name] for name in GRID}), self.about.card.features
        return open_features(*files, width=self.about.config.model.input_width, timing=first, made_for=made_for), timing

    def _loaded(self) -> Detector:
        with self._busy:
            return self.detector

    def _explain(self, video: str) -> Explanation:
        features, timing = self._features(video)
        with self._busy:
            sequence = self.detector.placed(features, timing, None, self._proposals(video))
            return explain(self.detector.runner, sequence)

    def _proposals(self, video: str) -> Seconds | None:
        """What the file that a second stage was trained with proposes in a video, unless a proposer finds it."""
        if not self.detector.second_stage or self.detector.proposer is not None:
            return None
        file = self.detector.card.training.get("proposals")
        if file is None:
            raise UnavailableError(
                "this run judges proposals of a file, and does not say which: --proposals of train names one"
            )
        if not Path(file).exists():
            raise UnavailableError(f"this run judges the proposals of {file}, which is not there: put it back")
        try:
            return self._file.of(video, self.detector.config.data.prefix)
        except InputError as error:
            raise UnavailableError(str(error)) from error

    @cached_property
    def _file(self) -> ProposalFile:
        return ProposalFile(self.detector.card.training["proposals"])

    def _project(self, video: str, part: tuple[int, int], block: int) -> Projections:
        sequence = self.sequence(video)
        with self._busy:
            return project(self.detector.runner, sequence, part, block)

    def _detect(self, video: str) -> Detections:
        features, timing = self._features(video)
        with self._busy:
            given = {"features": features, **timing, "proposals": self._proposals(video)}
            found = self.detector.detect_many({video: given})[video]
        return Detections(found.segments, found.scores, found.labels, self.about.class_names, found.levels)

    def levels(self, video: str) -> Answer:
        """The level that each of a file's detections came from.

        Null where the network finds no such detection, and everywhere if it has no levels.
        """
        given, found = self.about.detections.get(video), self.detections(video)
        if not self._loaded().runner.levels:
            return {"levels": [None] * len(found if given is None else given)}
        if given is None:
            return {"levels": found.levels.tolist()}
        levels: list[int | None] = []
        for segment, label in zip(given.segments, given.labels, strict=True):
            apart = np.abs(found.segments - segment).max(axis=1, initial=0) + np.where(found.labels == label, 0, np.inf)
            levels.append(int(found.levels[apart.argmin()]) if apart.min(initial=np.inf) <= SAME else None)
        return {"levels": levels}

    def scores(self, video: str, points: int, start: float | None, stop: float | None) -> Answer:
        """The probability of every class at every level over time, the maximum of neighbours where there are many."""
        sequence = self.sequence(video)
        span = (0.0 if start is None else start, sequence.duration if stop is None else stop)
        levels, ranges = self._explained(video).levels, level_ranges(self._levels(), sequence.grid)
        rows = zip(levels, ranges, strict=True)
        return {"levels": [self._scores(level, sees, sequence.grid, span, points) for level, sees in rows]}

    def _levels(self) -> list[Level]:
        levels = self._loaded().runner.levels
        if not levels:
            name = self.detector.config.model.detector
            raise UnavailableError(
                f"this view shows the levels of a pyramid like ActionFormer's, which {name} does not have; what it "
                "proposes is under Candidates"
            )
        return levels

    def _scores(
        self, level: LevelScores, sees: LevelRange, grid: TimeGrid, span: tuple[float, float], points: int
    ) -> Answer:
        """Of one level, in a span of seconds."""
        length, classes = level.probability.shape
        first, last = (nearest_position(grid, end, level.stride, length) for end in span)
        most = max(1, min(points, MOST_SCORES // classes))
        maximum, together = level.part(first, max(first, last) + 1).maximum(most)
        unknown = np.zeros((len(self.about.class_names) - classes, maximum.shape[1]))  # classes of annotations alone
        centre = (first + np.array([0, together]) + 0.5 * (together - 1)) * level.stride
        begin, second = grid.to_seconds(centre)
        return {
            "stride": level.stride,
            "seconds_per_step": level.stride * grid.step,
            "time": [float(begin), float(second - begin)],
            "range": list(sees.action_range),
            "maximum": rounded(np.concatenate([maximum, unknown]), 5),
        }

    def moment(self, video: str, seconds: float, block: int) -> Answer:
        """What every level's window covers around a time, the attention of a block there, and how far levels see.

        Of a network that has no levels but samples places, what these places weigh.
        """
        sampling = self._loaded().runner.architecture.sampling(self.detector.model)
        if sampling is not None:
            return self._sampled(sampling, self.sequence(video), seconds, block)
        sequence, levels, runner = self.sequence(video), self._levels(), self._loaded().runner
        answer: Answer = {
            "levels": _windows(levels, sequence, seconds),
            "ranges": _ranges(levels, sequence.grid),
            "blocks": [],
            "attention": None,
            "why_not": None,
        }
        try:
            answer["blocks"] = attention_of(runner).names()
        except InputError as error:
            return {**answer, "why_not": str(error)}
        part = surroundings(runner, sequence, seconds)
        answer["attention"] = self._attention(self._projected(video, part, block), sequence, seconds, block)
        return answer

    def _sampled(self, maps: SamplingMaps, sequence: FeatureSequence, seconds: float, block: int) -> Answer:
        with self._busy:
            weights = sampled(self.detector.runner, sequence, seconds, block)
        heads = [{"local": one, "global": None} for one in _drawn(weights, 1, sequence)]
        attention = {"block": block, "heads": heads, "cost": None, "places": maps.places}
        return {"levels": [], "ranges": [], "blocks": maps.names(), "attention": attention, "why_not": None}

    def _attention(self, seen: Projections, sequence: FeatureSequence, seconds: float, block: int) -> Answer:
        position = nearest_position(sequence.grid, seconds, seen.stride, seen.length)
        near, everywhere = (attention_at(seen, position, everywhere=where) for where in (False, True))
        local, globally = comparisons(seen)
        drawn = [_drawn(weights, seen.stride, sequence) for weights in (near, everywhere)]
        heads = [{"local": one, "global": other} for one, other in zip(*drawn, strict=True)]
        return {"block": block, "heads": heads, "cost": {"local": local, "global": globally}, "places": None}

    def candidates(self, video: str, start: float, stop: float, limit: int) -> Answer:
        """The candidates that overlap a span, best first, before suppression, and how many there are in all.

        Each with what it was decoded from: the time of its `moment` and the `offsets` to start and end, in steps of its
        level (start = moment - offset * step; clipped to the video). They mean nothing where `seconds_per_step`, of
        each level, is empty: there are no levels, and the network gave segments at once.
        """
        return self._candidates(video, start, stop, limit)[0]

    def _candidates(self, video: str, start: float, stop: float, limit: int) -> tuple[Answer, Candidates]:
        """The answer to `candidates`, and these candidates in grid steps."""
        assert self.about.config is not None
        sequence, found = self.sequence(video), self._explained(video).candidates
        seconds = sequence.grid.to_seconds(found.segments.numpy())
        near = np.flatnonzero((seconds[:, 0] < stop) & (seconds[:, 1] > start))
        best = np.argsort(-found.scores.numpy()[near], kind="stable")
        rows = near[best][: max(1, min(limit, MOST_CANDIDATES))]
        chosen = found.chosen(torch.from_numpy(rows))
        strides = np.array([level.stride for level in self._loaded().runner.levels], dtype=np.int64)
        places, offsets = decoded_from(chosen, strides if len(strides) else np.ones(1, dtype=np.int64))
        columns = {
            "segment": rounded(clip(seconds[rows], sequence.duration, sequence.grid.start)),
            "score": list(map(rounded_score, chosen.scores.tolist())),
            "label": chosen.labels.tolist(),
            "level": chosen.levels.tolist(),
            "moment": rounded(sequence.grid.to_seconds(places)),
            "offsets": rounded(offsets),
        }
        listed = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        steps = strides * sequence.grid.step
        return {"total": len(near), "seconds_per_step": rounded(steps), "candidates": listed}, chosen

    def suppression(self, video: str, start: float, stop: float, limit: int, changes: dict[str, Any]) -> Answer:
        """Suppression among the candidates of a span, pick by pick.

        Args:
            video: its id.
            start, stop: the span, seconds.
            limit: candidates at most, the best.
            changes: settings of suppression that are not the run's.
        """
        settings = self._suppression_settings(changes)
        answer, chosen = self._candidates(video, start, stop, limit)
        in_steps = settings.in_steps(len(self.sequence(video)))
        steps = trace(chosen.segments, chosen.scores, chosen.labels, in_steps)
        return {
            **answer,
            "settings": settings.model_dump(),
            "steps": [
                {
                    "pick": step.pick,
                    "score": rounded_score(step.score),
                    "changed": [
                        [index, rounded_score(score)]
                        for index, score in zip(step.index.tolist(), step.scores.tolist(), strict=True)
                    ],
                }
                for step in steps
            ],
        }

    def _suppression_settings(self, changes: dict[str, Any]) -> SuppressionSettings:
        if self.about.config is None:
            raise InputError("there is no run whose settings could be changed")
        return self.about.config.replace(suppression=changes).suppression


def _windows(levels: list[Level], sequence: FeatureSequence, seconds: float) -> list[Answer]:
    """What the window of every level covers around a time."""
    return [
        {
            "level": level,
            "window": rounded(clip(np.array(window.seconds), sequence.duration, sequence.grid.start)),
            "positions": window.last - window.first + 1,
        }
        for level, window in enumerate(level_windows(levels, sequence, seconds))
    ]


def _ranges(levels: list[Level], grid: TimeGrid) -> list[Answer]:
    """How far every level sees, and which actions it is made for."""
    return [
        {
            "level": level,
            "stride": one.stride,
            "window_seconds": one.window_seconds,
            "reach_seconds": one.reach_seconds,
            "action_range": list(one.action_range),
        }
        for level, one in enumerate(level_ranges(levels, grid))
    ]


def _drawn(weights: Weights, stride: int, sequence: FeatureSequence) -> list[Answer]:
    """The weights of every head over time, the maximum of neighbours where there are many."""
    together = -(-len(weights.positions) // DRAWN)
    begins = np.arange(0, len(weights.positions), together)
    highest = np.maximum.reduceat(weights.weights, begins, axis=1)
    ends = np.append(begins[1:], len(weights.positions)) - 1
    centres = (weights.positions[begins] + weights.positions[ends]) / 2
    times = sequence.grid.to_seconds(centres * stride)
    return [{"time": rounded(times), "weight": head} for head in rounded(highest, 5)]
