"""Detection in a source that goes on: its actions, each as soon as it is final."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from actionformer.core.calibration import Calibration
from actionformer.core.detections import Detections
from actionformer.core.devices import Precision
from actionformer.core.errors import InputError
from actionformer.core.terminal import plain_console
from actionformer.extraction.inputs import holds_features
from actionformer.extraction.live import LiveFeatures
from actionformer.features import FeatureSpec
from actionformer.inference.detector import Detector
from actionformer.inference.sequences import place
from actionformer.inference.stream import Stream, with_live
from actionformer.recipes.extract import say_weights
from actionformer.recipes.prepare import prepared_detector
from actionformer.settings.config import Changes
from actionformer.video.live import LiveFrames
from actionformer.video.sources import source_of

Source = str | Path
"""A camera, an address, "-" for standard input, a pipe or a file."""
LONGEST_ACTION = 60.0
"""Seconds that an action may last where neither the call nor the run says."""
ROWS = 64
"""Features of a file that are taken together."""


class Watch:
    """The actions in a live source.

    Attributes:
        delay_seconds: an action is final no later than this after its start, and what computing takes.
        stream: holds what is known so far.
        calibration: what the scores of its actions are worth, where the model has a calibration.
    """

    def __init__(self, name: str, stream: Stream, features: Arriving, calibration: Calibration | None = None) -> None:
        self.name, self.stream, self.calibration, self._features = name, stream, calibration, features
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
    source: Source,
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
    precision: Precision = "float32",
    settings: Changes | None = None,
    other_timing: bool = False,
    min_score: float | None = None,
    raw_scores: bool = False,
    console: Console | None = None,
) -> Watch:
    """Finds the actions in a live source, each once it is final.

    What is found in a source that ends is what `detect` finds in all of it with the same max_action_seconds and
    max_per_hour, to rounding; but of video, by a model with `data.center_videos`, nearly so, as it knows the mean of
    what has come.

    Args:
        run: a model directory, or a model of huggingface.co: hf://USER/MODEL.
        source: a camera (/dev/video0, avfoundation:0, 'dshow:video=NAME'), an address such as rtsp://..., a named pipe,
            - for standard input, a .ts, .mkv or fragmented .mp4 file that is still written, or a file of features.
        max_action_seconds: the longest that an action may last, which bounds the delay; by default the run's, else 60.
        max_per_hour: most actions per hour; by default the run's, or else suppression.max_detections is the cap.
        backbone: what turns video into features; by default what the model was trained on, and nothing else fits.
        weights: files of the backbone, or their folder.
        fps: frames per second of the video; by default the model's. So are the next two.
        stride: frames between neighbouring features.
        num_frames: frames a feature covers.
        patience: seconds without anything new after which a file has ended, and any other source is given up.
        stop_after: seconds of video after which to end.
        device: where to compute: cpu, cuda, cuda:1, ...
        precision: number format of the arithmetic, also the backbone's.
        settings: of decoding, suppression and live, where they are not to be the run's.
        other_timing: take features of another stride, window or rate than those that the model was trained on.
        min_score: the least score that will be shown: what caps cut from there on is said.
        raw_scores: whether that is one of the network's own, where the model has a calibration too.
        console: where the hash of the backbone's weights is printed; by default nowhere.

    Returns:
        What is iterated over: `for found in watch(run, "rtsp://camera/stream"): ...`.

    Raises:
        InputError: a source that cannot be opened, a model that sees a sequence as a whole, or what `detect` refuses.
    """
    for name, value in (("patience", patience), ("stop_after", stop_after)):
        if value is not None and not value > 0:
            raise InputError(f"{name} must be a positive number of seconds, found {value}")
    detector = prepared_detector(
        run,
        max_action_seconds=max_action_seconds,
        max_per_hour=max_per_hour,
        min_score=min_score,
        raw_scores=raw_scores,
        device=device,
        precision=precision,
        settings=settings,
        other_timing=other_timing,
    )
    if detector.config.live.max_action_seconds is None:
        detector.config = with_live(detector.config, LONGEST_ACTION, None)
    timing = FeatureSpec(fps=fps, stride=stride, num_frames=num_frames)
    if holds_features(Path(source)):
        if stop_after is not None:
            raise InputError(f"{source}: holds features, which are taken whole: stop_after is for video")
        return _watch_features(detector, Path(source), timing)
    if sources := detector.card.features.sources:
        raise InputError(
            f"the model joins {len(sources)} sources, which cannot be followed live: look in finished files with "
            "`detect`, or join features as they come with `Detector.joiner` in Python"
        )
    maker = detector.maker(backbone, weights, timing)
    network, layout = maker.backbone, maker.layout
    if not network.medium.live:
        raise InputError(
            f"{network.name} looks at {network.medium.files}, and a live source gives pictures alone: "
            "`detect` looks at files that are whole"
        )
    say_weights(network, console or plain_console(quiet=True))
    reader = LiveFrames(source_of(str(source)), fps=layout.fps, patience=patience, stop_after=stop_after or math.inf)
    try:
        stream = detector.stream(**asdict(layout.grid(reader.fps, reader.start)), name=reader.source.name)
    except InputError:
        reader.stop()
        raise
    features = LiveFeatures(reader, network, layout)
    return Watch(reader.source.name, stream, features, detector.card.calibration)


def _watch_features(detector: Detector, path: Path, timing: FeatureSpec) -> Watch:
    made_for, other_timing = detector.card.features, detector.other_timing
    sequence = place(path, asdict(timing), None, detector.config, made_for, other_timing=other_timing)
    rows = (sequence.features[start : start + ROWS] for start in range(0, len(sequence), ROWS))
    stream = detector.stream(**asdict(sequence.grid), name=str(path), centred=True)
    return Watch(str(path), stream, _OfFile(rows, sequence.duration), detector.card.calibration)


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
