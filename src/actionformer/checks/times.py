"""Times that cannot be meant: actions outside of their video, without length, or all in its first moments.

Times in another unit are the usual cause, so it is looked for a unit that would bring all of them into their videos.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actionformer.checks.findings import Finding, Severity
from actionformer.data.collection import SEVERAL, FeaturedVideo, transposed
from actionformer.evaluation.pairs import TOLERANCE
from actionformer.features import TRANSPOSED

Floats = NDArray[np.float64]

HOPELESS = 0.9
"""Share of actions outside of their videos or without length from which on nothing is learned."""

EARLY = 0.1
"""Share of every video within which no data set has all of its actions."""

CHANCE_OF_ONE = 0.01
"""How many videos may look by chance as if their times were in a larger unit; in ActivityNet 2 of 5,000 do."""

ALIKE = 5
"""Times by which the usual length of actions may differ between videos of one data set."""

CHANCE = 1e-3
"""How likely it may be that the actions of all videos end as early as they do, if they could end anywhere."""


def check_actions(videos: Sequence[FeaturedVideo]) -> list[Finding]:
    """What is odd about where actions lie in their videos."""
    videos = [video for video in videos if len(video.video.segments)]
    if not videos:
        return []
    actions = _Actions.of(videos)
    return [*_outside(actions, videos), *_cut(actions, videos), *_empty(actions, videos), *_early(videos)]


@dataclass(frozen=True)
class _Actions:
    """The N actions of all videos in a row."""

    segments: Floats
    """(N, 2) seconds."""
    video: NDArray[np.int64]
    """(N,) of which video."""
    begin: Floats
    """(N,) where the pictures of that begin, seconds."""
    end: Floats
    """(N,) where it ends, seconds."""
    tolerance: Floats
    """(N,) by how much times and features of it may differ, seconds."""

    @classmethod
    def of(cls, videos: Sequence[FeaturedVideo]) -> _Actions:
        video = np.repeat(np.arange(len(videos)), [len(one.video.segments) for one in videos])
        places = np.array([(one.grid.start, one.end, one.grid.tolerance) for one in videos]).reshape(-1, 3)
        return cls(np.concatenate([one.video.segments for one in videos]), video, *places[video].T)

    @property
    def length(self) -> Floats:
        return self.segments[:, 1] - self.segments[:, 0]

    @property
    def outside(self) -> NDArray[np.bool_]:
        """(N,) those of which more than half lies before or after their video."""
        inside = self.segments.clip(self.begin[:, None], self.end[:, None])
        outside: NDArray[np.bool_] = ~self.empty & (inside[:, 1] - inside[:, 0] < 0.5 * self.length)
        return outside

    @property
    def cut(self) -> NDArray[np.bool_]:
        """(N,) those of which a part does."""
        beyond = (self.segments[:, 1] > self.end + self.tolerance) | (self.segments[:, 0] < self.begin - self.tolerance)
        return ~self.empty & beyond & ~self.outside

    @property
    def empty(self) -> NDArray[np.bool_]:
        """(N,) those that last no time: evaluation leaves them out too."""
        return self.length < TOLERANCE

    @property
    def severity(self) -> Severity:
        """Of what leaves no part of an action."""
        return "error" if (self.outside | self.empty).mean() >= HOPELESS else "warning"


def _outside(actions: _Actions, videos: Sequence[FeaturedVideo]) -> list[Finding]:
    """An error also if it happens in every one of several videos and one cause explains all."""
    mask = actions.outside
    concerned = [videos[i] for i in np.unique(actions.video[mask])]
    advice = _cause(concerned, videos) if concerned else ""
    everywhere = len(concerned) == len(videos) >= SEVERAL and advice
    return _found(
        "outside",
        mask,
        actions,
        videos,
        severity="error" if everywhere else actions.severity,
        what="actions lie outside of their video",
        advice=advice or "correct them, or the durations, or fps and stride of the features",
    )


def _cut(actions: _Actions, videos: Sequence[FeaturedVideo]) -> list[Finding]:
    what = "actions reach beyond their video: training ignores that part"
    return _found("cut", actions.cut, actions, videos, what=what)


def _empty(actions: _Actions, videos: Sequence[FeaturedVideo]) -> list[Finding]:
    what, advice = "actions are shorter than 1 ms and left out", "give every action a start and a later end"
    return _found("empty", actions.empty, actions, videos, severity=actions.severity, what=what, advice=advice)


def _found(
    kind: str,
    mask: NDArray[np.bool_],
    actions: _Actions,
    videos: Sequence[FeaturedVideo],
    *,
    what: str,
    severity: Severity = "warning",
    advice: str = "",
) -> list[Finding]:
    """A finding if there is any action under a mask (N,); the first is shown with its video's length."""
    if not mask.any():
        return []
    first = int(mask.argmax())
    start, end = actions.segments[first]
    example = f", the first is {start:.10g} to {end:.10g} s in {videos[actions.video[first]].video.id!r}"
    example += f", which lasts {actions.end[first]:.2f} s"
    return [Finding(kind, severity, int(mask.sum()), len(mask), what, example, advice)]


