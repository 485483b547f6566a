"""Detection in a source that goes on: its actions, each as soon as it is final."""

from __future__ import annotations

import json
import math
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from actionformer.core.errors import InputError
from actionformer.core.progress import in_words
from actionformer.core.terminal import emit, plain_console, say, visible
from actionformer.detections import Detections
from actionformer.extraction.live import LiveFeatures
from actionformer.extraction.matching import layout_of
from actionformer.features import FeatureSpec
from actionformer.inference.detector import Detector, load
from actionformer.inference.sequences import place
from actionformer.inference.stream import Stream, with_live
from actionformer.recipes.detect import holds_features
from actionformer.recipes.extract import say_weights
from actionformer.results import CSV_HEADER, csv_line, csv_row
from actionformer.video.live import LiveFrames
from actionformer.video.sources import source_of

LONGEST_ACTION = 60.0
"""Seconds that an action may last where neither the call nor the run says."""
FORMATS = ("json", "csv", "table")
"""Formats that can be written line by line."""
ROWS = 64
"""Features of a file that are taken together."""


class Watch:
    """The actions in a live source.

    Attributes:
        delay_seconds: an action is final no later than this after its start, and what computing takes.
        stream: holds what is known so far.
    """

    def __init__(self, name: str, stream: Stream, features: Arriving) -> None:
        self.name, self.stream, self._features = name, stream, features
        grid = stream.grid
        self.delay_seconds = stream.delay_seconds + (grid.num_frames + 2) / grid.fps  # sampling looks two frames ahead

    def __iter__(self) -> Iterator[Detections]:
        """What has become final whenever features have come: often nothing; at the end the rest.

        Raises:
            InputError: the source broke off. What was found is given before.
        """
        try:
            for rows in self._features:
                yield self.stream.push(rows)
            yield self.stream.finish(self._features.duration)
        finally:
            self.stop()
        if self._features.broken:
            raise InputError(f"{self.name}: broke off after {self._features.duration:.1f} s: {self._features.broken}")

    def provisional(self) -> Detections:
        """The actions so far that are not final yet, see `Stream.provisional`."""
        return self.stream.provisional()

    def wall_clock(self, seconds: float) -> datetime | None:
        """When a time of the source was, in UTC; None of a source that is not taken in real time."""
        began = self._features.began
        return None if began is None else began + timedelta(seconds=seconds)

    def stop(self) -> None:
        """Ends the source here: what is left becomes final. May be called from anywhere, signal handlers included."""
        self._features.stop()


class Arriving(Protocol):
    """Features as they come."""

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        """(n, D) each time."""

    @property
    def began(self) -> datetime | None:
        """When time 0 was."""

    @property
    def duration(self) -> float:
        """Seconds at which they end, once all have come."""

    @property
    def broken(self) -> str | None:
        """Why no more have come, if that was not the end."""

    def stop(self) -> None:
        """Lets no more come."""


def watch(
    run: str | Path,
    source: str | Path,
    *,
    max_action_seconds: float | None = None,
    max_per_hour: float | None = None,
    backbone: str | None = None,
    weights: Sequence[str | Path] = (),
    fps: float | None = None,
    stride: float | None = None,
    num_frames: float | None = None,
    patience: float = 10.0,
    stop_after: float | None = None,
    device: str = "cpu",
    precision: str = "float32",
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    other_timing: bool = False,
    min_score: float | None = None,
    console: Console | None = None,
) -> Watch:
    """Looks for actions in a source that goes on: `for found in watch(run, "rtsp://camera/stream"): ...`.

    Over a source that ends they are those that `detect` finds in all of it with the same two settings.

    Args:
        run: a model directory.
        source: a camera (`/dev/video0`, or after FFmpeg's name of its kind as in `avfoundation:0`), an address, a named
            pipe, "-" for standard input, a file that may still be written, or a file of features.
        max_action_seconds: the longest that an action may last, which bounds the delay; by default the run's, else 60.
        max_per_hour: most actions an hour; by default the run's, or else suppression.max_detections is the cap.
        backbone, weights: what turns video into features; by default what the model was trained on.
        fps, stride, num_frames: how features lie in time; by default as those that the model was trained on.
        patience: seconds without anything new after which a file has ended, and any other source is given up.
        stop_after: seconds of video after which to end.
        device: "cpu", "cuda", ...
        precision: of the arithmetic.
        settings: of decoding, suppression and live, where they are not to be the run's; see `load`.
        other_timing: take features of another stride, window or rate than those that the model was trained on.
        min_score: the least score that will be shown: what caps cut from there on is said.
        console: where the hash of the backbone's weights is printed; by default nowhere.

    Raises:
        InputError: a source that cannot be opened, a model that sees a sequence as a whole, or what `detect` refuses.
    """
    for name, value in (("patience", patience), ("stop_after", stop_after)):
        if value is not None and not value > 0:
            raise InputError(f"{name} must be a positive number of seconds, found {value}")
    detector = load(run, device=device, precision=precision, settings=settings, other_timing=other_timing)
    detector.shown_from = min_score
    longest = max_action_seconds
    if longest is None:
        longest = detector.config.live.max_action_seconds or LONGEST_ACTION
    detector.config = with_live(detector.config, longest, max_per_hour)
    timing = FeatureSpec(fps=fps, stride=stride, num_frames=num_frames)
    if holds_features(Path(source)):
        if stop_after is not None:
            raise InputError(f"{source}: holds features, which are taken whole: stop_after is for video")
        return _watch_features(detector, Path(source), timing)
    network = detector.backbone(backbone, weights)
    say_weights(network, console or plain_console(quiet=True))
    layout = layout_of(detector.card.features, network, timing, other_timing=other_timing)
    reader = LiveFrames(source_of(str(source)), fps=layout.fps, patience=patience, stop_after=stop_after or math.inf)
    try:
        stream = detector.stream(**asdict(layout.grid(reader.fps, reader.start)), name=reader.source.name)
    except InputError:
        reader.stop()
        raise
    return Watch(reader.source.name, stream, LiveFeatures(reader, network, layout))


