"""Which files are videos, and what each is called.

A video's id is what its file is called, without the ending. Where a folder or a pattern was given, the folders below it
belong to the id: of `clips/**/*.mp4` and of `clips/`, `clips/a/one.mp4` is `a/one`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from glob import glob, has_magic
from pathlib import Path, PurePath

from actionformer.backbones import medium_at
from actionformer.core.errors import InputError
from actionformer.core.names import check_name, without_prefix
from actionformer.features import READERS, other_features, sidecar_path
from actionformer.medium import Medium
from actionformer.sound.medium import SOUND
from actionformer.video.pictures import PICTURES

ENDINGS = PICTURES.endings
"""What is taken for a video in a folder; a file that is named itself may end in anything."""
Kinds = Mapping[str, frozenset[str]]
"""What is looked for -> the endings of its files."""
FEATURES: Kinds = {"feature files": frozenset(READERS)}


def files_of(medium: Medium) -> Kinds:
    """The files of a medium, as what is looked for."""
    return {medium.files: medium.endings}


def video_files(inputs: Sequence[str | Path], *media: Medium) -> dict[Path, str]:
    """The videos that files, folders and patterns such as `clips/*.mp4` stand for -> their ids, in the given order.

    Args:
        inputs: what was given.
        media: whose files are meant, by default pictures; of others a "video" is one of their recordings. Of a folder
            the first medium counts that it has files of.

    Raises:
        InputError: a folder without videos, a pattern that matches nothing, or two videos of one id.
    """
    media = media or (PICTURES,)
    return named_files(inputs, {name: endings for one in media for name, endings in files_of(one).items()}, media)


def videos_there(inputs: Sequence[str | Path], *media: Medium) -> dict[Path, str]:
    """As `video_files`, of inputs that are there.

    Raises:
        InputError: (also) a file or folder that is not there.
    """
    files = video_files(inputs, *media)
    for path in map(Path, inputs):
        if path in files and not path.exists():
            raise InputError(
                f"{path}: no such file or folder of {' or '.join(one.files for one in media or (PICTURES,))}"
            )
    return files


def named_files(inputs: Sequence[str | Path], kinds: Kinds, media: Sequence[Medium] = ()) -> dict[Path, str]:
    """The files that files, folders and patterns stand for -> their ids, each once, in the given order.

    A folder stands for the files in it and in its subfolders, of one kind: the first that lies in the folder itself,
    else the first that lies below. Hidden files are left out, as of patterns.

    Args:
        inputs: what was given.
        kinds: what is looked for.
        media: which say what recordings of a file's name are called.

    Raises:
        InputError: a folder or a pattern without any, two files of one id, or a name that is not Unicode text.
    """
    files: dict[Path, str] = {}
    for path in map(Path, inputs):
        for file, id_ in _stood_for(path, kinds).items():
            check_name(id_, f"{file}: its name")
            files.setdefault(file, of_recording(id_, media))
    check_names(files)
    return files


def _stood_for(path: Path, kinds: Kinds) -> dict[Path, str]:
    taken = {ending for endings in kinds.values() for ending in endings}
    others = other_features(path) if ".npy" in taken and path.suffix.lower() not in taken else ""
    if path.is_dir():
        found = _in_folder(path, kinds)
    else:
        base, pattern = _fixed_part(path)
        if not has_magic(pattern) and not others:
            return {path: path.stem}
        found = {base / name: name for name in glob(pattern, root_dir=base, recursive=True)}
        found = {file: name for file, name in found.items() if file.suffix.lower() in taken}
    if not found:
        wanted = " or ".join(sorted(kinds, reverse=True))
        raise InputError(f"{path}: no {wanted} here, expected files that end in {', '.join(sorted(taken))}{others}")
    return {file: _id(found[file]) for file in sorted(found)}


def _fixed_part(path: Path) -> tuple[Path, str]:
    """The folder that a pattern is looked for in, whose own name may look like one, and the rest of the pattern."""
    base, rest = Path(path.anchor), list(path.relative_to(path.anchor).parts)
    while rest and os.path.lexists(base / rest[0]):
        base /= rest.pop(0)
    return base, os.path.join(*rest) if rest else ""


def _in_folder(folder: Path, kinds: Kinds) -> dict[Path, str]:
    below = list(files_below(folder))
    for files in ([name for name in below if len(name.parts) == 1], below):
        for endings in kinds.values():
            if any(name.suffix.lower() in endings for name in files):
                return {folder / name: str(name) for name in below if name.suffix.lower() in endings}
    return {}


def files_below(folder: Path) -> Iterator[PurePath]:
    """The files in a folder and its subfolders, but for hidden ones, as paths from there."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            if not name.startswith("."):
                yield PurePath(place, name).relative_to(folder)


def of_recording(id_: str, media: Sequence[Medium]) -> str:
    """The id of a recording whose file's id is this."""
    folder, slash, name = id_.rpartition("/")
    for medium in media:
        name = medium.id_of(name)
    return f"{folder}{slash}{name}"


def _id(name: str) -> str:
    path = PurePath(os.path.normpath(name))
    return (path.parent / path.stem).as_posix()


def check_names(files: Mapping[Path, str], prefix: str = "") -> None:
    """Two files of one id, but for a prefix, would be one video.

    Raises:
        InputError: names both.
    """
    seen: dict[str, Path] = {}
    for file, id_ in files.items():
        name = without_prefix(id_, prefix)
        if other := seen.get(name):
            apart = "" if other.parent == file.parent else ", or give a folder above both, which tells them apart"
            raise InputError(f"{other} and {file} are both called {name!r}: rename one{apart}")
        seen[name] = file


def holds_features(file: Path, medium: Medium = PICTURES) -> bool:
    """Whether a file is one of features, by its ending; any other is taken for a recording.

    Of an ending that the medium has too, those are features that have a sidecar.
    """
    ending = file.suffix.lower()
    return ending in READERS and (ending not in medium.endings or sidecar_path(file).is_file())


def shows_pictures(file: Path) -> bool:
    """Whether a file is a video, by its ending: neither features nor of another medium."""
    return not holds_features(file) and medium_at(file) is PICTURES


def is_played(file: Path) -> bool:
    """Whether a file is a video or a sound file, by its ending: what players open."""
    return not holds_features(file) and medium_at(file) in (PICTURES, SOUND)
