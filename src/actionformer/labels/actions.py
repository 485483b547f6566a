"""Labels of one video as actions in seconds; what cannot be one is mended or left out, with a remark."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from actionformer.core.annotations import NamedAction
from actionformer.core.errors import InputError
from actionformer.core.segments import LATEST
from actionformer.formats.labels import LabelledSegment, LabelledVideo, Remark
from actionformer.labels.choices import Choices
from actionformer.labels.recordings import Recording

MOMENT = 1e-3 + 1e-9
"""Seconds: what is no longer has no length. Tools that know no moments write a millisecond."""
BEYOND = "a segment that lies after the end of its video is left out: is it of this video?"
NO_END = "a moment without length is left out: --point-width SECONDS makes an action of it"


@dataclass
class Actions:
    """The actions of a video, from all that label files say of it."""

    id: str
    recording: Recording | None
    choices: Choices
    remarks: list[Remark]
    """What is mended or left out is added."""
    found: list[NamedAction] = field(default_factory=list)
    segments: int = 0
    """How many labels there were."""
    complete: bool = True
    """Whether all labels could be read."""
    counts_pictures: bool = False
    """Whether its times are numbers of its pictures, at its own rate."""
    beyond: list[LabelledSegment] = field(default_factory=list)
    """Those that lie after the end of the video."""
    stated_duration: float | None = None
    """Seconds."""
    stated_fps: float | None = None

    @property
    def duration(self) -> float | None:
        """Seconds: of the video file, else the longest that is stated."""
        return self.recording.duration if self.recording else self.stated_duration

    @property
    def fps(self) -> float | None:
        """Frames per second: of the video file, else as stated."""
        return self.recording.fps if self.recording else self.stated_fps

    def add(self, entry: LabelledVideo) -> None:
        """Takes in what one file says."""
        self._note_stated(entry)
        self.segments += len(entry.segments)
        self.complete = self.complete and entry.complete
        rate = 1.0 if all(segment.sure for segment in entry.segments) else self._units_per_second(entry)
        for segment in entry.segments:
            if action := self._action(segment, 1.0 if segment.sure else rate):
                self.found.append(action)

    def _note_stated(self, entry: LabelledVideo) -> None:
        if entry.duration:
            self.stated_duration = max(entry.duration, self.stated_duration or 0.0)
        self.stated_fps = self.stated_fps or entry.fps
        own = self.recording.duration if self.recording else None
        if own and entry.duration and abs(entry.duration - own) > 0.5 + 0.01 * own:
            self._say(self.id, "labels that state another length than the video has: is it the same recording?")

    def _units_per_second(self, entry: LabelledVideo) -> float:
        unit = self.choices.unit or entry.unit
        return {"seconds": 1.0, "ms": 1e3}.get(unit) or self._rate(entry)

    def _rate(self, entry: LabelledVideo) -> float:
        """Frames per second of its frame numbers: as asked for, as the file says, as the video has."""
        where = entry.segments[0].where
        own = self.recording.fps if self.recording else None
        if (rate := self.choices.fps or entry.fps or own) is None:
            raise InputError(f"{where}: counts frames, and nothing says how many a second: give --videos or --fps")
        if own and abs(rate / own - 1) <= 1e-3 and not entry.counts_time:
            self.counts_pictures = True
        if self.choices.fps is None and entry.fps is None and self.recording and self.recording.doubt:
            self._say(where, f"counts frames, and the video {self.recording.doubt}: --fps says another rate")
        elif self.choices.fps is None and entry.fps and own and abs(entry.fps / own - 1) > 1e-3:
            self._say(
                where, f"counts {entry.fps:g} frames a second, the video has {own:g}: if that is meant, give --fps"
            )
        return rate

    def _action(self, segment: LabelledSegment, rate: float) -> NamedAction | None:
        start, end = segment.start / rate, segment.end / rate
        if unusable := self._unusable(start, end):
            self._say(segment.where, unusable)
            self.beyond += [segment] if unusable == BEYOND else []
            return None
        if end - start <= MOMENT:
            start, end = self._widened(start, end)
        elif start < 0:
            self._say(segment.where, "a segment that starts before its video is cut there")
        elif end > self._last + self._tolerance:
            self._say(segment.where, "a segment that ends after its video is cut there")
        return NamedAction(max(start, 0.0), min(end, self._last), segment.label, None, segment.where)

    def _unusable(self, start: float, end: float) -> str | None:
        """Why a segment is left out."""
        if not (abs(start) <= LATEST and abs(end) <= LATEST):
            return "a time that is no number of seconds in a video is left out: correct it"
        if end < start - MOMENT:
            return "a segment that ends before it starts is left out: correct it"
        if end - start <= MOMENT and self.choices.point_width is None:
            return NO_END
        if end <= 0 and start < 0:
            return "a segment that lies before the beginning of its video is left out: correct it"
        return BEYOND if start >= self._last else None

    def _widened(self, start: float, end: float) -> tuple[float, float]:
        """A moment as an action around it."""
        middle, half = (start + end) / 2, (self.choices.point_width or 0.0) / 2
        return max(middle - half, 0.0), min(middle + half, self._last)

    @property
    def _last(self) -> float:
        """Seconds at which the video ends."""
        return self.duration or math.inf

    @property
    def _tolerance(self) -> float:
        """Seconds by which the end of a video may be known differently: a frame."""
        return 1.0 / (self.fps or 25.0)

    def _say(self, where: str, what: str) -> None:
        self.remarks.append(Remark(what, where))

    def in_time(self) -> list[NamedAction]:
        """By start, each once."""
        return list(self._each_once(sorted(self.found, key=lambda one: (one.start, one.end, one.label))))

    def _each_once(self, actions: Sequence[NamedAction]) -> Iterator[NamedAction]:
        seen: set[tuple[int, int, str]] = set()
        last: dict[str, float] = {}
        for one in actions:
            key = round(one.start * 1000), round(one.end * 1000), one.label
            if key in seen:
                self._say(one.where, "a segment that is there twice counts once")
                continue
            seen.add(key)
            if one.start < last.get(one.label, 0.0) - MOMENT:
                self._say(one.where, "a segment overlaps another of its label, both are kept: are they two actions?")
            last[one.label] = max(one.end, last.get(one.label, 0.0))
            yield one


def unit_of(beyond: Iterable[Actions]) -> str:
    """The unit in which starts that lie after the ends of their videos would lie within all of them, or nothing."""
    beyond = [one for one in beyond if one.beyond]
    if any(segment.sure for one in beyond for segment in one.beyond):
        return ""
    videos = [(max(segment.start for segment in one.beyond), one.duration or math.inf, one.fps) for one in beyond]
    if videos and all(fps and start / fps < duration for start, duration, fps in videos):
        return "frames"
    return "ms" if videos and all(start / 1000 < duration for start, duration, _ in videos) else ""
