"""Self-training: a model labels the videos that nobody has labelled, and another learns from these too."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from actionformer.core.annotations import AnnotatedVideo, Annotations
from actionformer.core.errors import InputError, listed, untold, warn
from actionformer.core.files import read_json
from actionformer.core.hashes import hash_of
from actionformer.core.names import matched
from actionformer.core.progress import counted
from actionformer.core.run_files import LABELS, WEIGHTS
from actionformer.core.terminal import plain_console, say
from actionformer.core.words import plural
from actionformer.data.collection import Paths
from actionformer.data.groups import with_others
from actionformer.features import FeatureFolders
from actionformer.formats.activitynet.annotations import annotations_text, parse_annotations
from actionformer.formats.annotations import read_annotations
from actionformer.inference.detector import Detector
from actionformer.inference.loading import load
from actionformer.inference.overlap import Overlap, without_overlap
from actionformer.recipes.evaluate import trained_on
from actionformer.recipes.given import Given, TrainingData
from actionformer.recipes.run_directory import own_run
from actionformer.recipes.task import gather
from actionformer.recipes.train import train_on
from actionformer.settings.config import Changes, Config, merged
from actionformer.settings.loading import AUTO
from actionformer.training.checkpoints import read_state

FOUND_BY = "found_by"
"""What the file of found labels says of the model: the hash of its weights."""


def self_train(
    run: str | Path,
    out: str | Path = "runs/self-trained",
    *,
    config: str | Path | Config = "auto",
    annotations: str | Path | None = None,
    features: Paths | None = None,
    skip_missing: bool = False,
    resume: bool = False,
    overwrite: bool = False,
    other_timing: bool = False,
    device: str = "cpu",
    settings: Changes | None = None,
    console: Console | None = None,
) -> Detector:
    """Lets a model label the videos that nobody has labelled, and trains another one on these and the labelled ones.

    What it finds there and people would be shown (see `calibrate`) is taken for true. Where no two actions go on at one
    time in the labelled videos, none do in what is found. Videos of people, cameras or places that are evaluated on are
    left alone. What was found is in OUT/found_labels.json, the labels of people stay where they are. A second round
    takes OUT as RUN, and finds everything anew.

    Args:
        run: a model directory, trained on the labelled videos.
        out: the run directory to write.
        config: a preset's name, a TOML file, or auto: settings that fit all these videos, for the detector of RUN.
        annotations: ActivityNet JSON, the labels of people; by default what RUN was trained on.
        features: a folder of feature files, of labelled videos and of others; by default what RUN was trained on.
        skip_missing: go on without labelled videos that have no features.
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

    Warns:
        UserWarning: videos whose features cannot be used are left out, or caps cut what is found.
    """
    run, out = Path(run), Path(out)
    console = console or plain_console(quiet=True)
    if run.resolve().is_relative_to(out.resolve()):
        raise InputError(f"{run}: lies in {out}, which is written anew: choose another --out")
    teacher = load(run, device=device, other_timing=other_timing)
    if teacher.second_stage or teacher.classifier is not None:
        raise InputError(f"{run}: finds actions with the help of another model: self-train one that does it alone")
    with own_run(out, resume=resume, overwrite=overwrite):
        source, folders = trained_on(run, teacher.card, annotations, features)
        people = _labels_of_people(run, teacher, source)
        data = TrainingData(
            annotations=people, features=folders, skip_missing=skip_missing, other_timing=other_timing, device=device
        )
        given = data.given(config, merged(_as_before(teacher, people), settings or {}) if config == AUTO else settings)
        weights = hash_of([run / WEIGHTS])
        labels = _found_before(out, weights) if resume else None
        if labels is None:
            with untold():  # what is refused is refused before the long search; the rest is told of all videos
                gather(_evaluated(given, teacher).completed(plain_console(quiet=True)))
            found = annotations_text(_found(teacher, people, given, folders, console))
            labels = json.loads(found) | {FOUND_BY: weights}
        videos = parse_annotations(labels, people.class_names, LABELS).videos
        given = _evaluated(replace(given, annotations=replace(people, videos=people.videos | videos)), teacher)
        train_on(
            given.completed(console),
            out,
            init=None,
            resume=resume,
            device=device,
            console=console,
            beside={LABELS: json.dumps(labels, indent=1) + "\n"},
        )
    return load(out, device=device)


def _labels_of_people(run: Path, teacher: Detector, source: str | Path) -> Annotations:
    """Raises an InputError if the model does not tell their classes apart, or what it was evaluated on is not there."""
    if teacher.config.model.num_classes == 1 and len(names := read_annotations(source).class_names) > 1:
        raise InputError(
            f"{run}: finds actions without saying which of the {plural(len(names), 'class')} of {source} they are: "
            "self-train a model that does"
        )
    people = read_annotations(source, teacher.class_names)
    if gone := [id_ for id_ in teacher.card.held_out if id_ not in people.videos]:
        raise InputError(
            f"{source}: {listed(gone, 3)}: held out from {run} for evaluation, and not labelled here: give the "
            "annotations that it was trained on, or more"
        )
    return people


def _as_before(teacher: Detector, people: Annotations) -> Changes:
    """What derived settings take over from the model: its detector, and what tells which data are meant."""
    before = teacher.config.data
    subsets = {name for name in ("train_subset", "test_subset") if people.has_subset(getattr(before, name))}
    data = before.model_dump(include={*subsets, "prefix"})
    timing = teacher.config.data.model_dump(include={"fps", "stride", "num_frames"}, exclude_none=True)
    return {"data": data | timing, "model": {"detector": teacher.config.model.detector}}


def _evaluated(given: Given, teacher: Detector) -> Given:
    """The same, evaluated on what the model was evaluated on."""
    return given.evaluated_on(teacher.card.held_out) if teacher.card.held_out else given


def _found_before(out: Path, weights: str) -> dict[str, Any] | None:
    """The file of what a run that is continued has learned from besides, None before its first epoch ended.

    Raises:
        InputError: another model found it.
    """
    file = out / LABELS
    if read_state(out) is None or not file.is_file():
        return None
    labels: dict[str, Any] = read_json(file)
    if labels.get(FOUND_BY) != weights:
        raise InputError(
            f"{file}: was found by another model: a run can only resume unchanged; --overwrite starts again"
        )
    return labels


def _found(teacher: Detector, people: Annotations, given: Given, features: Paths, console: Console) -> Annotations:
    """What a model finds in the videos that nobody has labelled; those in which it finds nothing stay away.

    Raises:
        InputError: there are none, or nothing is found in any.
    """
    folders = FeatureFolders.at(features, given.config.data.prefix)
    where = ", ".join(map(str, folders.folders))
    todo = _to_label(teacher, people, given, folders, console)
    policy: Overlap = "none" if people.one_at_a_time else "class"
    subset = given.config.data.train_subset[0]
    failed: list[str] = []
    cut: list[str] = []
    teacher.tell = lambda message, _: cut.append(message)
    videos: dict[str, AnnotatedVideo] = {}
    for id_ in counted(todo, len(todo), console):
        try:
            found = teacher.detect([path for path in folders.paths(id_) if path is not None], name=id_)
            duration = folders.spec(id_).duration
        except InputError as error:
            failed.append(str(error))
            continue
        sure = without_overlap(teacher.shown(found), policy)
        if len(sure):
            order = np.argsort(sure.segments[:, 0], kind="stable")
            fps = teacher.card.features.fps
            videos[id_] = AnnotatedVideo(id_, subset, duration, fps, sure.segments[order], sure.labels[order])
    if failed:
        warn(f"{plural(len(failed), 'video')} left out, whose features cannot be used: {listed(failed, 2)}")
    if cut:
        warn(f"caps cut what is found in {plural(len(cut), 'video')}: {cut[0]}")
    if not videos:
        raise InputError(f"{where}: nothing that people would be shown is found in the videos without labels")
    _say_left(console, len(todo) - len(failed) - len(videos), "in which nothing is found")
    actions = sum(len(video.segments) for video in videos.values())
    say(console, f"{plural(actions, 'action')} found in {plural(len(videos), 'video')} without labels")
    return Annotations(videos, people.class_names, LABELS)


def _to_label(
    teacher: Detector, people: Annotations, given: Given, folders: FeatureFolders, console: Console
) -> list[str]:
    """The videos with all features that nobody has labelled, of no person, camera or place that is evaluated on.

    Raises:
        InputError: every video is labelled.

    Warns:
        UserWarning: nothing says of some of whom they are.
    """
    labelled = matched(folders.ids, people.videos)
    others = [id_ for id_ in folders.ids if id_ not in labelled]
    if not others:
        where = ", ".join(map(str, folders.folders))
        raise InputError(f"{where}: every video with features is labelled in {people.source}: there is none to label")
    partly = folders.missing(others)
    _say_left(console, len(partly), "without features in all folders")
    whole = [id_ for id_ in others if id_ not in {*partly}]
    groups, unsure = with_others(people, whole)
    tested = {groups[id_] for id_ in _evaluated_on(people, given, teacher)}
    alike = {id_ for id_ in whole if groups[id_] in tested}
    _say_left(console, len(alike), "of a person, camera or place that is evaluated on")
    if unsure and tested:
        warn(
            f"{listed(unsure, 3)}: nothing says of which group, such as a person, {plural(len(unsure), 'video')} "
            "without labels may be: if it is evaluated on, figures come out too good: move its features elsewhere"
        )
    return [id_ for id_ in whole if id_ not in alike]


def _say_left(console: Console, count: int, why: str) -> None:
    if count:
        say(console, f"{plural(count, 'video')} {why} left out")


def _evaluated_on(people: Annotations, given: Given, teacher: Detector) -> set[str]:
    """The videos of people that are evaluated on and not learned from."""
    data = given.config.data
    tested, trained = (
        people.subset([name for name in names if people.has_subset(name)]).videos
        for names in (data.test_subset, data.train_subset)
    )
    return {*(tested.keys() - trained.keys()), *teacher.card.held_out}