def _early(videos: Sequence[FeaturedVideo]) -> list[Finding]:
    """All actions in the first moments of every video: times in a larger unit, or features that are too long."""
    last = _last(videos)
    shares = last / [video.end for video in videos]
    latest = shares.max()
    suspicious = latest <= EARLY or transposed(videos, last.tolist())
    if last.max() <= 0 or latest >= 1 or latest ** len(videos) > CHANCE * (1 + 1e-9) or not suspicious:
        return _apart(videos, last, shares)
    first = int(shares.argmax())
    what = f"videos have no action after the first {100 * latest:.1f}%"
    example = f", {videos[first].video.id!r} none after {last[first]:.2f} of {videos[first].end:.2f} s"
    return [Finding("early", "warning", len(videos), len(videos), what, example, _early_cause(videos, last))]


def _apart(videos: Sequence[FeaturedVideo], last: Floats, shares: Floats) -> list[Finding]:
    """Some videos whose actions end early, and would be like those of the others if they were in a larger unit."""
    lengths = np.array([np.median(np.diff(video.video.segments)) for video in videos])
    ends, early = np.array([video.end for video in videos]), shares <= EARLY
    if early.all():
        return []
    usual = np.median(lengths[~early])
    for unit, size in (("in minutes", np.full(len(videos), 60.0)), ("shares of the video's length", ends)):
        alike = (lengths * ALIKE < usual) & (lengths * size * ALIKE > usual) & (lengths * size < usual * ALIKE)
        mask = early & alike & (shares * size > 0.5) & (shares * size <= 1.1)
        if mask.mean() > CHANCE_OF_ONE:
            first = int(mask.argmax())
            what = "videos have nothing but short actions in their first moments"
            example = f", {videos[first].video.id!r} none after {last[first]:.2f} of {videos[first].end:.2f} s"
            advice = f"are their times {unit}? Times are in seconds"
            return [Finding("early", "warning", int(mask.sum()), len(videos), what, example, advice)]
    return []


def _early_cause(videos: Sequence[FeaturedVideo], last: Floats) -> str:
    if transposed(videos, last.tolist()):
        return f"features of shape {videos[0].features.shape}: {TRANSPOSED}"
    causes = []
    if EARLY < last.max() <= 1:
        causes.append("shares of the video's length")
    if _unit(videos, last) == "minutes":
        causes.append("in minutes")
    causes = causes or ["in another unit, or fps and stride of the features wrong"]
    return f"are the times {' or '.join(causes)}? Times are in seconds"


def _cause(concerned: Sequence[FeaturedVideo], videos: Sequence[FeaturedVideo]) -> str:
    """Why actions of some of the videos lie outside of them, where something explains it for all."""
    if 2 * len(concerned) > len(videos) and transposed(videos, _last(videos).tolist()):
        return f"features of shape {videos[0].features.shape}: {TRANSPOSED}"
    last, ends = _last(concerned), [video.end for video in concerned]
    first = np.array([video.video.segments[:, 0].min() for video in concerned])
    causes = []
    if unit := _unit(concerned, last):
        causes.append(f"in {unit}")
    if (first > 0).all() and (last - first <= ends).all():
        causes.append("counted from another start than the video's")
    return f"are the times {' or '.join(causes)}? Times are in seconds from the video's start" if causes else ""


def _unit(videos: Sequence[FeaturedVideo], last: Floats) -> str:
    """The smallest unit in which all times lie in their videos and reach into the second half of one.

    Where there is none, they may end earlier, if they are not counted in features: those also differ from seconds by a
    few times, as times do where the features' own rate is wrong.
    """
    ends = np.array([video.end for video in videos])
    units = list(videos[0].grid.units)
    for least, unit in [*((0.5, one) for one in units), *((EARLY, one) for one in units if one != "features")]:
        latest = (last / ends / [_size(unit, video) for video in videos]).max()
        if least < latest <= 1.1:
            return unit
    return ""


def _size(unit: str, video: FeaturedVideo) -> float:
    """How many of a unit make a second of a video: of its own frames, where it is known how many."""
    return video.video.fps or video.grid.fps if unit == "frames" else video.grid.units[unit]


def _last(videos: Sequence[FeaturedVideo]) -> Floats:
    """(V,) where the last action of each video ends, seconds."""
    return np.array([video.video.segments[:, 1].max() for video in videos])
