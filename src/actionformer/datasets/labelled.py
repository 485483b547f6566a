"""Data sets whose annotations are files of labels, which their formats read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from actionformer.core.annotations import NamedAction
from actionformer.core.errors import InputError, warn
from actionformer.core.files import read_json
from actionformer.core.names import nearest
from actionformer.datasets.base import Counts, Dataset, Recording, missing
from actionformer.formats.activitynet.labels import HIDDEN
from actionformer.formats.document import Document
from actionformer.formats.index import FORMATS
from actionformer.formats.labels import LabelFile, LabelledSegment, LabelledVideo, Remark
from actionformer.labels.remarks import told

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
        raise missing(source / names[0], f"here and in the folders below, expected {expected}")
    return found[0]


def labels_of(path: Path, format: str) -> LabelFile:
    """What a file of labels says. What is left out or guessed is told, but for subsets without published labels.

    Raises:
        InputError: it is not of that format.
    """
    document = Document(path)
    if not FORMATS[format].function("holds_labels")(document):
        if path.suffix == ".json":
            read_json(path)  # says where a file ends too early
        raise InputError(
            f"{path}: expected the layout of {format} files (docs/labels.md), found another: is it whole, and the file "
            "of this data set?"
        )
    found: LabelFile = FORMATS[format].function("read_labels")(document)
    for line in told(remark for remark in found.remarks if HIDDEN not in remark.what):
        warn(line)
    return found


def labelled_dataset(
    videos: Iterable[LabelledVideo],
    class_names: Sequence[str] = (),
    *,
    subsets: Mapping[str, str] | None = None,
    layer: str | None = None,
    id_of: Callable[[str], str] = str,
    published: Counts | None = None,
) -> Dataset:
    """The annotations of labelled videos, without features.

    Args:
        videos: as files have them; what several say of one is put together.
        class_names: in the published order; by default the labels, sorted.
        subsets: a file's name of a subset -> the one that presets have, both in lower case; others stay.
        layer: of the segments that are taken; by default all.
        id_of: the id of a video that a file names so.
        published: what the whole data set has.

    Raises:
        InputError: a video whose subset no file says, or an action of a class that the data set does not have.
    """
    recordings: dict[str, Recording] = {}
    subset_of: dict[str, str] = {}
    reversed_: list[Remark] = []
    for id_, parts in _by_id(videos, id_of).items():
        actions = [_action(one, part) for part in parts for one in part.segments if layer in (None, one.layer)]
        duration, fps = (_first(getattr(part, name) for part in parts) for name in ("duration", "fps"))
        recordings[id_] = Recording(duration, [one for one in actions if one.start <= one.end], fps=fps)
        reversed_ += [Remark("an action that ends before it starts is left out", one.where)
                      for one in actions if one.start > one.end]  # fmt: skip
        subset_of[id_] = _subset(id_, parts, subsets or {})
    for line in told(reversed_):
        warn(line)
    labels = {one.label: one.where for recording in recordings.values() for one in recording.actions}
    names = class_names or sorted(labels)
    for label in sorted(labels.keys() - set(names)):
        raise InputError(f"{labels[label]}: the data set has no class {label!r}{nearest(label, names)}")
    return Dataset(recordings, tuple(names), {ANNOTATIONS: subset_of}, published=published)


def _by_id(videos: Iterable[LabelledVideo], id_of: Callable[[str], str]) -> dict[str, list[LabelledVideo]]:
    parts: dict[str, list[LabelledVideo]] = {}
    for video in videos:
        parts.setdefault(id_of(video.name), []).append(video)
    return parts


def _first(values: Iterator[float | None]) -> float | None:
    return next((value for value in values if value is not None), None)


def _subset(id_: str, parts: Sequence[LabelledVideo], subsets: Mapping[str, str]) -> str:
    said = {part.subset.casefold() for part in parts if part.subset}
    if len(said) != 1:
        where = "".join(f" ({one.where})" for part in parts[:1] for one in part.segments[:1])
        raise InputError(f"video {id_!r}: expected one subset, found {', '.join(sorted(said)) or 'none'}{where}")
    (one,) = said
    return subsets.get(one, one)


def _action(one: LabelledSegment, video: LabelledVideo) -> NamedAction:
    rate = 1.0
    if video.unit == "frames":
        if video.fps is None:
            raise InputError(f"{one.where}: counts frames, and the file does not say their rate")
        rate = video.fps
    return NamedAction(one.start / rate, one.end / rate, one.label, None, one.where)
