"""Label files of any kind as one annotation file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from actionformer.core.errors import InputError, warn
from actionformer.core.files import check_absent
from actionformer.extraction.inputs import files_below
from actionformer.formats.annotations import write_annotations
from actionformer.formats.index import LabelFormatName
from actionformer.formats.labels import LabelFile, Remark
from actionformer.formats.recognition import read_labels
from actionformer.labels import Choices, Imported, annotations_of, read_recordings
from actionformer.labels.matching import PICTURES_OR_SOUND
from actionformer.labels.remarks import told


def import_labels(
    files: Sequence[str | Path],
    *,
    out: str | Path,
    videos: Sequence[str | Path] = (),
    format: LabelFormatName | None = None,
    fps: float | None = None,
    unit: Literal["seconds", "ms", "frames"] | None = None,
    point_width: float | None = None,
    layers: Sequence[str] = (),
    annotator: str | None = None,
    subset: str | None = None,
    background: bool = False,
    rename: Sequence[str] = (),
    columns: Sequence[str] = (),
    overwrite: bool = False,
) -> Imported:
    """Makes one annotation file of label files: spreadsheets, files of annotation tools, of data sets, in any mixture.

    The format of a file is told by its content. What is mended, guessed or left out is said.

    Args:
        files: label files, or folders of them.
        out: the annotations to write, in ActivityNet's JSON.
        videos: the videos that were labelled: files, folders or patterns; they tell frame rates and lengths.
        format: of all files, where their content fits several.
        fps: frames per second of frame numbers; by default what the file says, then the video.
        unit: what all times are counted in, where a file does not say and it is not seconds.
        point_width: seconds that an action lasts whose middle is a moment without length; by default moments are left
            out.
        layers: only these tiers, tracks or subjects of files that have some.
        annotator: whose labels count where several people labelled a video; by default who labelled most videos.
        subset: of all videos; by default what the files say, else training.
        background: take videos without labels for videos in which nothing happens.
        rename: OLD=NEW, labels that are to be called otherwise.
        columns: WHAT=NAME, which column of a table tells the video, label, start, end, duration, subject, layer, group,
            annotator, subset, fps or video_duration, by its name or its number from 1; by default what names say.
        overwrite: replace the annotations if they exist.

    Raises:
        InputError: a file of no known format, or broken; frames of an unknown rate; no label of any of the videos.
    """
    check_absent([Path(out)], overwrite=overwrite)
    choices = Choices(
        fps, unit, point_width, layers, annotator, subset, background, _pairs("rename", "OLD=NEW", rename)
    )
    named = _pairs("columns", "WHAT=NAME", _apart(columns))
    labels = [(read_labels if sure else _read_if_any)(path, format, named) for path, sure in _each(files, out)]
    imported = annotations_of(labels, read_recordings(videos) if videos else None, choices)
    for line in told(imported.remarks):
        warn(line)
    write_annotations(out, imported.annotations)
    return imported


def _pairs(option: str, form: str, given: Sequence[str]) -> dict[str, str]:
    for one in given:
        if not all(one.partition("=")[::2]):
            raise InputError(f"{option}: expected {form}, found {one!r}")
    return {one.partition("=")[0]: one.partition("=")[2] for one in given}


def _apart(columns: Sequence[str]) -> list[str]:
    """Each by itself, also of `start=Anfang,end=Ende`; a comma before no `=` belongs to a name."""
    return [one for several in columns for one in re.split(r",\s*(?=[a-z_]+=)", several)]


def _each(files: Sequence[str | Path], out: str | Path) -> Iterator[tuple[Path, bool]]:
    """The files meant, and whether each was named itself."""
    for path in map(Path, files):
        if not path.is_dir():
            yield path, True
            continue
        below = [path / name for name in sorted(files_below(path))]
        for file in below:
            if file.suffix.lower() not in PICTURES_OR_SOUND and file.resolve() != Path(out).resolve():
                yield file, False


def _read_if_any(path: Path, format: str | None, columns: Mapping[str, str]) -> LabelFile:
    """What a file of a folder holds; one that holds no labels is left out with a remark."""
    try:
        return read_labels(path, format, columns)
    except InputError as error:
        return LabelFile([], [Remark(f"{str(error).removeprefix(f'{path}: ')}: left out", str(path))])
