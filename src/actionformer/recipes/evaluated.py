"""Runs that were evaluated, read again: what they were asked to find, and what they found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from actionformer.core.annotations import Annotations
from actionformer.core.detections import Detections
from actionformer.core.errors import InputError, listed
from actionformer.core.files import read_json, write_whole
from actionformer.core.run_files import DETECTIONS, REPORT
from actionformer.core.words import plural
from actionformer.data.collection import with_classes
from actionformer.data.groups import LEAST_GROUPS, Groups, groups_of
from actionformer.data.split import with_held_out
from actionformer.evaluation.comparison import ComparisonReport, SeedRun, compare_entries
from actionformer.evaluation.comparison_tables import in_order, markdown_of, page_of
from actionformer.evaluation.report import parse_tiou, score
from actionformer.evaluation.sensitivity import find
from actionformer.formats.annotations import read_annotations
from actionformer.formats.detections import read_results
from actionformer.model_directory import ModelCard, load_settings
from actionformer.recipes.evaluate import evaluated_videos
from actionformer.settings.base import short
from actionformer.settings.config import Config

SAME = 1e-6
"""Largest difference of a mAP that is computed again."""
MOST_NAMED = 3
"""Runs that a sentence names."""


@dataclass(frozen=True, eq=False)
class EvaluatedRun:
    """A model directory with its last evaluation."""

    path: Path
    config: Config
    card: ModelCard
    truth: Annotations
    """The videos that it was evaluated on."""
    groups: Groups
    """Which of all annotated videos are alike."""
    result: SeedRun
    learned: bool
    """Whether it has learned from any of these videos."""

    @property
    def epochs_short(self) -> str:
        """What to say of a model that is not of the last epoch of its training; empty of any other."""
        learned, whole = self.card.training.get("epochs"), self.config.training.all_epochs
        return f"{self.path} (epoch {learned} of {whole})" if learned is not None and learned < whole else ""


def read_evaluated(run: Path, annotations: str | Path | Annotations | None = None) -> EvaluatedRun:
    """A run with its evaluation, computed again from its detections.

    Args:
        run: a model directory.
        annotations: ground truth; by default what it was trained with.

    Raises:
        InputError: no model directory, none that was evaluated, or one whose last evaluation was of other videos or
            thresholds than those of its settings.
    """
    config, card = load_settings(run)
    source = annotations or card.training.get("annotations")
    if source is None:
        raise InputError(f"{run}: does not say what is right: give --annotations")
    if not (run / DETECTIONS).is_file() or not (run / REPORT).is_file():
        raise InputError(f"{run}: holds no {DETECTIONS} and {REPORT}: evaluate the run first")
    every = with_classes(
        source if isinstance(source, Annotations) else read_annotations(source), len(card.found_classes)
    )
    truth = evaluated_videos(run, with_held_out(every, card.held_out), config.data.test_subset)
    detections = read_results(run / DETECTIONS)
    tiou = config.evaluation.tiou
    last = check_last(run, truth, detections, tiou)
    if own := last.other_settings:
        raise InputError(f"{run}: {own}: run `actionformer evaluate {run}` again, for figures of the model as it is")
    found = find(truth, detections, np.array(tiou))
    return EvaluatedRun(
        path=run,
        config=config,
        card=card,
        truth=truth,
        groups=groups_of(every),
        result=SeedRun(config.training.seed, last.map, found),
        learned=_has_learned(every, config, card, truth),
    )


def _has_learned(every: Annotations, config: Config, card: ModelCard, truth: Annotations) -> bool:
    if not every.has_subset(config.data.train_subset):
        return False
    learned = with_held_out(every, card.held_out)
    names = [name for name in config.data.train_subset if learned.has_subset(name)]
    return bool(names) and not truth.videos.keys().isdisjoint(learned.subset(names).videos)


@dataclass(frozen=True)
class LastEvaluation:
    """What a run's evaluation.json says, which its detections and the annotations bear out."""

    map: tuple[float, ...]
    """At each of the thresholds."""
    other_settings: str
    """Which settings were not the model's own, as a clause; empty if none was."""


