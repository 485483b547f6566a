"""Self-training: a model labels the videos that nobody has labelled, and another learns from these too."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from rich.console import Console

from actionformer.core.annotations import AnnotatedVideo, Annotations
from actionformer.core.detections import Detections
from actionformer.core.errors import InputError
from actionformer.core.names import matched
from actionformer.core.progress import counted
from actionformer.core.run_files import LABELS
from actionformer.core.terminal import plain_console, say
from actionformer.core.words import plural
from actionformer.data.collection import Paths
from actionformer.evaluation.diagnosis_report import MOST_OVERLAP, shared_time
from actionformer.features import FeatureFolders
from actionformer.formats.annotations import read_annotations, write_annotations
from actionformer.inference.detector import Detector
from actionformer.inference.loading import load
from actionformer.inference.overlap import without_overlap
from actionformer.recipes.evaluate import trained_on
from actionformer.recipes.given import TrainingData
from actionformer.recipes.run_directory import own_run
from actionformer.recipes.train import train_on
from actionformer.settings.config import Changes, Config, merged

FOUND = "found"
"""The subset of videos whose labels a model has found."""


def self_train(
    run: str | Path,
    out: str | Path = "runs/self-trained",
    *,
    config: str | Path | Config = "auto",
    annotations: str | Path | None = None,
    features: Paths | None = None,
    resume: bool = False,
    overwrite: bool = False,
    other_timing: bool = False,
    device: str = "cpu",
    settings: Changes | None = None,
    console: Console | None = None,
) -> Detector:
    """Lets a model label the videos that nobody has labelled, and trains another one on these and the labelled ones.

    What it finds there and people would be shown (see `calibrate`) is taken for true. Where no two actions go on at one
    time in the labelled videos, none do in what is found. All labels are in OUT/found_labels.json, those that were
    found in the subset `found`: look at them with `label`, and train on that file once they are corrected. A second
    round takes OUT as RUN, and finds these labels anew.

    Args:
        run: a model directory, trained on the labelled videos.
        out: the run directory to write.
        config: a preset's name, a TOML file, or auto: settings that fit all these videos, for the detector of RUN.
        annotations: ActivityNet JSON; by default what RUN was trained on.
        features: a folder of feature files, of labelled videos and of others; by default what RUN was trained on.
        resume: continue the run in OUT, with the labels that were found.
        overwrite: remove the run in OUT and start again.
        other_timing: take features of several strides or windows.
        device: where to compute: cpu, cuda, cuda:1, ...
        settings: section -> setting -> value, of what is not to be as `config` has it.
        console: where progress is shown; by default nowhere.

    Returns:
        The detector of the last model.

    Raises:
        InputError: a model whose classes or proposals are not its own, no video without labels, nothing found in them,
            or what `train` refuses.
    """
    run, out = Path(run), Path(out)
    console = console or plain_console(quiet=True)
    teacher = load(run, device=device, other_timing=other_timing)
    if teacher.second_stage or teacher.classifier is not None:
        raise InputError(f"{run}: finds actions with the help of another model: self-train one that does it alone")
    with own_run(out, resume=resume, overwrite=overwrite):
        source, folders = trained_on(run, teacher.card, annotations, features)
        labels = out / LABELS
        if not (resume and labels.is_file()):
            labelled = read_annotations(source, teacher.class_names)
            write_annotations(labels, _with_found(teacher, labelled, folders, console))
            say(console, f"labels: {labels}")
        given = _settings(teacher, settings)
        data = TrainingData(labels, folders, None, "motion", (), False, other_timing, device)
        task = data.given(config, given)
        if teacher.card.held_out:
            task = task.evaluated_on(teacher.card.held_out)
        train_on(task.completed(console), out, init=None, resume=resume, device=device, console=console)
    return load(out, device=device)


def _settings(teacher: Detector, settings: Changes | None) -> Changes:
    """The teacher's subsets and the found one, and its detector, unless the user says others."""
    data = teacher.config.data
    trained = [name for name in data.train_subset if name != FOUND]
    own = {
        "data": {"train_subset": [*trained, FOUND], "test_subset": list(data.test_subset), "prefix": data.prefix},
        "model": {"detector": teacher.config.model.detector},
    }
    return merged(own, settings or {})


def _with_found(teacher: Detector, labelled: Annotations, features: Paths, console: Console) -> Annotations:
    """The labelled videos and what is found in the others; those in which nothing is found stay away.

    Raises:
        InputError: there are no others, or nothing is found in any.
    """
    people = {id_: video for id_, video in labelled.videos.items() if video.subset != FOUND}
    trained = replace(labelled, videos=people).subset([n for n in teacher.config.data.train_subset if n != FOUND])
    folders = FeatureFolders.at(features, teacher.config.data.prefix)
    known = matched(folders.ids, people)
    others = [id_ for id_ in folders.ids if id_ not in known and not folders.missing([id_])]
    where = ", ".join(map(str, folders.folders))
    if not others:
        raise InputError(f"{where}: every video with features is labelled in {labelled.source}: there is none to label")
    alone = shared_time(trained) <= MOST_OVERLAP
    found: dict[str, AnnotatedVideo] = {}
    actions = 0
    for id_ in counted(others, len(others), console):
        files = [path for path in folders.paths(id_) if path is not None]
        sure = without_overlap(teacher.shown(teacher.detect(files)), "none" if alone else "class")
        if len(sure):
            found[id_] = _labelled(id_, sure, folders.spec(id_).duration)
            actions += len(sure)
    if not found:
        raise InputError(f"{where}: nothing that people would be shown is found in the videos without labels")
    nothing = len(others) - len(found)
    say(
        console,
        f"{plural(actions, 'action')} found in {plural(len(found), 'video')} without labels"
        + (f"; nothing in {nothing} more, which {'is' if nothing == 1 else 'are'} left out" if nothing else ""),
    )
    return replace(labelled, videos=people | found)


def _labelled(id_: str, found: Detections, duration: float | None) -> AnnotatedVideo:
    order = np.argsort(found.segments[:, 0], kind="stable")
    return AnnotatedVideo(id_, FOUND, duration, None, found.segments[order], found.labels[order])
