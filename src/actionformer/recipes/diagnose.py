"""Diagnosis of a run or of a file of detections: what kinds of error there are, and how certain the figures."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from actionformer.core.annotations import Annotations
from actionformer.core.calibration import Calibration
from actionformer.core.detections import Detections
from actionformer.core.errors import InputError, warn
from actionformer.core.files import check_absent, write_whole
from actionformer.core.run_files import DETECTIONS, FOLDS, REPORT
from actionformer.data.groups import Groups, groups_of
from actionformer.data.split import with_held_out
from actionformer.evaluation.diagnosis_page import page_of
from actionformer.evaluation.diagnosis_report import DiagnosisReport, report
from actionformer.evaluation.report import parse_tiou, score
from actionformer.formats.annotations import read_annotations
from actionformer.formats.detections import read_results
from actionformer.model_directory import ModelCard, load_settings
from actionformer.recipes.evaluate import evaluated_videos, tell_learned, truth_of
from actionformer.recipes.evaluated import check_last, check_same_truth
from actionformer.recipes.folds import settings_of_folds
from actionformer.settings.config import Config


def diagnose(
    source: str | Path,
    *,
    annotations: str | Path | None = None,
    subset: str | Sequence[str] | None = None,
    against: str | Path | None = None,
    tiou: float = 0.5,
    thresholds: str | Sequence[float] | None = None,
    draws: int = 1000,
    html: str | Path | None = None,
    json: str | Path | None = None,
    overwrite: bool = False,
) -> DiagnosisReport:
    """Tells why detections are wrong, what is missed, on what it depends, and how certain mAP is.

    Kinds of error and their cost as in DETAD (duplicates, wrong labels, localization, confusion, background, misses),
    normalised mAP and misses by length, coverage and number of instances, an interval of mAP, and frame-wise figures.

    Args:
        source: a run that was evaluated, the folder of `train --folds`, or a file of detections (JSON, JSON Lines or
            CSV).
        annotations: ground truth, ActivityNet JSON; by default what the run was trained with.
        subset: subsets to evaluate on; by default the evaluation subset of the run, or all videos.
        against: a second run or file of detections, which a paired test compares with the first.
        tiou: overlap from which on a detection is right.
        thresholds: tIoU that mAP is the mean over, start:stop:step or a list a,b,c; by default those of the run.
        draws: how often the videos, or groups of them, are drawn for intervals and the test.
        html: a page to write, one file with all figures.
        json: a file to write all figures to.
        overwrite: replace files that exist.

    Raises:
        InputError: no evaluation in the run, or one of other videos or annotations; no annotations, a broken file, an
            unknown subset or class; a second run that was evaluated on other videos.
    """
    check_absent([Path(path) for path in (html, json) if path is not None], overwrite=overwrite)
    if draws < 1:
        raise InputError(f"draws must be at least 1, found {draws}")
    (tiou,) = parse_tiou([tiou])
    run = _Source(Path(source))
    truth, groups = run.annotations(annotations, subset)
    thresholds = parse_tiou(thresholds or (run.config or Config()).evaluation.tiou)
    run.check(truth, annotations, subset)
    other = None if against is None else _Source(Path(against))
    if other is not None:
        if annotations is None and other.card is not None:
            both = f"{source} and {against} cannot be compared"
            check_same_truth(truth, other.annotations(None, subset)[0], both)
        other.check(truth, annotations, subset)
    found = report(
        truth,
        run.detections,
        tiou=tiou,
        thresholds=thresholds,
        calibration=run.calibration,
        other=None if other is None else other.detections,
        draws=draws,
        groups=groups,
    )
    if json is not None:
        found.to_json(json)
    if html is not None:
        write_whole(html, page_of(found, str(source), None if against is None else str(against)))
    return found


class _Source:
    """Detections of a run's last evaluation, of all folds or of a file, and what a run says of them besides."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config: Config | None = None
        self.card: ModelCard | None = None
        if (path / FOLDS).is_file():
            self.config, self.card = settings_of_folds(path)
        elif path.is_dir():
            self.config, self.card = load_settings(path)
        file = path / DETECTIONS if path.is_dir() else path
        if not file.is_file():
            missing = f"holds no {DETECTIONS}: evaluate the run first" if path.is_dir() else "no such file"
            raise InputError(f"{path}: {missing}")
        self.detections: dict[str, Detections] = read_results(file)

    @property
    def calibration(self) -> Calibration | None:
        return None if self.card is None else self.card.calibration

    def annotations(self, file: str | Path | None, subset: str | Sequence[str] | None) -> tuple[Annotations, Groups]:
        """The videos to evaluate on, and which of all videos are alike.

        Raises:
            InputError: nobody says which file, or it has no such subset.
        """
        file = file or (self.card.training.get("annotations") if self.card is not None else None)
        if file is None:
            raise InputError(f"{self.path}: does not say what is right: give --annotations")
        if self.card is None:
            every = read_annotations(file)
        else:
            every = with_held_out(truth_of(file, self.card.found_classes), self.card.held_out)
        subset = subset or (self.config.data.test_subset if self.config is not None else None)
        return every if subset is None else evaluated_videos(self.path, every, subset), groups_of(every)

    def check(self, truth: Annotations, annotations: str | Path | None, subset: str | Sequence[str] | None) -> None:
        """Checks that the detections are of the videos to evaluate on.

        Of a run, its last evaluation tells; of a file, and where annotations are given, what is odd is told.

        Raises:
            InputError: a run's last evaluation was of something else.
        """
        if annotations is None and self.card is not None and (self.path / REPORT).is_file():
            names = [subset] if isinstance(subset, str) else subset or ()
            options = "".join(f" --subset {shlex.quote(name)}" for name in names)
            last = check_last(self.path, truth, self.detections, options=options)
            if last.other_settings:
                warn(f"{self.path}: {last.other_settings}: `actionformer evaluate {self.path}` undoes it", stacklevel=3)
            tell_learned(self.path, self.card, truth)
        else:
            for sentence in score(truth, self.detections).warnings:
                warn(f"{self.path}: {sentence}", stacklevel=3)