def _watch_features(detector: Detector, path: Path, timing: FeatureSpec) -> Watch:
    made_for, other_timing = detector.card.features, detector.other_timing
    sequence = place(path, asdict(timing), None, detector.config, made_for, other_timing=other_timing)
    rows = (sequence.features[start : start + ROWS] for start in range(0, len(sequence), ROWS))
    return Watch(str(path), detector.stream(**asdict(sequence.grid), name=str(path)), _OfFile(rows, sequence.duration))


class _OfFile:
    """Features of a file that is whole."""

    began, broken = None, None

    def __init__(self, rows: Iterator[NDArray[np.float32]], duration: float) -> None:
        self._rows, self.duration, self._stopped = rows, duration, False

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        for rows in self._rows:
            if self._stopped:
                return
            yield rows

    def stop(self) -> None:
        self._stopped = True


def check_live(source: str, out: Path | None, format_: str | None, provisional: bool) -> str:
    """The format that actions are written in: the one asked for, else the one of the file's ending, else json.

    Raises:
        InputError: it cannot be written line by line, provisional actions are asked for in another one than json, or
            the output is the source.
    """
    by_ending = {".csv": "csv", ".txt": "table"}
    chosen = format_ or (by_ending.get(out.suffix.lower(), "json") if out else "json")
    if chosen not in FORMATS:
        raise InputError(f"{chosen} is written once all is known: with --live take {', '.join(FORMATS)}")
    if provisional and chosen != "json":
        raise InputError(f"provisional actions are written as json, not as {chosen}")
    if out is not None and out.exists() and out.resolve() == Path(source).resolve():
        raise InputError(f"{out}: is the source, and is not written over: choose another output")
    return chosen


def follow(
    watching: Watch,
    out: Path | None,
    format_: str,
    *,
    chosen: Callable[[Detections], Detections],
    provisional: bool,
    console: Console,
) -> int:
    """Writes every action as soon as it is final, a line each; Ctrl-C and SIGTERM end the source, not the program.

    Args:
        watching: the source.
        out: a file to write, by default standard output.
        format_: one of `FORMATS`. json is a line {"label", "start", "end", "score"} an action, in seconds, with the
            "wall_clock" of the start if the source is taken in real time.
        chosen: those detections that are wanted.
        provisional: write, whenever they change, a line {"provisional": [...]} of all actions that are not final yet.
        console: where the delay is stated, and why a source broke off.

    Returns:
        The exit code: 0, or 1 if the source broke off; what was found before is written.

    Raises:
        InputError: a file that cannot be written.
    """
    delay = in_words(math.ceil(watching.delay_seconds))
    say(console, f"{watching.name}: an action is final at most {delay} after its start")
    with _written(out) as write, _ended_by_signals(watching.stop):
        for line in _header(format_):
            write(line)
        try:
            for line in _lines(watching, format_, chosen, provisional):
                write(line)
        except InputError as error:
            say(console, f"error: {error}")
            return 1
    return 0


def _lines(
    watching: Watch, format_: str, chosen: Callable[[Detections], Detections], provisional: bool
) -> Iterator[str]:
    shown: list[dict[str, Any]] = []
    for found in watching:
        for action in _actions(watching, chosen(found)):
            yield _line(action, format_, watching.name)
        if provisional:
            waiting = _actions(watching, chosen(watching.provisional()))
            if waiting != shown:
                yield json.dumps({"provisional": waiting})
            shown = waiting


def _actions(watching: Watch, found: Detections) -> list[dict[str, Any]]:
    """Actions in the order of time."""
    actions = []
    for one in sorted(found.to_dict(), key=lambda one: one["segment"]):
        start, end = one["segment"]
        action = {"label": one["label"], "start": start, "end": end, "score": one["score"]}
        if clock := watching.wall_clock(start):
            action["wall_clock"] = clock.isoformat(timespec="milliseconds")
        actions.append(action)
    return actions


def _header(format_: str) -> list[str]:
    return {"csv": [csv_row(CSV_HEADER)], "table": [f"{'start':>10} {'end':>10} {'score':>6}  label"]}.get(format_, [])


def _line(action: dict[str, Any], format_: str, source: str) -> str:
    if format_ == "json":
        return json.dumps(action)
    label, start, end, score = (action[name] for name in ("label", "start", "end", "score"))
    if format_ == "csv":
        return csv_line(source, {"label": label, "segment": (start, end), "score": score})
    return f"{start:10.2f} {end:10.2f} {score:6.3f}  {visible(label)}"


@contextmanager
def _written(out: Path | None) -> Iterator[Callable[[str], None]]:
    """A function that writes a line at once."""
    if out is None:
        yield lambda line: emit(f"{line}\n")
        return
    try:
        file = out.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise InputError(f"{out}: cannot write ({error.strerror or error})") from error
    with file:
        yield lambda line: _append(file, line)


def _append(file: IO[str], line: str) -> None:
    file.write(f"{line}\n")
    file.flush()


@contextmanager
def _ended_by_signals(stop: Callable[[], None]) -> Iterator[None]:
    """The first Ctrl-C or SIGTERM stops, a second one does what it did before."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def stopped(*_: object) -> None:
        restore()
        stop()

    for number in before:
        signal.signal(number, stopped)
    try:
        yield
    finally:
        restore()
