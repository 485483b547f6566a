"""Evaluation of a model directory on the videos of a subset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from actionformer.checks import check_actions, tell
from actionformer.core import ranks
from actionformer.core.annotations import Annotations
from actionformer.core.detections import Detections
from actionformer.core.devices import Precision
from actionformer.core.errors import InputError, warn
from actionformer.core.files import version_of
from actionformer.core.names import known_name
from actionformer.core.run_files import DETECTIONS, REPORT, WEIGHTS
from actionformer.data.collection import Collection, Paths, collect, with_classes
from actionformer.data.groups import Groups, groups_of
from actionformer.data.split import HELD_OUT, with_held_out
from actionformer.evaluation.report import Report, parse_tiou, score
from actionformer.formats.annotations import read_annotations
from actionformer.formats.detections import write_results
from actionformer.hub import is_address, model_folder
from actionformer.inference.annotated import detect_together
from actionformer.inference.loading import load
from actionformer.inference.video_scores import VideoScores, scores_for
from actionformer.model_directory import ModelCard, load_settings
from actionformer.recipes.proposals import Proposals, ProposalSource, check_taken, source_of, with_proposals
from actionformer.settings.config import Changes, Config, differences


def truth_of(path: str | Path, class_names: Sequence[str], scores: VideoScores | None = None) -> Annotations:
    """The annotations, with the classes of the model or of scores of videos.

    Raises:
        InputError: a class that neither knows.
    """
    if scores is not None:
        labelled = read_annotations(path)
        for name in labelled.class_names:
            known_name(name, scores.class_names, f"{scores.source}: no scores of class")
        return read_annotations(path, class_names=scores.class_names)
    named = read_annotations(path, class_names=class_names if len(class_names) > 1 else None)
    return with_classes(named, len(class_names))


def evaluate(
    run: str | Path,
    *,
    annotations: str | Path | None = None,
    features: Paths | None = None,
    subset: str | Sequence[str] | None = None,
    tiou: str | Sequence[float] | None = None,
    skip_missing: bool = False,
    other_timing: bool = False,
    video_scores: str | Path | None = None,
    proposals: Proposals | None = None,
    device: str = "cpu",
    precision: Precision = "float32",
    settings: Changes | None = None,
) -> Report:
    """Detects in the evaluation subset and scores that; leaves detections.json and evaluation.json in the run.

    Detections of any other origin are for `score`. Started by torchrun, processes share the videos.

    Args:
        run: a model directory, or a model of huggingface.co (hf://USER/MODEL), of which nothing is left.
        annotations: ground truth, ActivityNet JSON; by default what it was trained with.
        features: folders of feature files; by default those it was trained with.
        subset: subsets to evaluate on; by default the evaluation subset of its settings.
        tiou: tIoU thresholds, start:stop:step or a list a,b,c; by default those of its settings.
        skip_missing: go on without videos that have no features.
        other_timing: take features of another stride, window or rate than those that the model was trained on.
        video_scores: scores of whole videos, which give the proposals of a class-agnostic model their classes: JSON
            {"results": {video: [scores]}, "class": [names]}, or UntrimmedNet's .npy for THUMOS14. By default its own
            classifier does, and without one its proposals are scored as one class.
        proposals: segments for a model that judges them: a file of detections or a model directory; by default its own
            proposer finds them, or they are of the file that it was trained with.
        device: where to compute: cpu, cuda, cuda:1, ...
        precision: number format of the arithmetic.
        settings: of decoding, suppression, fusion and live, where they are not to be the run's.

    Raises:
        InputError: no model directory, features that are missing or of other timing, or an unknown subset.
    """
    own, run = not is_address(run), model_folder(run)
    if run.is_file():
        raise InputError(
            f"{run}: is a file, but evaluate takes a model directory; to evaluate a file of detections, use score"
        )
    config, _ = load_settings(run)
    thresholds = parse_tiou(tiou or config.evaluation.tiou)
    with ranks.joined(device) as own_device:
        searched = search_subset(
            run,
            annotations=annotations,
            features=features,
            subset=subset,
            skip_missing=skip_missing,
            other_timing=other_timing,
            video_scores=video_scores,
            proposals=source_of(proposals, device=own_device, other_timing=other_timing),
            device=own_device,
            precision=precision,
            settings=settings,
        )
        return ranks.from_first(lambda: _scored(searched, config, thresholds, settings, written=own))


def _scored(
    searched: SearchedSubset, config: Config, thresholds: Sequence[float], settings: Changes | None, *, written: bool
) -> Report:
    """The figures of what was found, written with it, if asked, where the run has still the weights that found it."""
    run = searched.run
    report = score(searched.truth, searched.detections, tiou=thresholds, recall_at=config.evaluation.recall_at)
    report = with_skipped(report, searched.collection)
    changed = differences(config, config.replace(**(settings or {})))
    report = replace(report, settings={f"{section}.{name}": value for section, name, _, value in changed})
    if not written:
        return report
    if searched.is_current():
        write_results(run / DETECTIONS, searched.detections)
        report.to_json(run / REPORT)
    else:
        warn(f"{run}: was trained further meanwhile: neither {DETECTIONS} nor {REPORT} is written", stacklevel=4)
    return report


def with_skipped(report: Report, collection: Collection) -> Report:
    """The report of a subset, with the videos of it that have no features."""
    skipped = {"skipped_videos": len(collection.missing), "skipped_ground_truths": collection.missing_actions}
    return replace(report, counts=replace(report.counts, **skipped))


@dataclass(frozen=True, eq=False)
class SearchedSubset:
    """A subset of the annotated videos, and what a run finds in it."""

    run: Path
    card: ModelCard
    truth: Annotations
    groups: Groups
    """Which of all annotated videos are alike."""
    collection: Collection
    detections: dict[str, Detections]
    weights: tuple[int, int] | None
    """The version of the file that held them when they were read."""

    def is_current(self) -> bool:
        """Whether the run still has the weights that have found this."""
        return version_of(self.run / WEIGHTS) == self.weights


def search_subset(
    run: Path,
    *,
    annotations: str | Path | None = None,
    features: Paths | None = None,
    subset: str | Sequence[str] | None = None,
    skip_missing: bool = False,
    other_timing: bool = False,
    video_scores: str | Path | None = None,
    proposals: ProposalSource | None = None,
    device: str = "cpu",
    precision: Precision = "float32",
    settings: Changes | None = None,
) -> SearchedSubset:
    """Detects in a subset of the annotated videos; arguments and errors are those of `evaluate`."""
    config, card = load_settings(run)
    if proposals is not None:
        check_taken(config, proposals)
    annotations, features = trained_on(run, card, annotations, features)
    scores = scores_for(video_scores, card.class_names, config.data.prefix)
    truth = truth_of(annotations, card.found_classes, scores)
    groups = groups_of(truth)
    truth = evaluated_videos(run, with_held_out(truth, card.held_out), subset or config.data.test_subset)
    collection = collect(
        truth,
        features,
        config.data,
        width=config.model.input_width,
        made_for=card.features,
        skip_missing=skip_missing,
        other_timing=other_timing,
    )
    tell(check_actions(collection.videos), truth.source)
    weights = version_of(run / WEIGHTS)
    detector = load(run, device=device, precision=precision, settings=settings, other_timing=other_timing)
    detections = detect_together(detector, with_proposals(detector, collection.videos, proposals), scores)
    tell_learned(run, card, truth)
    return SearchedSubset(run, card, truth, groups, collection, detections, weights)


def evaluated_videos(run: Path, every: Annotations, subset: str | Sequence[str]) -> Annotations:
    """The videos of a subset.

    Args:
        run: what is evaluated on them.
        every: the annotated videos, those that the run held out in a subset of their own.
        subset: the names of one or several.

    Raises:
        InputError: there is no such subset, or no video that was held out.
    """
    names = [subset] if isinstance(subset, str) else subset
    if HELD_OUT in names and not every.has_subset(HELD_OUT):
        raise InputError(
            f"{run}: none of the videos in {every.source} was held out from its training: give videos that it has not "
            f"learned from, with --subset (there are {', '.join(every.subset_names)}), or --annotations and --features"
        )
    return every.subset(names)


def tell_learned(run: Path, card: ModelCard, truth: Annotations) -> None:
    """Tells where a model has learned from the videos that are looked at."""
    names = [name for name in card.training.get("subset", []) if truth.has_subset(name)]
    if names and not _others(card, truth):
        warn(
            f"{run}: was trained on subset {', '.join(names)}, where its scores and figures are too good: "
            "give --subset another",
            stacklevel=3,
        )


def _others(card: ModelCard, truth: Annotations) -> bool:
    """Whether these are certainly other videos than those that a model was trained on."""
    try:
        learned = read_annotations(card.training["annotations"])
    except (KeyError, InputError):
        return False
    return truth.videos.keys().isdisjoint(learned.videos)


def trained_on(
    run: str | Path, card: ModelCard, annotations: str | Path | None, features: Paths | None
) -> tuple[str | Path, Paths]:
    """Annotations and features as they are given, else those that a model was trained on.

    Raises:
        InputError: some are not given, and the model does not say.
    """
    annotations = annotations or card.training.get("annotations")
    features = features or card.training.get("features")
    if annotations is None or features is None:
        raise InputError(f"{run}: does not say what it was trained on: give --annotations and --features")
    return annotations, features
