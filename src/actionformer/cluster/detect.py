"""Detection on a cluster: the same detections as `detect` finds, on many machines."""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

from rich.console import Console

from actionformer.cluster.extract import check_numbers, making_of, making_steps, new_row, unless_stopped
from actionformer.cluster.failures import Failures
from actionformer.cluster.manifest import in_store, read_manifest
from actionformer.cluster.pipeline import Step, results_of
from actionformer.cluster.stages import FAILED, GIVEN, NEW, Detect, Making, Row
from actionformer.core.devices import Precision
from actionformer.core.errors import InputError
from actionformer.core.files import naming
from actionformer.core.progress import counted
from actionformer.core.terminal import plain_console
from actionformer.extraction.inputs import FEATURES, files_of, holds_features
from actionformer.features import FeatureSpec, feature_file, sidecar_path
from actionformer.formats.index import FORMATS, FormatName
from actionformer.hub import model_folder
from actionformer.inference.detector import Detector
from actionformer.recipes.extract import say_weights
from actionformer.recipes.job import Done, run_job
from actionformer.recipes.output import Output, format_of
from actionformer.recipes.prepare import prepared_detector
from actionformer.recipes.search import Search, Searched, VideoSettings, looked_at
from actionformer.recipes.wanted import Wanted
from actionformer.settings.config import Changes

WAITING = ".waiting"
"""The file by which a folder of features that wait is known for one that a job has made, and may remove."""


def detect_on_cluster(
    run: str | Path,
    inputs: Sequence[str | Path],
    *,
    out: str | Path | None = None,
    format: FormatName | None = None,
    min_score: float | None = None,
    raw_scores: bool = False,
    classes: Sequence[str] | None = None,
    overlap: Literal["keep", "class", "none"] = "keep",
    resume: bool = False,
    overwrite: bool = False,
    features_out: str | Path | None = None,
    backbone: str | None = None,
    weights: str | Path | Sequence[str | Path] = (),
    fps: float | None = None,
    stride: float | None = None,
    num_frames: float | None = None,
    other_timing: bool = False,
    batch_size: int | None = None,
    workers: int | None = None,
    max_action_seconds: float | None = None,
    max_per_hour: float | None = None,
    precision: Precision = "float32",
    cluster: str,
    attempts: int = 2,
    gpus_per_worker: float = 0.0,
    settings: Changes | None = None,
    console: Console | None = None,
) -> Done | None:
    """Finds the actions in videos or feature files as `detect` does, on the machines of a cluster.

    What is found is written by this process alone, a line per video as it comes, so that a call with `resume` does the
    rest after whatever has died. Videos that cannot be read are tried again, then set aside: OUT.failed.jsonl says why.
    Features wait in the folder OUT.features until they are searched, unless `features_out` keeps them. All machines see
    the folder of OUT and the run; of one of huggingface.co, the cache that it is in. The other arguments are those of
    `detect`; `inputs` and `workers` as in `extract_on_cluster`.

    Args:
        cluster: work on the machines of a Ray cluster: the address of its head, auto for the one that this machine
            belongs to, or local for one that is started here and ended with the call. Videos may then also be given as
            lists of paths (.txt), tables with a column of them (.csv, .jsonl, .parquet) and addresses of object stores.
            A worker is a process that decodes, one with the backbone and one with the detector.
        attempts: on a cluster, how often a video is tried before it is set aside.
        gpus_per_worker: on a cluster, the share of a GPU that the backbone of a worker takes, such as 0.25; by default
            it computes on processors.

    Raises:
        InputError: as `detect`, but for videos that cannot be read; or there is no cluster, or it broke down.
    """
    check_numbers(attempts, batch_size, gpus_per_worker)
    run = model_folder(run).absolute()
    detector_of = partial(
        prepared_detector,
        run,
        max_action_seconds=max_action_seconds,
        max_per_hour=max_per_hour,
        min_score=min_score,
        raw_scores=raw_scores,
        precision=precision,
        settings=settings,
        other_timing=other_timing,
    )
    detector, path = detector_of(), None if out is None else Path(out)
    if len(detector.card.features.parts) > 1:
        raise InputError("this model joins several sources: extract each with --cluster, then detect without it")
    medium = looked_at(detector, backbone)
    sources = read_manifest(inputs, {**FEATURES, **files_of(medium)}, medium)
    output = Output(path, format_of(path, format))
    check_output(output)
    output.check({Path(source): id_ for id_, source in sources.items()}, medium)
    search = ClusterSearch(
        detector,
        sources,
        timing=FeatureSpec(fps=fps, stride=stride, num_frames=num_frames),
        videos=VideoSettings(backbone, weights, None if features_out is None else Path(features_out), batch_size),
        on=OnCluster(cluster, detector_of, output, workers, gpus_per_worker, attempts, resume),
        console=console or plain_console(quiet=True),
    )
    wanted = Wanted(
        search.class_names,
        classes,
        min_score=min_score,
        for_people=output.for_people,
        calibration=None if raw_scores else detector.card.calibration,
        overlap=overlap,
    )
    if output.check_new(search.sources, resume=resume, overwrite=overwrite):
        return None
    done = run_job(search, output, wanted, run=run, resume=resume)
    return replace(done, set_aside=search.set_aside)


