"""The user's object: a model with its settings, from features to detections."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from importlib import import_module
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from actionformer.core.detections import Detections
from actionformer.core.devices import check_precision, find_device
from actionformer.core.errors import InputError, warn
from actionformer.core.segments import TimeGrid
from actionformer.core.terminal import shortened
from actionformer.core.words import plural
from actionformer.extraction.matching import FeatureMaker, FeatureMakers
from actionformer.extraction.store import extract_video
from actionformer.features import TIMING, UNKNOWN, FeatureSpec, SourceJoiner, check_timing, timing_of
from actionformer.inference.caps import Cut, cuts_in_words
from actionformer.inference.finishing import finished
from actionformer.inference.overflow import overflow_of
from actionformer.inference.proposals import MISSING, NOT_TAKEN, Seconds, outside_in_words, seconds_of, within
from actionformer.inference.runner import Runner, one_ahead
from actionformer.inference.selection import shown
from actionformer.inference.sequences import FeatureSequence, given_spec, known_grid, place
from actionformer.inference.stream import Stream, joined, with_live
from actionformer.inference.video_classes import class_scores
from actionformer.inference.windows import Joiner, windows_of
from actionformer.model_directory import ModelCard
from actionformer.nn.network import Network
from actionformer.nn.video_classifier import VideoClassifier
from actionformer.settings.config import Config

CHANGEABLE = ("decoding", "suppression", "fusion", "live")
"""Sections of settings that mean the same for any network."""
SHOWN_NAMES, LONGEST_NAME = 4, 12  # class names of a `repr`, and their columns
MEAN_SO_FAR = (
    "the model sees each video less its mean, and of a stream it knows that of what has come so far: the first minutes "
    "may be less right; `detect` looks at a video that is whole"
)
"""What is said of a stream, once."""
WINDOW = 256  # videos looked at together, so that those of like length share a batch


class Detector:
    """Finds actions in features.

    Attributes:
        model: the network in eval mode: features (B, T, D) float32 or the detector's type, and their mask (B, T) ->
            outputs.
        config: all settings; those of decoding, suppression, fusion and live detection can be replaced.
        card: class names, the features the model expects, its training.
        classifier: of whole videos, which gives a class-agnostic model's proposals their classes, where it has one.
        proposer: finds the segments that a second stage judges, where a call gives none; it looks at the same features.
        runner: how the model is run on the device.
        directory: the model directory that it was loaded from, if any.
        shown_from: the least score that is shown, from which on a detection that a cap cuts is missed; by default
            see `caps.worth_telling`.
        tell: what a line about cut detections is given to, one of each call; by default a warning.
        other_timing: take features of another stride, window or rate than those that the model was trained on.
    """

    def __init__(
        self,
        model: Network,
        config: Config,
        card: ModelCard,
        *,
        device: str = "cpu",
        precision: str = "float32",
        classifier: VideoClassifier | None = None,
    ) -> None:
        check_precision(precision)
        self.device, self.precision = find_device(device), precision
        self.model = model.to(self.device, getattr(torch, precision)).eval()
        self.model.normalizer.float()
        self.card = card
        self.classifier = None if classifier is None else classifier.to(self.device)
        self.proposer: Detector | None = None
        self.directory: Path | None = None
        self.runner = Runner(self.model, config, self.device)
        self._makers = FeatureMakers(
            card.features, config.model.input_width, device=str(self.device), precision=precision
        )
        self.shown_from: float | None = None
        self.tell: Callable[[str, int], None] = warn
        self.other_timing = False
        self._told_outside = False

    def __repr__(self) -> str:
        """What it finds, in which features, and how it computes."""
        names = ", ".join(shortened(name, LONGEST_NAME) for name in self.class_names[:SHOWN_NAMES])
        more = ", ..." if len(self.class_names) > SHOWN_NAMES else ""
        known = {name: getattr(self.card.features, name) for name in ("fps", "stride", "num_frames", "backbone")}
        features = [f"{name} {value}" for name, value in known.items() if value is not None]
        parameters = sum(one.numel() for one in self.model.parameters()) / 1e6
        return (
            f"Detector of {plural(len(self.class_names), 'class')}: {names}{more}\n"
            f"  features: {', '.join([plural(self.config.model.input_width, 'channel'), *features])}\n"
            f"  network: {parameters:.2f} M parameters, {self.precision} on {self.device}"
        )

    @property
    def config(self) -> Config:
        """All settings."""
        return self.runner.config

    @config.setter
    def config(self, config: Config) -> None:
        self.runner.config = config

    def with_settings(self, **sections: Mapping[str, Any]) -> Detector:
        """The same network with other settings: `detector.with_settings(suppression={"max_detections": 1000})`.

        Args:
            sections: of decoding, suppression, fusion and live; the others belong to the network's training.

        Raises:
            InputError: an unknown setting (the nearest known one is named), or a value out of range.
        """
        for name in sections.keys() & Config.model_fields.keys() - set(CHANGEABLE):
            raise InputError(f"{name}: cannot be changed after training; only {', '.join(CHANGEABLE)} can")
        other = copy(self)
        other.runner = copy(self.runner)
        other.runner.config = self.config.replace(**sections)
        return other

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes of what is found; labels are indices into them."""
        return self.card.found_classes

    @property
    def second_stage(self) -> bool:
        """Whether it judges proposals of segments, of a call or of its proposer."""
        return self.runner.architecture.second_stage

    def shown(self, found: Detections) -> Detections:
        """What people are shown of it: scores are calibrated where they can be, and those too low are left out."""
        return shown(found, self.card.calibration)

    def push_to_hub(
        self,
        repository: str,
        *,
        private: bool = False,
        license: str | None = None,
        dataset: str | None = None,
    ) -> str:
        """Uploads the model to huggingface.co with a card that says what it is; arguments and errors as of `push`.

        Returns:
            The address of the upload's page.
        """
        address: str = import_module("actionformer.recipes.push").push_detector(
            self, repository, private=private, license=license, dataset=dataset
        )
        return address

    def detect(
        self,
        features: ArrayLike | Tensor | str | Path | Sequence[str | Path],
        *,
        fps: float | None = None,
        stride: float | None = None,
        num_frames: float | None = None,
        start: float | None = None,
        duration: float | None = None,
        class_scores: Any = None,
        class_names: Iterable[str] | None = None,
        proposals: ArrayLike | Tensor | Detections | None = None,
        name: str | None = None,
    ) -> Detections:
        """The actions of one video.

        Args:
            features: (T, D) array, any T >= 1, or the path of a feature file; of a model of several sources the paths
                of all, which are joined by time.
            fps, stride, num_frames: how the features, of several sources the first ones, lie in time; by default what
                the file's sidecar says, then what the model was trained on.
            start: seconds of the first frame; by default the sidecar's, then 0.
            duration: where the video ends, seconds; by default the sidecar's, then what the features cover.
            class_scores: (K,) video-level scores that a class-agnostic model's proposals are fused with;
                `class_names` then names these K classes. By default its classifier gives them, where it has one.
            proposals: what a second stage judges: (N, 2) starts and ends in seconds, or detections, whose classes and
                scores do not count. By default what its proposer finds.
            name: what warnings call the video; by default the file.

        Raises:
            InputError: features of another width, shape or with values that are not finite; timing not known; a second
                stage without proposals, or proposals for any other detector.
        """
        timing = {"fps": fps, "stride": stride, "num_frames": num_frames, "start": start, "duration": duration}
        names = tuple(class_names) if class_names is not None else None
        sequence = self.placed(features, timing, class_scores, proposals)
        named = sequence if name is None else replace(sequence, name=name)
        cuts: dict[str, Cut] = {}
        found = self._detect([("video", named)], names, cuts)["video"]
        self._tell(cuts)
        return found

    def detect_video(
        self,
        path: str | Path,
        *,
        backbone: str | None = None,
        weights: str | Path | Iterable[str | Path] = (),
        fps: float | None = None,
        stride: float | None = None,
        num_frames: float | None = None,
        duration: float | None = None,
        proposals: ArrayLike | Tensor | Detections | None = None,
        batch_size: int | None = None,
        workers: int = 0,
    ) -> Detections:
        """The actions of a video file, of any length: its features go through a temporary file.

        The backbone is loaded by the first call and kept for the next videos.

        Args:
            path: the video.
            backbone: what turns it into features; by default what made those that the model was trained on.
            weights: files of the backbone, or their folder; by default they are looked for where the command does.
            fps, stride, num_frames: of the clips, of several sources those of the first; by default as the model's
                features lie.
            duration: of the video, seconds; by default what was read.
            proposals: as in `detect`.
            batch_size: clips that the backbone sees together.
            workers: 1 decodes in another process while the backbone runs, 0 in this one.

        Raises:
            InputError: a video that cannot be read, a backbone that is not that of the model's features, or weights
                that are missing (with where to get them).
        """
        timing = given_spec({"fps": fps, "stride": stride, "num_frames": num_frames})
        with TemporaryDirectory() as folder:
            files = []
            for source in range(len(self.card.features.parts)):
                made = self.maker(backbone, weights, timing, source=source)
                files.append(Path(folder) / f"{source}.npy")
                extract_video(Path(path), files[-1], made.backbone, made.layout, batch_size=batch_size, workers=workers)
            try:
                return self.detect(files, duration=duration, proposals=proposals, name=str(path))
            except InputError as error:
                said = str(error).removeprefix(f"{', '.join(map(str, files))}: ")
                raise InputError(f"{path}: {said}") from error

    def maker(
        self,
        backbone: str | None = None,
        weights: str | Path | Iterable[str | Path] = (),
        timing: FeatureSpec = UNKNOWN,
        *,
        source: int = 0,
    ) -> FeatureMaker:
        """How the model's features are made of videos; each backbone is loaded once.

        Args:
            backbone: what makes them, where the model does not say; another one is refused.
            weights: files of the backbone, or their folder; of several sources their folder.
            timing: fps, stride and num_frames, of several sources those of the first.
            source: which of the sources that the model joins, from 0 on.

        Raises:
            InputError: as in `detect_video`.
        """
        return self._makers.maker(source, backbone, weights, timing, other_timing=self.other_timing)

    def detect_many(
        self,
        items: Mapping[str, Any] | Iterable[tuple[str, Any]],
        *,
        batch_size: int | None = None,
        class_names: Iterable[str] | None = None,
    ) -> dict[str, Detections]:
        """The actions of many videos, computed in batches.

        Args:
            items: video -> features, as in `detect`: an array, a path, or a mapping of `detect`'s arguments such as
                {"features": array, "fps": 25.0}. Of pairs (video, features), 256 are held at a time.
            batch_size: most sequences computed together, those of like length; by default 1 on a CPU, as many as fit a
                fixed size on a GPU. Results do not depend on it.
            class_names: as in `detect`, for items that have class_scores.

        Returns:
            Video -> detections, in the given order.

        Raises:
            InputError: as in `detect`; the video is named.
        """
        if batch_size is not None and batch_size < 1:
            raise InputError(f"batch_size must be at least 1, found {batch_size}")
        if isinstance(items, list) and not all(isinstance(one, tuple) for one in items):
            raise InputError("expected {name: features} or pairs of a name and features, found a list of other things")
        names = tuple(class_names) if class_names is not None else None
        pairs = iter(items.items() if isinstance(items, Mapping) else items)
        results: dict[str, Detections] = {}
        cuts: dict[str, Cut] = {}
        while window := list(islice(pairs, WINDOW)):
            named = [(video, self._named_sequence(video, item)) for video, item in window]
            results |= self._detect(named, names, cuts, batch_size)
        self._tell(cuts)
        return results

    def stream(
        self,
        *,
        fps: float | None = None,
        stride: float | None = None,
        num_frames: float | None = None,
        start: float | None = None,
        max_action_seconds: float | None = None,
        max_per_hour: float | None = None,
        name: str = "stream",
        centred: bool = False,
    ) -> Stream:
        """Looks for actions in features that arrive chunk by chunk.

        Args:
            fps, stride, num_frames: how the features lie in time; by default as those the model was trained on.
            start: seconds of the first frame, by default 0.
            max_action_seconds: the longest that an action may last; it bounds the delay. By default the settings'.
            max_per_hour: most actions an hour; by default the settings', or else suppression.max_detections per
                model.max_length features.
            name: what warnings call it.
            centred: of a model with `data.center_videos`, the features come less their mean over the video.

        Raises:
            InputError: no `max_action_seconds`, timing not known, or a model that sees a sequence as a whole, or whose
                classes or proposals come from whole videos.
        """
        self._check_live()
        config = with_live(self.config, max_action_seconds, max_per_hour)
        timing = {"fps": fps, "stride": stride, "num_frames": num_frames, "start": start}
        grid = known_grid(timing_of(call=given_spec(timing), model=self.card.features))
        if not self.other_timing:
            check_timing(FeatureSpec.on(grid), self.card.features, name)
        stream = self._stream(config, grid, name, told=True, centred=centred)
        if config.data.center_videos and not centred:
            warn(f"{name}: {MEAN_SO_FAR}", stacklevel=2)
        return stream

    def joiner(self, *grids: TimeGrid) -> SourceJoiner:
        """Joins the rows of the model's sources as they come: `stream.push(joiner.push(picture_rows, sound_rows))`.

        Args:
            grids: where the rows of each source lie; by default as in training.

        Raises:
            InputError: not one for each source, or the model does not know where they lie.
        """
        sources = self.card.features.parts
        known = grids or [known_grid(one) for one in sources]
        if len(known) != len(sources):
            raise InputError(f"the model joins {len(sources)} sources: give a grid for each, found {len(known)}")
        return SourceJoiner(known)

    def _stream(
        self, config: Config, grid: TimeGrid, name: str, *, told: bool, centred: bool, at_once: int = 1
    ) -> Stream:
        return Stream(
            self.runner,
            config,
            grid,
            self.class_names,
            name=name,
            told=told,
            shown_from=self.shown_from,
            centred=centred,
            at_once=at_once,
        )

    def _named_sequence(self, video: str, item: Any) -> FeatureSequence:
        arguments = dict(item) if isinstance(item, Mapping) else {"features": item}
        unknown = arguments.keys() - {"features", "class_scores", "proposals", *TIMING}
        if unknown or "features" not in arguments:
            raise InputError(f"video {video!r}: expected features and {', '.join(TIMING)}, found {sorted(arguments)}")
        try:
            timing = {name: arguments.get(name) for name in TIMING}
            scores, proposals = arguments.get("class_scores"), arguments.get("proposals")
            sequence = self.placed(arguments["features"], timing, scores, proposals)
        except InputError as error:
            raise InputError(f"video {video!r}: {error}") from error
        return sequence.called(f"video {video!r}")

    def placed(
        self, features: Any, timing: Mapping[str, Any], class_scores: Any = None, proposals: Any = None
    ) -> FeatureSequence:
        """Features of one video on their grid, with what a second stage judges; arguments and errors as of `detect`."""
        made_for, other_timing = self.card.features, self.other_timing
        sequence = place(features, timing, class_scores, self.config, made_for, other_timing=other_timing)
        if not self.second_stage:
            if proposals is not None:
                raise InputError(f"{self.config.model.detector}: {NOT_TAKEN}")
            return sequence
        segments = self._proposed(features, timing) if proposals is None else seconds_of(proposals)
        inside = within(segments, sequence.duration, sequence.grid.start)
        self._tell_outside(sequence, len(segments) - len(inside), len(segments))
        return replace(sequence, proposals=sequence.grid.to_grid(inside).astype(np.float32))

    def together(self, sequences: Sequence[FeatureSequence], batch_size: int | None = None) -> list[int]:
        """Which of some sequences are computed in one batch with the first one: their rows, its own among them.

        Args:
            sequences: as `placed` gives them, at least one.
            batch_size: as in `detect_many`.
        """
        if self.config.live.max_action_seconds is not None:
            return [0]
        if self.config.data.window is not None:  # their windows are put together, whosoever they are
            return list(range(min(len(sequences), batch_size or 1)))
        return next(rows for rows in self.runner.batches(list(sequences), batch_size) if 0 in rows)

    def detect_placed(
        self, sequences: Sequence[FeatureSequence], *, batch_size: int | None = None
    ) -> list[tuple[Detections, str | None]]:
        """The actions of some videos, and of each what a cap cut of them, in words.

        Args:
            sequences: as `placed` gives them.
            batch_size: as in `detect_many`.

        Raises:
            InputError: as of `detect`.
        """
        found = zip(sequences, self._found(sequences, None, batch_size), strict=True)
        return [(one, cut.message(sequence.name, self.config)) for sequence, (one, cut) in found]

    def _proposed(self, features: Any, timing: Mapping[str, Any]) -> Seconds:
        """What the proposer finds, of any score; that its caps cut some of it is not told: nothing asks for all."""
        if self.proposer is None:
            raise InputError(MISSING)
        sequence = self.proposer.placed(features, timing)
        return self.proposer._detect([("video", sequence)], None, {})["video"].segments

    def _tell_outside(self, sequence: FeatureSequence, outside: int, count: int) -> None:
        if outside and not self._told_outside:
            warn(f"{sequence.name}: {outside_in_words(outside, count)} (more videos are not told)", stacklevel=4)
            self._told_outside = True

    def _detect(
        self,
        named: list[tuple[str, FeatureSequence]],
        names: tuple[str, ...] | None,
        cuts: dict[str, Cut],
        batch_size: int | None = None,
    ) -> dict[str, Detections]:
        """Detections in some videos; what caps cut of them is added to `cuts`."""
        sequences = [sequence for _, sequence in named]
        found = self._found(sequences, names, batch_size)
        cuts |= {sequence.name: cut for sequence, (_, cut) in zip(sequences, found, strict=True)}
        return {video: one for (video, _), (one, _) in zip(named, found, strict=True)}

    def _found(
        self, sequences: Sequence[FeatureSequence], names: tuple[str, ...] | None, batch_size: int | None
    ) -> list[tuple[Detections, Cut]]:
        """Detections in some videos, and what caps cut of each.

        While those of one batch are made from its candidates, a GPU runs the next.
        """
        if self.config.live.max_action_seconds is not None:
            return [self._detect_in_stream(sequence, names) for sequence in sequences]
        windows = windows_of(sequences, self.config.data)
        batches = self.runner.batches([window.sequence for window in windows], batch_size)
        started = (
            (batch, self.runner.run([one.sequence for one in batch]))
            for batch in ([windows[row] for row in rows] for rows in batches)
        )
        joiner = Joiner(windows, self.runner.strides, self.config.suppression)
        found: dict[int, tuple[Detections, Cut]] = {}
        for batch, decoder in one_ahead(started):
            for window, overflown in zip(batch, decoder.overflown(), strict=True):
                if overflown:
                    sequence = sequences[window.row]
                    raise overflow_of(sequence.before_resizing, sequence.name, self.model)
            for window, candidates, left in zip(batch, decoder.candidates(), decoder.left_out(), strict=True):
                if (whole := joiner.add(window, candidates, left)) is not None:
                    sequence, named_so = self._classified(sequences[window.row], names)
                    found[window.row] = finished(
                        *whole, sequence, self.config, self.card.class_names, named_so, shown_from=self.shown_from
                    )
        return [found[row] for row in range(len(sequences))]

    def _classified(
        self, sequence: FeatureSequence, names: tuple[str, ...] | None
    ) -> tuple[FeatureSequence, tuple[str, ...] | None]:
        """A video with its class scores and their names: as the call gives them, else as the classifier says."""
        if self.classifier is None or names is not None or sequence.class_scores is not None:
            return sequence, names
        scores = class_scores(self.classifier, sequence.given or sequence.features)
        return replace(sequence, class_scores=scores), self.card.video_classes

    def _check_live(self) -> None:
        if self.second_stage:
            raise InputError(
                "this model judges proposals, which are found in whole videos, and a stream has no end: detect in "
                "finished files, without live.max_action_seconds"
            )
        if self.classifier is not None:
            raise InputError(
                "this model's classes are those of a whole video, and a stream has no end: detect in finished files, "
                "without live.max_action_seconds, or train a model with classes of its own"
            )

    def _detect_in_stream(self, sequence: FeatureSequence, names: tuple[str, ...] | None) -> tuple[Detections, Cut]:
        if names is not None or sequence.class_scores is not None:
            raise InputError("class scores are those of a whole video: unset live.max_action_seconds to use them")
        self._check_live()
        step = self.runner.chunk
        stream = self._stream(self.config, sequence.grid, sequence.name, told=False, centred=True, at_once=step)
        found = [stream.push(sequence.features[start : start + step]) for start in range(0, len(sequence), step)]
        found.append(stream.finish(sequence.duration))
        return joined(found, self.class_names), stream.cut

    def _tell(self, cuts: Mapping[str, Cut]) -> None:
        if message := cuts_in_words(cuts, self.config):
            self.tell(message, 3)
