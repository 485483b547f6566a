"""From what the viewer is started with to a project: files are read, and what is not there is explained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from actionformer.core.annotations import Annotations
from actionformer.core.detections import Detections
from actionformer.core.endings import SOUND_ALONE
from actionformer.core.errors import InputError
from actionformer.core.names import matched
from actionformer.core.run_files import DETECTIONS
from actionformer.data.collection import as_list, with_classes
from actionformer.data.split import with_held_out
from actionformer.extraction.inputs import ENDINGS
from actionformer.features import FeatureFolders
from actionformer.formats.annotations import read_annotations
from actionformer.formats.detections import read_results
from actionformer.settings.config import Config
from actionformer.viewer.folders import VideoFolder
from actionformer.viewer.options import ViewerOptions
from actionformer.viewer.project import Project

if TYPE_CHECKING:
    from actionformer.model_directory import ModelCard


def open_project(options: ViewerOptions) -> Project:
    """Reads what the viewer was started with.

    Of a run, detections are those of its last evaluation, annotations and features by default those of its training.

    Raises:
        InputError: a broken file, a folder that is not there, or neither a run nor a file of detections.
    """
    if not options.source.exists():
        raise InputError(f"{options.source}: not there; give a run directory or a file of detections")
    is_run = options.source.is_dir()
    config, card = _settings(options.source) if is_run else (None, None)
    detections = _detections(options.source, card)
    why_not = {} if is_run else {"run": "scores need a run: give a run directory in place of detections"}
    features = _features(options, config, card, why_not)
    annotations, file = _annotations(options, config, card, detections, why_not)
    other = _other(options, why_not)
    names = _names(detections, card, annotations)
    if annotations is not None:
        detections = _called(detections, annotations)
        other = (other[0], _called(other[1], annotations)) if other is not None else None
    if options.videos is None:
        why_not["videos"] = "no videos were given: start with --videos FOLDER"
    if card is not None and len(card.found_classes) == 1:
        why_not["corrections"] = (
            "the model knows one class for all actions: corrected annotations would lose their names"
        )
    return Project(
        title="/".join(options.source.resolve().parts[-2:]),
        class_names=names,
        detections=renamed(detections, names),
        annotations=annotations,
        annotations_file=file,
        thresholds=(config or Config()).evaluation.tiou,
        run=options.source if is_run else None,
        config=config,
        card=card,
        features=features,
        videos=VideoFolder(options.videos, ENDINGS, SOUND_ALONE) if options.videos else None,
        corrections_file=_corrections_file(options, file),
        other=other,
        why_not=why_not,
    )


def _corrections_file(options: ViewerOptions, annotations: Path | None) -> Path:
    """As given, by default beside the run or the file of detections; never the annotations themselves."""
    name = f"{(annotations or options.source).stem}.corrected.json"
    file = options.corrections or options.source.resolve().parent / name
    if annotations is not None and file.resolve() == annotations.resolve():
        raise InputError(f"{file}: is the annotation file itself; give --corrections another file")
    return file


def _settings(run: Path) -> tuple[Config, ModelCard]:
    from actionformer.model_directory import load_settings

    return load_settings(run)


def _detections(source: Path, card: ModelCard | None) -> dict[str, Detections]:
    if card is None:
        return read_results(source)
    file = source / DETECTIONS
    return read_results(file, card.found_classes) if file.is_file() else {}


def _features(
    options: ViewerOptions, config: Config | None, card: ModelCard | None, why_not: dict[str, str]
) -> FeatureFolders | None:
    if config is None or card is None:
        why_not["features"] = why_not["run"]
        return None
    trained = card.training.get("features") or []
    folders = options.features or tuple(map(Path, as_list(trained)))
    if not options.features and not (folders and all(folder.is_dir() for folder in folders)):
        why_not["features"] = "the features are not where they were in training: start with --features FOLDER"
        return None
    return FeatureFolders.at(folders, config.data.prefix)


def _annotations(
    options: ViewerOptions,
    config: Config | None,
    card: ModelCard | None,
    detections: Mapping[str, Detections],
    why_not: dict[str, str],
) -> tuple[Annotations | None, Path | None]:
    trained = card.training.get("annotations") if card else None
    file = options.annotations or (Path(trained) if trained else None)
    if file is None or not (options.annotations or file.is_file()):
        why_not["annotations"] = "no annotations were given: start with --annotations FILE"
        return None, None
    every = read_annotations(file)
    if card is not None:
        every = with_held_out(with_classes(every, 1 if len(card.found_classes) == 1 else None), card.held_out)
    subsets = sorted({every.videos[name].subset for name in matched(detections, every.videos).values()})
    if not detections and config is not None:
        subsets = [name for name in config.data.test_subset if every.has_subset(name)]
    return (every.subset(subsets) if subsets else every), file


def _other(options: ViewerOptions, why_not: dict[str, str]) -> tuple[str, dict[str, Detections]] | None:
    if options.compare is None:
        why_not["compare"] = "no second run was given: start with --compare RUN"
        return None
    file = options.compare / DETECTIONS if options.compare.is_dir() else options.compare
    if not file.is_file():
        raise InputError(f"{options.compare}: holds no {DETECTIONS}: evaluate the run first")
    return options.compare.resolve().name, read_results(file)


def _names(
    detections: Mapping[str, Detections],
    card: ModelCard | None,
    annotations: Annotations | None,
) -> tuple[str, ...]:
    """Of all classes, the model's first; spelled as the annotations spell them."""
    annotated = annotations.class_names if annotations else ()
    detected = (one.class_names for one in list(detections.values())[:1])
    names = union(card.class_names if card else (), *detected, annotated)
    own = matched(names, annotated)
    return tuple(own.get(name, name) for name in names)


def union(*lists: Sequence[str]) -> tuple[str, ...]:
    """The names of all lists, each once, as it is spelled first."""
    names: list[str] = []
    for more in lists:
        own = matched(more, names)
        names += [name for name in more if name not in own]
    return tuple(names)


def _called(detections: Mapping[str, Detections], annotations: Annotations) -> dict[str, Detections]:
    """The same detections, of videos called as the annotations call them."""
    own = matched(detections, annotations.videos)
    return {own.get(video, video): found for video, found in detections.items()}


def renamed(detections: Mapping[str, Detections], names: tuple[str, ...]) -> dict[str, Detections]:
    """The same detections with labels that are indices into `names`."""
    renamed = {}
    for video, found in detections.items():
        if found.class_names == names:  # of many detections no second copy
            renamed[video] = found
            continue
        own = matched(found.class_names, names)
        table = np.array([names.index(own[name]) for name in found.class_names], dtype=np.int64)
        renamed[video] = Detections(found.segments, found.scores, table[found.labels], names, found.levels)
    return renamed