def check_output(output: Output) -> None:
    """Checks that results go into one file, of a format that needs no look at the videos themselves.

    Raises:
        InputError: they do not.
    """
    able = [name for name, one in FORMATS.items() if one.writes and not (one.one_video or one.counts_frames)]
    if output.out is None:
        raise InputError("--cluster writes into a file: give --out")
    if output.format not in able:
        raise InputError(
            f"--cluster writes {', '.join(able)}, found {output.format}: write one, then export-detections"
        )


@dataclass(frozen=True)
class OnCluster:
    """Where a search runs, and with how much."""

    address: str
    detector: Callable[[], Detector]
    """Makes the detector anew, on another machine."""
    output: Output
    workers: int | None
    gpus: float
    attempts: int
    resume: bool
    """Whether features that wait are taken, and not made anew."""


class ClusterSearch(Search):
    """A search whose files are decoded, encoded and searched on a cluster.

    Attributes:
        features: the folder in which features wait for the detector, or stay.
        set_aside: the file of the videos that failed.
    """

    def __init__(
        self,
        detector: Detector,
        addresses: Mapping[str, str],
        *,
        timing: FeatureSpec,
        videos: VideoSettings,
        on: OnCluster,
        console: Console,
    ) -> None:
        files = {Path(source): id_ for id_, source in addresses.items()}
        super().__init__(detector, files, timing=timing, videos=videos, console=console)
        self.on = on
        self.addresses = dict(zip(self.sources, addresses.values(), strict=True))
        assert on.output.out is not None
        self.features = videos.features_out or on.output.out.with_name(f"{on.output.out.name}.features")
        self.set_aside = on.output.out.with_name(f"{on.output.out.name}.failed.jsonl")

    def results(self, names: Collection[str]) -> Generator[Searched, None, None]:
        """What is found in these of the sources, as it comes."""
        wanted = [name for name in self.sources if name in names]
        rows = [self._row(name) for name in wanted]
        making = self._making() if any(row["state"] == NEW for row in rows) else None
        failures = Failures(self.set_aside)
        searching = {"detector": self.on.detector, "timing": self.timing, "attempts": self.on.attempts}
        steps = [*(() if making is None else making_steps(making, self.on.gpus, last=False)), Step(Detect, searching)]
        with (
            results_of(rows, steps, address=self.on.address, workers=self.on.workers) as results,
            self._waiting(needed=making is not None) as waits,
        ):
            for row in unless_stopped(counted(results, len(rows), self.console)):
                video, warning = row["video"], row["warning"] or None
                source = self.addresses[video]
                if row["state"] == FAILED:
                    failures.add(video, source, row["error"], row["attempts"])
                    yield Searched(video, source, failed=row["error"], warning=warning)
                    continue
                yield Searched(video, source, pickle.loads(row["found"]), warning=warning)
                if waits:
                    self._forget(video)  # by now its results are written

    def _row(self, video: str) -> Row:
        source = self.addresses[video]
        if holds_features(Path(source), self.media[0]):
            if in_store(source):
                raise InputError(f"{source}: features are read from a folder that all machines see, not from a store")
            return new_row(video, source, Path(source), GIVEN)
        return new_row(video, source, self._target(video))

    def _target(self, video: str) -> Path:
        return feature_file(self.features, self.ids[self.sources[video]])

    def _making(self) -> Making:
        settings = self.videos
        maker = self.detector.maker(settings.backbone, settings.weights, self.timing)
        say_weights(maker.backbone, self.console)
        raw = [one for one in self.addresses.values() if not holds_features(Path(one), self.media[0])]
        return making_of(
            maker.backbone,
            maker.layout,
            raw,
            weights=settings.weights,
            batch_size=settings.batch_size,
            precision=self.detector.precision,
            gpus=self.on.gpus,
            attempts=self.on.attempts,
        )

    @contextmanager
    def _waiting(self, *, needed: bool) -> Iterator[bool]:
        """The folder in which features wait: made, and removed when all is done; what stops before that leaves it.

        Args:
            needed: whether any will wait; else only what an earlier call has left is removed.

        Yields:
            Whether there is such a folder.

        Raises:
            InputError: no job has made it, so that what is in it would be lost.
        """
        mark = self.features / WAITING
        if self.videos.features_out is not None or not (needed or mark.is_file()):
            yield False
            return
        if self.features.exists() and not mark.is_file():
            raise InputError(
                f"{self.features}: features would wait here, but something else is there: remove it, choose another "
                "--out, or a folder for --features-out"
            )
        with naming(self.features):
            if mark.is_file() and not self.on.resume:
                shutil.rmtree(self.features)
            self.features.mkdir(exist_ok=True)
            mark.touch()
        yield True
        shutil.rmtree(self.features, ignore_errors=True)

    def _forget(self, video: str) -> None:
        """Removes the features of a video that is done."""
        for file in (self._target(video), sidecar_path(self._target(video))):
            file.unlink(missing_ok=True)
