"""`actionformer label`: a folder of videos, and the page on which people say what happens when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from rich.console import Console

from actionformer.core.detections import Detections
from actionformer.core.endings import SOUND_ALONE
from actionformer.core.errors import InputError, listed, warn
from actionformer.core.names import check_name, explained, matched
from actionformer.core.terminal import plain_console
from actionformer.core.words import plural
from actionformer.extraction.inputs import ENDINGS
from actionformer.formats.activitynet.labelled import LabelledFile
from actionformer.formats.detections import read_results
from actionformer.hub import model_folder
from actionformer.inference.caps import SHOWN_SCORE
from actionformer.sound.medium import SOUND
from actionformer.viewer.folders import VideoFolder
from actionformer.viewer.opening import renamed, union
from actionformer.viewer.project import Labelling, Project
from actionformer.viewer.start import check_installed, ended_in_order, services_for


def label(
    videos: Path,
    *,
    out: Path,
    classes: Sequence[str] | None = None,
    run: Path | None = None,
    drafts: Path | None = None,
    subset: str = "training",
    device: str = "cpu",
    host: str = "127.0.0.1",
    port: int = 0,
    token: str | None = None,
    browser: bool = True,
    console: Console | None = None,
) -> None:
    """Opens a local web page on which people label videos: which action happens, when it starts, when it ends.

    All is saved as it is made, into annotations that `train` reads; the next call with the same --out goes on.

    Args:
        videos: a folder of video files; its subfolders are looked into too.
        out: the annotations, ActivityNet JSON. A file that is there is continued.
        classes: names of classes, between commas or blanks; more are added on the page.
        run: a model directory: what the model finds is offered as drafts to be accepted, mended or rejected. It is
            found before the page opens and kept beside --out, so the next call finds only what is new.
        drafts: a file of detections that is offered so, as `detect` or `suggest` writes it.
        subset: the subset of videos that the file does not have yet.
        device: where the model computes: cpu, cuda, cuda:1, ...
        host: the address to listen at. Any other than 127.0.0.1 opens the page to other machines that have the token.
        port: the port to listen at; 0 takes a free one.
        token: what other machines have to show; by default one is made where it is needed.
        browser: open the page in the browser; otherwise only its address is told.
        console: where the address is told; by default standard error.

    Raises:
        InputError: no videos, a file that cannot be continued or read, or the extra `view` is not installed.
    """
    check_installed()
    from actionformer.viewer.server import serve

    if run is not None and drafts is not None:
        raise InputError("--run and --drafts both give drafts: give one of them")
    console = console or plain_console()
    given = _class_names(classes or ())
    project = project_to_label(videos, out, given, subset, drafts)
    if run is not None:  # only now, so that what is wrong with the rest is said before minutes are spent
        found, least = found_by(run, videos, out, device, console)
        project = project_to_label(videos, out, given, subset, found, least)
    with ended_in_order(), closing(services_for(project)) as services:
        serve(services, host=host, port=port, token=token, browser=browser, console=console)


def project_to_label(
    videos: Path,
    out: Path,
    classes: Sequence[str] = (),
    subset: str = "training",
    drafts: Path | None = None,
    min_score: float = SHOWN_SCORE,
) -> Project:
    """What the page shows to people who label, see `label`; drafts at first from a score on.

    Raises:
        InputError: no videos, or a file that cannot be continued or read.
    """
    folder = VideoFolder(videos, ENDINGS, SOUND_ALONE)
    if not folder.files:
        endings = ", ".join(sorted(SOUND.endings))
        raise InputError(f"{videos}: no videos or sound files here, expected files that end in {endings}")
    check_name(subset, "--subset")
    before = _continued(out)
    found = _drafts_of(folder, drafts, before) if drafts is not None else {}
    offered = [one.class_names for one in list(found.values())[:1]]
    names = union(before.class_names, before.called_now(classes), *offered)
    why = "videos are labelled here: for all else start `actionformer view`"
    return Project(
        title=f"{videos.resolve().name}: labels",
        class_names=names,
        detections=renamed(found, names),
        annotations=None,
        annotations_file=None,
        thresholds=(0.5,),
        run=None,
        config=None,
        card=None,
        features=None,
        videos=folder,
        corrections_file=out,
        labelling=Labelling(out, subset, min_score),
        why_not=dict.fromkeys(("features", "annotations", "run", "compare", "corrections"), why),
    )


def found_by(run: Path, videos: Path, out: Path, device: str, console: Console) -> tuple[Path, float]:
    """The file of what a model finds in the videos, and the least score that people are shown.

    Raises:
        InputError: no model directory, or a model that cannot look at these videos.
    """
    from actionformer.model_directory import load_settings
    from actionformer.recipes.detect import detect

    run = model_folder(run)
    calibration = load_settings(run)[1].calibration
    file = out.with_name(f"{out.stem}.drafts.jsonl")
    find = partial(detect, run, [videos], out=file, device=device, console=console)
    begun = file.exists()
    try:
        find(resume=begun)
    except InputError:
        if not begun:
            raise
        find(overwrite=True)  # of another model, or of other settings
    return file, SHOWN_SCORE if calibration is None else calibration.overall.threshold


def _continued(out: Path) -> LabelledFile:
    if out.suffix.lower() != ".json":
        raise InputError(f"{out}: labels are written as ActivityNet JSON, give --out a name that ends in .json")
    if not out.exists():
        return LabelledFile()
    try:
        return LabelledFile.read(out)
    except InputError as error:
        raise InputError(
            f"{error}; only ActivityNet JSON can be continued: `actionformer import` turns other labels into it"
        ) from error


def _class_names(given: Sequence[str]) -> list[str]:
    names = [name.strip() for one in given for name in one.split(",")]
    for name in names:
        check_name(name, "--classes: a name")
    return list(dict.fromkeys(names))


def _drafts_of(folder: VideoFolder, file: Path, labelled: LabelledFile) -> dict[str, Detections]:
    """Detections of the videos in the folder, by their ids there, of classes as they are called now."""
    every = read_results(file)
    own = matched(every, folder.files)
    _say_strangers([video for video in every if video not in own], folder.files, file)
    return {own[video]: _called_now(found, labelled) for video, found in every.items() if video in own}


def _called_now(found: Detections, labelled: LabelledFile) -> Detections:
    names = tuple(labelled.called_now(found.class_names))
    if names == found.class_names:  # of many detections no second copy
        return found
    return Detections(found.segments, found.scores, found.labels, names, found.levels)


def _say_strangers(strangers: Sequence[str], known: Mapping[str, object], file: Path) -> None:
    if strangers:
        have = plural(len(strangers), "video has drafts and is", "videos have drafts and are")
        warn(
            f"{file}: {have} not in the folder, so these drafts are left out: "
            f"{listed(strangers, 5)}{explained(strangers, list(known))}"
        )
