"""Ablations: one model, and what becomes of it when one thing is changed at a time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from actionformer.core.annotations import Annotations
from actionformer.core.errors import InputError, untold
from actionformer.core.locks import sole_writer
from actionformer.core.run_files import ABLATION
from actionformer.core.terminal import plain_console, say
from actionformer.data.collection import Paths
from actionformer.evaluation.comparison import ComparisonReport
from actionformer.recipes.entries import Entry, check_counts, compared, entries_of
from actionformer.recipes.evaluated import write_report
from actionformer.recipes.given import TrainingData
from actionformer.recipes.proposals import Proposals, source_of
from actionformer.recipes.switches import switches_of
from actionformer.recipes.task import gather
from actionformer.settings.config import Changes

FULL = "full"
"""The entry that the others are compared with."""


def ablate(
    annotations: str | Path | Annotations,
    features: Paths | None = None,
    out: str | Path = "runs/ablation",
    *,
    config: str = "auto",
    switches: Sequence[str] = ("all",),
    videos: Paths | None = None,
    backbone: str = "motion",
    weights: str | Path | Sequence[str | Path] = (),
    seeds: int = 3,
    validation: float | None = None,
    draws: int = 1000,
    overwrite: bool = False,
    skip_missing: bool = False,
    other_timing: bool = False,
    proposals: Proposals | None = None,
    device: str = "cpu",
    settings: Changes | None = None,
    console: Console | None = None,
) -> ComparisonReport:
    """Trains a model in full and with one thing changed at a time, and says what each change does to it.

    Everything else stays: data, split, evaluator, seeds and all other settings. Runs are kept as `compare` keeps them,
    in OUT/full/seedN and OUT/SWITCH/seedN, and a call that was stopped goes on. OUT/ablation.md, .html and .json
    compare each switch with the full model, with intervals and a paired test as of `compare`.

    Args:
        annotations: ActivityNet JSON.
        features: a folder of feature files; several are joined by channel.
        out: the folder of all runs.
        config: the full model: auto, a detector (settings that `train auto` derives for it), a preset or a TOML file.
        switches: what is changed, each by itself: convolutions, no-head-norm, no-center-sampling, position-encoding,
            global-attention (the ablations of ActionFormer's paper), half-length (training sees half of the longest
            sequence), levels=4, or any setting such as model.window=9; settings with a + between them are changed
            together. By default all that have a name and that the detector has.
        videos: files or folders, instead of features: these are made once, in OUT/features, unless they are there.
        backbone: what turns videos into features, see `extract`.
        weights: files of the backbone, or their folder.
        seeds: runs of the full model and of each switch.
        validation: hold this share of the training videos out and evaluate on them, see `compare`.
        draws: how often videos are drawn for intervals and tests.
        overwrite: make runs again whose settings or data have changed; others are kept.
        skip_missing: go on without videos that have no features.
        other_timing: take features of several strides or windows.
        proposals: segments for a detector that judges them: a file of detections (ActivityNet JSON, JSON Lines or CSV),
            or a model directory of a detector on the same features, which the run then keeps.
        device: where to compute: cpu, cuda, cuda:1, ...
        settings: section -> setting -> value, of the full model.
        console: where progress is shown; by default nowhere.

    Raises:
        InputError: what `compare` refuses; a switch that the detector does not have, or that changes nothing.
    """
    console = console or plain_console(quiet=True)
    check_counts(seeds=seeds, draws=draws)
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
        (full,) = entries_of(
            [config], data, out, settings or {}, validation=validation, overwrite=overwrite, console=console
        )
        full = replace(full, name=FULL)
        asked = [one for item in switches for one in ([item] if "=" in item else item.split(","))]
        with untold():  # training tells it
            longest = max(len(one.features) for one in gather(full.given).collection.videos)
        chosen, left_out = switches_of(full.given.config, longest, asked)
        for sentence in left_out:
            say(console, sentence)
        if not chosen:
            raise InputError(f"nothing to compare the full model with: it has none of the switches {', '.join(asked)}")
        entries = [full, *(Entry(_folder(one.name), replace(full.given, config=one.config)) for one in chosen)]
        report = compared(entries, data, seeds, out, reference=FULL, draws=draws, overwrite=overwrite, console=console)
        meant = [f"{one.name}: {one.says}" for one in chosen if one.says]
        said = [f"What was changed: {'; '.join(meant)}."] if meant else []
        report = replace(report, notes=(*report.notes, *said, *left_out))
        write_report(report, out / ABLATION, f"Ablation of {full.given.config.model.detector}")
    return report


def _folder(name: str) -> str:
    """A switch as the name of a folder."""
    return re.sub(r"[^\w.=+,-]+", "_", name)
