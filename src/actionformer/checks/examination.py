"""All checks on one set of data, and the numbers that a report shows beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from actionformer.checks.alignment import check_alignment
from actionformer.checks.classes import check_empty_classes
from actionformer.checks.files import Opened, check_unannotated, open_subset
from actionformer.checks.findings import Finding, found_in
from actionformer.checks.followed import check_followed
from actionformer.checks.labels import check_spelling
from actionformer.checks.moments import PlacedActions
from actionformer.checks.oracle import oracle_report
from actionformer.checks.probe import Probe
from actionformer.checks.rate import check_rate
from actionformer.checks.recordings import Recordings, as_featured, check_recordings
from actionformer.checks.repeats import check_leaks, check_names, check_repeats
from actionformer.checks.report import DoctorReport, class_rows, length_rows, subset_row
from actionformer.checks.samples import measure
from actionformer.checks.subsets import check_subsets
from actionformer.checks.timing import check_durations, check_one_timing, check_sidecars
from actionformer.checks.training import check_evaluation, check_training
from actionformer.checks.unlabelled import check_unlabelled
from actionformer.checks.unlike import check_channels, check_unlike
from actionformer.checks.values import check_values
from actionformer.checks.video_classes import check_video_classes
from actionformer.core.annotations import AnnotatedVideo, Annotations
from actionformer.core.words import plural
from actionformer.data.collection import Collection, FeaturedVideo, with_classes
from actionformer.data.dataset import EpochLoader, TrainingSet
from actionformer.data.windows import training_set
from actionformer.detectors.base import architecture_of
from actionformer.features import FeatureFolders
from actionformer.settings.config import Config
from actionformer.training.loop import steps_per_epoch


@dataclass(frozen=True)
class Patient:
    """Annotations and what belongs to them, as a training with these settings would see them."""

    every: Annotations
    """Of all subsets."""
    config: Config
    """Complete settings."""
    trained: Opened
    """The training subset."""
    evaluated: Opened
    """The evaluation subset."""
    source: FeatureFolders | None
    """Where the features are, if they are given."""
    recordings: Recordings | None
    """What videos state of themselves, if they are given."""

    @classmethod
    def of(
        cls, every: Annotations, config: Config, source: FeatureFolders | None, recordings: Recordings | None
    ) -> Patient:
        """Opens what belongs to the subsets that the settings name; no feature is read.

        Raises:
            InputError: more classes than model.num_classes.
        """
        every_class = with_classes(every, config.model.num_classes)
        width = config.model.input_width if config.model.input_dim is not None else None

        def opened(names: Sequence[str]) -> Opened:
            videos = subset_of(every_class, names)
            if source is not None:
                return open_subset(videos, source, config.data, width)
            return as_featured(videos, recordings or Recordings({}, {}), config.data)

        trained = opened(config.data.train_subset)
        if width is None and trained.videos and source is not None:
            width = trained.videos[0].features.shape[1]
        config = config.replace(model={"num_classes": max(len(every_class.class_names), 1), "input_dim": width or 1})
        return cls(every, config, trained, opened(config.data.test_subset), source, recordings)

    @property
    def videos(self) -> list[FeaturedVideo]:
        """Of both subsets."""
        return [*self.trained.videos, *self.evaluated.videos]

    @property
    def annotated(self) -> list[AnnotatedVideo]:
        """Of both subsets, with features or not, with their own classes."""
        data = self.config.data
        return list(subset_of(self.every, [*data.train_subset, *data.test_subset]).videos.values())

    @cached_property
    def labelled(self) -> Annotations:
        """Of all subsets, with the classes that are trained."""
        return with_classes(self.every, self.config.model.num_classes)

    def subset(self, names: Sequence[str]) -> list[AnnotatedVideo]:
        """The videos of some subsets, with features or not, with the classes that are trained."""
        return list(subset_of(self.labelled, names).videos.values())


def subset_of(annotations: Annotations, names: Sequence[str]) -> Annotations:
    """The videos of those subsets that there are."""
    there = [name for name in names if annotations.has_subset(name)]
    return annotations.subset(there) if there else replace(annotations, videos={})


def examined(patient: Patient, findings: Sequence[Finding]) -> DoctorReport:
    """The report of all checks, after the findings that there are already."""
    config = patient.config
    training = training_set(
        patient.trained.videos, data=config.data, max_length=config.model.max_length, seed=config.training.seed
    )
    values, share = _values(patient)
    found = [
        *found_in("annotations", [*findings, *_annotations(patient)]),
        *found_in("features" if patient.source else "videos", [*_files(patient), *values]),
        *_subsets(patient, training),
        *found_in("settings", check_rate(config, _steps(config, training))),
    ]
    if patient.source and not any(one.severity == "error" for one in found):
        found += found_in("annotations and features", _together(patient))
    return _report(patient, training, found, share)


def _annotations(patient: Patient) -> list[Finding]:
    every = patient.every
    return [
        *check_subsets(every, patient.config.data),
        *check_spelling(every.class_names),
        *check_names(patient.annotated),
        *check_repeats(patient.annotated, every.class_names),
    ]


def _files(patient: Patient) -> list[Finding]:
    """About what belongs to the annotations, without reading it."""
    found: list[Finding] = []
    if patient.source is not None:
        found += check_unannotated(patient.every, patient.source)
        found += check_sidecars(patient.videos, patient.config.data)
    if patient.recordings is not None:
        found += check_recordings(patient.every, patient.recordings)
    return [*found, *check_durations(patient.videos), *check_one_timing(patient.videos)]


def _values(patient: Patient) -> tuple[list[Finding], float]:
    """About the values of features, and the share of the rows that was looked at."""
    if patient.source is None or not patient.videos:
        return [], 0.0
    measured = measure(patient.videos)
    statistics = measured.statistics
    if not statistics.videos:
        return measured.findings, measured.share
    return [
        *measured.findings,
        *check_values(statistics),
        *check_leaks(statistics, [one.video for one in patient.videos]),
        *check_unlike(statistics, centred=patient.config.data.center_videos),
        *check_channels(statistics),
    ], measured.share


def _together(patient: Patient) -> list[Finding]:
    """Whether annotations and features tell of the same things."""
    probe = Probe.of(patient.videos, len(patient.labelled.class_names))
    found = check_followed(patient.videos)
    return [*found, *check_alignment(probe), *check_unlabelled(probe)] if probe.says_something else found


def _subsets(patient: Patient, training: TrainingSet) -> list[Finding]:
    """What training and evaluation would suffer from."""
    trained = Collection(patient.trained.videos, patient.trained.missing)
    evaluated = Collection(patient.evaluated.videos, patient.evaluated.missing)
    names, data = patient.labelled.class_names, patient.config.data
    used = patient.subset([*data.train_subset, *data.test_subset])
    empty = check_empty_classes(used, names) if patient.every.class_names else []  # else nobody has named one
    learned = [*patient.trained.findings, *check_training(trained, training, patient.config, names), *empty]
    if patient.config.training.classifier:
        labelled = list(subset_of(patient.every, data.train_subset).videos.values())
        learned += check_video_classes(labelled, patient.config.fusion.classes_per_video)
    asked = [*patient.evaluated.findings, *check_evaluation(evaluated, trained, names)]
    return [*found_in(_subset(data.train_subset), learned), *found_in(_subset(data.test_subset), asked)]


def _subset(names: Sequence[str]) -> str:
    return f"subset {', '.join(names)}"


def _steps(config: Config, training: TrainingSet) -> int:
    """Steps of a whole run, at least one per epoch."""
    loader = EpochLoader(training, training=config.training)
    return max(steps_per_epoch(loader, config.training.accumulate), 1) * config.training.all_epochs


def _report(patient: Patient, training: TrainingSet, findings: list[Finding], share: float) -> DoctorReport:
    tells = architecture_of(patient.config).taught([], []) is not None
    placed = PlacedActions.of(training, patient.config) if tells and patient.trained.videos else None
    data, names = patient.config.data, patient.labelled.class_names
    trained, evaluated = patient.subset(data.train_subset), patient.subset(data.test_subset)
    return DoctorReport(
        findings,
        _facts(patient, share),
        subsets=[
            subset_row(", ".join(data.train_subset), trained, patient.trained.videos),
            subset_row(", ".join(data.test_subset), evaluated, patient.evaluated.videos),
        ],
        classes=class_rows(trained, evaluated, names, placed) if patient.every.class_names else [],
        lengths=length_rows(placed) if placed is not None else [],
        perfect=_perfect(patient),
    )


def _perfect(patient: Patient) -> dict[str, float]:
    """What perfect scores reach, in the evaluation subset or else in that of training."""
    for videos in (patient.evaluated.videos, patient.trained.videos):
        report = oracle_report(patient.labelled, videos, patient.config) if videos else None
        if report is not None:
            named = {f"{tiou:g}": value for tiou, value in zip(report.tiou, report.map, strict=True)}
            return {**named, "average": report.average}
    return {}


def _facts(patient: Patient, share: float) -> dict[str, str]:
    config, facts = patient.config, {"annotations": patient.every.source}
    facts["detector"] = config.model.detector
    if patient.videos:
        first = patient.videos[0]
        grid, width = first.grid, first.features.shape[1]
        facts["features"] = f"{plural(width, 'channel')}, " if patient.source else "as they would be made, "
        facts["features"] += f"every {grid.step:.3g} s (fps {grid.fps:g}, stride {grid.stride:g}, "
        facts["features"] += f"num_frames {grid.num_frames:g})"
        longest = min(2 * architecture_of(config).furthest, config.model.max_length) * grid.step
        facts["longest action in reach"] = f"{longest:.4g} s"
    if 0 < share < 1:
        facts["rows read"] = f"{100 * share:.1f}%: training reads all of them, and may find more"
    return facts
