"""Detectors side by side: trained and tested on the same data, or runs that exist."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from actionformer.core.annotations import Annotations
from actionformer.core.errors import InputError
from actionformer.core.locks import sole_writer
from actionformer.core.run_files import CARD, COMPARISON, SEED
from actionformer.core.terminal import plain_console
from actionformer.data.collection import Paths
from actionformer.evaluation.comparison import ComparisonReport
from actionformer.recipes.costs import Measuring, with_costs
from actionformer.recipes.entries import check_counts, compared, entries_of
from actionformer.recipes.evaluated import EvaluatedRun, read_evaluated, report_of, write_report
from actionformer.recipes.given import TrainingData
from actionformer.recipes.proposals import Proposals, source_of
from actionformer.settings.config import Changes, Config

TITLE = "Comparison"
IDENTITY = ("annotations", "features", "proposals", "init")
"""What the card of a run has hashes of, and what seeds of one entry share."""


def compare(
    detectors: str | Sequence[str] = (),
    *,
    annotations: str | Path | Annotations | None = None,
    features: Paths | None = None,
    out: str | Path | None = None,
    videos: Paths | None = None,
    backbone: str = "motion",
    weights: str | Path | Sequence[str | Path] = (),
    seeds: int = 3,
    validation: float | None = None,
    from_: Sequence[str | Path] = (),
    draws: int = 1000,
    overwrite: bool = False,
    skip_missing: bool = False,
    other_timing: bool = False,
    proposals: Proposals | None = None,
    device: str = "cpu",
    settings: Changes | None = None,
    console: Console | None = None,
) -> ComparisonReport:
    """Trains and tests detectors side by side: same features, split, evaluator and seeds.

    Each run is kept in OUT/NAME/seedN, a model directory like any other. A call that was stopped is made again and goes
    on; so does one with a detector or a seed more. OUT/comparison.md, .html and .json have mAP with its deviation over
    seeds, intervals, a paired test of each detector against the best, what may be concluded, and what each costs.

    A draw takes videos with replacement, the same for all detectors (groups of videos that are alike are taken whole),
    and of a detector's S seeds S - 1 with replacement, whose mean counts. An interval holds 95% of the draws. Of the
    test p is twice the share of draws on which the difference to the best lies on the other side of 0, corrected for
    several tests by Holm's method.

    Args:
        detectors: names with commas between them: detectors, with the settings that `train auto` derives for each, or
            presets, or TOML files.
        annotations: ActivityNet JSON.
        features: a folder of feature files; several are joined by channel.
        out: the folder of all runs.
        videos: files or folders, instead of features: these are made once, in OUT/features, unless they are there.
        backbone: what turns videos into features, see `extract`.
        weights: files of the backbone, or their folder.
        seeds: runs of each detector.
        validation: hold this share of the training videos out and evaluate on them, the same for all; by default
            evaluation is on the evaluation subset, and a quarter is held out where there is none.
        from_: compare these runs, which exist and were evaluated on the same videos, instead of training any; a folder
            that `compare` or `ablate` has filled stands for its runs. Runs whose settings differ by the seed alone are
            seeds of one entry.
        draws: how often videos are drawn for intervals and tests.
        overwrite: make runs again whose settings or data have changed; others are kept.
        skip_missing: go on without videos that have no features.
        other_timing: take features of several strides or windows.
        proposals: segments for those of the detectors that judge them: a file of detections, or a model directory, see
            `train`.
        device: where to compute: cpu, cuda, cuda:1, ...
        settings: section -> setting -> value, of all detectors.
        console: where progress is shown; by default nowhere.

    Raises:
        InputError: what `train` refuses for any of them; a run in OUT that has other settings or data; runs that were
            not evaluated on the same videos by the same thresholds.
    """
    console = console or plain_console(quiet=True)
    check_counts(seeds=seeds, draws=draws)
    names = [name for part in ([detectors] if isinstance(detectors, str) else detectors) for name in part.split(",")]
    if from_:
        if names or videos or proposals or settings or validation is not None:
            raise InputError(
                "--from compares runs that exist, as they are: give no detectors, videos, proposals, --validation or "
                "settings with it"
            )
        runs = grouped([read_evaluated(run, annotations) for folder in from_ for run in _runs_in(Path(folder))])
        how = Measuring(features, skip_missing, other_timing, device)
        report = with_costs(report_of(runs, draws=draws), runs, how)
        if out is not None:
            write_report(report, Path(out) / COMPARISON, TITLE)
        return report
    if not names or annotations is None or out is None:
        raise InputError("give the detectors to compare, --annotations, --features and --out, or --from and runs")
    data = TrainingData(
        annotations=annotations,
        features=features,
        videos=videos,
        backbone=backbone,
        weights=weights,
        skip_missing=skip_missing,
        other_timing=other_timing,
        device=device,
        proposals=source_of(proposals, device=device, other_timing=other_timing, console=console),
    )
    out = Path(out)
    with sole_writer(out):
        entries = entries_of(
            names, data, out, settings or {}, validation=validation, overwrite=overwrite, console=console
        )
        report = compared(entries, data, seeds, out, draws=draws, overwrite=overwrite, console=console)
        write_report(report, out / COMPARISON, TITLE)
    return report


def grouped(runs: Sequence[EvaluatedRun]) -> dict[str, list[EvaluatedRun]]:
    """Runs by entry: those whose settings, data and first weights differ by nothing but the seed are seeds of one.

    An entry is called as the folder of its first run, or as the folder above where that is `seedN`; where two would be
    called alike, as the path says.

    Raises:
        InputError: a run that is given twice.
    """
    places = [run.path.resolve() for run in runs]
    if twice := [run.path for run, place in zip(runs, places, strict=True) if places.count(place) > 1]:
        raise InputError(f"{twice[0]}: is given twice")
    entries: list[list[EvaluatedRun]] = []
    for run in runs:
        fitting = (
            entry
            for entry in entries
            if _but_seed(entry[0]) == _but_seed(run) and run.result.seed not in {one.result.seed for one in entry}
        )
        entry = next(fitting, None)
        if entry is None:
            entries.append([run])
        else:
            entry.append(run)
    names = [_name(entry[0].path) for entry in entries]
    if len(set(names)) < len(names):
        names = [str(entry[0].path) for entry in entries]
    return dict(zip(names, entries, strict=True))


def _runs_in(folder: Path) -> list[Path]:
    """The runs of a comparison's folder; any other folder is meant itself."""
    runs = [] if (folder / CARD).is_file() else sorted(card.parent for card in folder.glob(f"*/{SEED}*/{CARD}"))
    return runs or [folder]


def _but_seed(run: EvaluatedRun) -> tuple[Config, list[object]]:
    config = run.config.replace(training={"seed": 0, "workers": None})
    return config, [run.card.training.get(f"{name}_hash") for name in IDENTITY]


def _name(path: Path) -> str:
    whole = path.resolve()
    return whole.parent.name if re.fullmatch(rf"{SEED}\d+", whole.name) else whole.name
