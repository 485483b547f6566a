"""Data sets whose annotations are files of labels, which their formats read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from actionformer.core.annotations import NamedAction
from actionformer.core.errors import InputError
from actionformer.datasets.base import Counts, Dataset, Recording
from actionformer.formats.document import Document
from actionformer.formats.index import FORMATS
from actionformer.formats.labels import LabelFile, LabelledSegment, LabelledVideo

ANNOTATIONS = "annotations.json"


def find_files(source: Path, *names: str) -> list[Path]:
    """The files of a name or a pattern in a folder and the folders below, of the first name that any has."""
    return next((found for name in names if (found := sorted(source.rglob(name)))), [])


def find_file(source: Path, *names: str, expected: str) -> Path:
    """The first file of these names in a folder and the folders below.

    Raises:
        InputError: there is none; says what was expected.
    """
    if not (found := find_files(source, *names)):
        raise InputError(f"{source / names[0]}: missing, here and in the folders below, expected {expected}")
    return found[0]


def labels_of(path: Path, format: str) -> LabelFile:
    """What a file of labels says.

    Raises:
        InputError: it is not of that format.
    """
    document = Document(path)
    if not FORMATS[format].function("holds_labels")(document):
        raise InputError(f"{path}: expected a file of the format {format}, found another")
    found: LabelFile = FORMATS[format].function("read_labels")(document)
    return found


def labelled_dataset(
    videos: Iterable[LabelledVideo],
    class_names: Sequence[str] = (),
    *,
    subsets: Mapping[str, str] | None = None,
    layer: str | None = None,
    prefix: str = "",
    published: Counts | None = None,
) -> Dataset:
    """The annotations of labelled videos, without features.

    Args:
        videos: as files have them; what several say of one is put together.
        class_names: in the published order; by default the labels, sorted.
        subsets: a file's name of a subset -> the one that presets have, both in lower case; others stay.
        layer: of the segments that are taken; by default all.
        prefix: what ids do without.
        published: what the whole data set has.

    Raises:
        InputError: a video whose subset no file says.
    """
    recordings: dict[str, Recording] = {}
    subset_of: dict[str, str] = {}
    for id_, parts in _by_id(videos, prefix).items():
        actions = [_action(one, part) for part in parts for one in part.segments if layer in (None, one.layer)]
        duration, fps = (_first(getattr(part, name) for part in parts) for name in ("duration", "fps"))
        recordings[id_] = Recording(duration, [one for one in actions if one.start <= one.end], fps=fps)
        subset_of[id_] = _subset(id_, parts, subsets or {})
    names = class_names or sorted({one.label for recording in recordings.values() for one in recording.actions})
    return Dataset(recordings, tuple(names), {ANNOTATIONS: subset_of}, published=published)


def _by_id(videos: Iterable[LabelledVideo], prefix: str) -> dict[str, list[LabelledVideo]]:
    parts: dict[str, list[LabelledVideo]] = {}
    for video in videos:
        parts.setdefault(video.name.removeprefix(prefix), []).append(video)
    return parts


def _first(values: Iterator[float | None]) -> float | None:
    return next((value for value in values if value is not None), None)


def _subset(id_: str, parts: Sequence[LabelledVideo], subsets: Mapping[str, str]) -> str:
    said = {part.subset.casefold() for part in parts if part.subset}
    if len(said) != 1:
        raise InputError(f"video {id_!r}: expected one subset, found {', '.join(sorted(said)) or 'none'}")
    (one,) = said
    return subsets.get(one, one)


def _action(one: LabelledSegment, video: LabelledVideo) -> NamedAction:
    rate = 1.0
    if video.unit == "frames":
        if video.fps is None:
            raise InputError(f"{one.where}: counts frames, and the file does not say their rate")
        rate = video.fps
    return NamedAction(one.start / rate, one.end / rate, one.label, None, one.where)
