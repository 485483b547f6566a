"""Annotated videos whose features are yet to be made: what these will be like, and making them."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
from rich.console import Console

from actionformer.advice.draft import Advice
from actionformer.advice.sampling import Sampling, sampling
from actionformer.backbones import Backbone
from actionformer.core.annotations import Annotations
from actionformer.core.errors import InputError, listed, untold, warn
from actionformer.core.names import explained, matched, surplus
from actionformer.core.run_files import FEATURES
from actionformer.core.words import part
from actionformer.data.collection import FeaturedVideo, Paths, as_list
from actionformer.data.settings import DataSettings
from actionformer.extraction.encode import layout_for
from actionformer.extraction.inputs import videos_there
from actionformer.features import Features, FeatureSpec
from actionformer.labels.recordings import Recording, Recordings
from actionformer.recipes.extract import extract_files
from actionformer.settings.config import Config
from actionformer.video.clips import ClipLayout, whole_frames


@dataclass(frozen=True)
class Footage:
    """The files of annotated videos, and the backbone that makes features of them."""

    files: dict[str, Path]
    """Annotated video -> its file."""
    names: dict[str, str]
    """Annotated video -> what its features are called."""
    backbone: Backbone
    _at_rate: dict[float | None, Recordings] = field(default_factory=dict)
    """Rate -> what the files say of themselves."""

    @classmethod
    def of(
        cls, annotations: Annotations, videos: Paths, backbone: Backbone, prefix: str = "", skip_missing: bool = False
    ) -> Footage:
        """The files of the annotated videos among those given; the others are left alone.

        Raises:
            InputError: no videos, or some that are annotated are missing.
        """
        known = {id_: file for file, id_ in videos_there(as_list(videos), backbone.medium).items()}
        found = {
            name.removeprefix(prefix): own
            for name, own in matched((prefix + id_ for id_ in annotations.videos), known).items()
        }
        missing = sorted(annotations.videos.keys() - found.keys())
        if missing and (not skip_missing or not found):
            if not (advice := "" if found else _elsewhere(missing, known, as_list(videos))):
                there = (
                    f"the files there are of {listed(sorted(known), 3)}: name videos as their files, less the ending"
                )
                advice = explained(missing, list(known)) or f"; {'--skip-missing leaves them out' if found else there}"
            raise InputError(
                f"{part(len(missing), len(annotations), 'annotated videos have no file in')} "
                f"{listed([str(one) for one in as_list(videos)], 3)}: {listed(missing)}{advice}"
            )
        return cls({id_: known[own] for id_, own in found.items()}, found, backbone)

    def recordings(self, annotations: Annotations, data: DataSettings) -> dict[str, Recording]:
        """What the files of some videos say of themselves; none is decoded that says how long it is.

        Their rate is that of the settings or of the backbone, or else their own.

        Raises:
            InputError: none can be read.
        """
        found: dict[str, Recording] = {}
        errors: list[str] = []
        fps = data.fps or self.backbone.fps
        there = self._at_rate.setdefault(fps, Recordings(self.files, self.backbone.medium, fps))
        for id_ in sorted(annotations.videos.keys() & self.files.keys()):
            try:
                found[id_] = there[id_]
            except InputError as error:  # extraction names each
                errors.append(str(error))
        if not found:
            raise InputError(f"no video of the training subset can be read: {listed(errors, 1)}")
        return found

    def sampling(self, annotations: Annotations, recordings: dict[str, Recording], data: DataSettings) -> Sampling:
        """Stride and clip for the actions of a subset, where the settings do not say them.

        Raises:
            InputError: it has no action, or settings that say parts of frames.
        """
        stride, num_frames = (
            None if said is None else whole_frames(name, said)
            for name, said in (("stride", data.stride), ("num_frames", data.num_frames))
        )
        seconds = [np.diff(annotations.videos[id_].segments)[:, 0] for id_ in recordings]
        lasting = (every := np.concatenate(seconds))[every > 0]
        if not len(lasting):
            raise InputError("no action in the training subset to derive settings from")
        fps = float(np.median([one.fps for one in recordings.values()]))
        return sampling(lasting, fps, self.backbone, stride, num_frames)

    def layout(self, data: DataSettings) -> ClipLayout:
        """Where clips lie under some settings."""
        return layout_for(self.backbone, fps=data.fps, stride=data.stride, num_frames=data.num_frames)

    def featured(
        self, annotations: Annotations, recordings: dict[str, Recording], data: DataSettings
    ) -> list[FeaturedVideo]:
        """The videos of a subset with the features that they will have: their shapes alone."""
        layout, made = self.layout(data), list[FeaturedVideo]()
        with untold():  # extraction tells what it leaves out
            dim = self.backbone.fitted([self.files[id_] for id_ in recordings], layout.num_frames).dim
        for id_, one in recordings.items():
            grid = layout.grid(one.fps)
            length = layout.count(max(round(one.duration * grid.fps), 1))
            video = annotations.videos[id_]
            features = Features((), (length, dim))
            made.append(
                FeaturedVideo(replace(video, duration=video.duration or one.duration), features, grid, FeatureSpec())
            )
        return made

    def extract(self, config: Config, out: Path, *, overwrite: bool, console: Console) -> Path:
        """Makes the features that are not there yet, in a folder of the run directory, which is returned.

        Raises:
            InputError: features of another timing or backbone are there, and are not to be overwritten.
        """
        files = {file: self.names[id_] for id_, file in self.files.items()}
        make = partial(extract_files, files, self.backbone, out / FEATURES, self.layout(config.data), console=console)
        try:
            done = make()
        except InputError:  # what fits is kept: some backbones take days
            if not overwrite:
                raise
            done = make(overwrite=True)
        for file, reason in (done.warnings | done.failed).items():
            warn(f"{file}: {reason}", stacklevel=3)
        return out / FEATURES


def _elsewhere(missing: Sequence[str], known: Iterable[str], videos: Sequence[str | Path]) -> str:
    """The options that find the missing videos among the files, as the end of a sentence, or nothing."""
    more = surplus(missing, known)
    if more is None or more.suffix or not (more.folder or more.prefix) or (more.folder and len(videos) > 1):
        return ""
    options = [f"--videos {shlex.quote(str(Path(videos[0]) / more.folder))}"] if more.folder else []
    options += [f"--data.prefix {shlex.quote(more.prefix)}"] if more.prefix else []
    return f"; give {' '.join(options)}"


def sampling_advice(chosen: Sampling) -> Sequence[Advice]:
    """A sampling as settings."""
    return (
        Advice("data", "stride", chosen.stride, chosen.stride_reason),
        Advice("data", "num_frames", chosen.num_frames, chosen.num_frames_reason),
    )