def check_last(
    run: Path,
    truth: Annotations,
    detections: Mapping[str, Detections],
    tiou: Sequence[float] | None = None,
    options: str = "",
) -> LastEvaluation:
    """Checks that a run's last evaluation was of these videos and annotations.

    Args:
        run: a model directory.
        truth: the videos that it should have been of.
        detections: what it left.
        tiou: thresholds that it should have had; by default any.
        options: of `evaluate` that make it so, for the message.

    Raises:
        InputError: it was of others, or says something else.
    """
    said: Any = read_json(run / REPORT)
    try:
        thresholds = parse_tiou(said["tiou"])
        found = score(truth, detections, tiou=thresholds).map
        settings = ", ".join(f"{name} {short(value)}" for name, value in said.get("settings", {}).items())
        same = tiou is None or np.allclose(thresholds, tiou, rtol=0, atol=SAME)
        same = same and np.allclose(said["map"], found, rtol=0, atol=SAME)
    except (TypeError, ValueError, LookupError, AttributeError):  # others, or none
        same = False
    if not same:
        others = "videos or annotations" if tiou is None else "videos, annotations or thresholds"
        asked = "are asked for" if options else "its settings name"
        raise InputError(
            f"{run}: its last evaluation was of other {others} than {asked}: "
            f"run `actionformer evaluate {run}{options}` again"
        )
    return LastEvaluation(found, f"its last evaluation had {settings}, not the model's own" if settings else "")


def check_alike(runs: Sequence[EvaluatedRun]) -> None:
    """Checks that runs were evaluated on the same videos by the same evaluator.

    Raises:
        InputError: they were not; names two of them and the first difference.
    """
    first = runs[0]
    for other in runs[1:]:
        both = f"{first.path} and {other.path} cannot be compared"
        if first.config.evaluation.tiou != other.config.evaluation.tiou:
            one, two = (", ".join(f"{t:g}" for t in run.config.evaluation.tiou) for run in (first, other))
            raise InputError(f"{both}: evaluation.tiou is {one} in one, and {two} in the other")
        check_same_truth(first.truth, other.truth, both)


def check_same_truth(one: Annotations, other: Annotations, both: str) -> None:
    """Checks that the same videos, with the same actions, were evaluated on.

    Raises:
        InputError: they differ; begins with `both`, and names the first difference.
    """
    if one.videos.keys() != other.videos.keys():
        counts = f"{plural(len(one), 'video')} and {plural(len(other), 'video')}"
        alone = sorted(one.videos.keys() ^ other.videos.keys())[0]
        raise InputError(f"{both}: they were evaluated on other videos ({counts}; {alone!r} is of one only)")
    for id_ in one.videos:
        if _actions(one, id_) != _actions(other, id_):
            raise InputError(f"{both}: the actions of video {id_!r} differ, or their classes")


def _actions(truth: Annotations, video: str) -> list[tuple[float, float, str]]:
    one = truth.videos[video]
    names = (truth.class_names[label] for label in one.labels.tolist())
    return sorted((start, end, name) for (start, end), name in zip(one.segments.tolist(), names, strict=True))


def report_of(
    entries: Mapping[str, Sequence[EvaluatedRun]], *, reference: str | None = None, draws: int
) -> ComparisonReport:
    """Entries side by side: the best first, or in the given order where they are compared with one of them.

    Args:
        entries: name -> its runs, one per seed.
        reference: the entry to compare with; by default the best.
        draws: of videos, for intervals and tests.

    Raises:
        InputError: they were not evaluated alike.
    """
    runs = [run for of_entry in entries.values() for run in of_entry]
    check_alike(runs)
    first = runs[0]
    groups = first.groups.numbers(first.truth.videos, LEAST_GROUPS)
    found = compare_entries(
        {name: [run.result for run in of_entry] for name, of_entry in entries.items()},
        groups,
        reference=reference,
        count=draws,
    )
    notes = []
    if any(run.learned for run in runs):
        notes.append("Some of these videos were learned from: all figures are too good.")
    if short := [run.epochs_short for run in runs if run.epochs_short]:
        notes.append(
            f"Not of the last epoch of their training: {listed(short, MOST_NAMED)}. Such a training was stopped, or "
            "its epoch was chosen on these videos (best/), which makes figures too good."
        )
    return ComparisonReport(
        tiou=first.config.evaluation.tiou,
        videos=len(first.truth),
        actions=len(first.result.found.truths),
        drawn=int(groups.max()) + 1,
        by="groups" if first.groups.among(first.truth.videos) >= LEAST_GROUPS else "videos",
        draws=draws,
        reference=reference or next(one.name for one in found if one.test is None),
        best=reference is None,
        entries=tuple(found) if reference else in_order(found),
        notes=tuple(notes),
    )


def write_report(report: ComparisonReport, path: Path, title: str) -> None:
    """Writes all figures as JSON, Markdown and a page: `path` with the ending of each."""
    report.to_json(path.with_name(f"{path.name}.json"))
    write_whole(path.with_name(f"{path.name}.md"), markdown_of(report, title))
    write_whole(path.with_name(f"{path.name}.html"), page_of(report, title))
