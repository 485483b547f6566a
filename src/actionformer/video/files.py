"""Which files are videos."""

from __future__ import annotations

from collections.abc import Sequence
from glob import glob, has_magic
from pathlib import Path

from actionformer.errors import InputError

_CONTAINERS = "3gp asf avi flv m2ts m4v mkv mov mp4 mpeg mpg mts mxf ogv ts vob webm wmv"
ENDINGS = frozenset(f".{name}" for name in _CONTAINERS.split())
"""What is taken for a video in a folder; a file that is named itself may end in anything."""


def video_files(inputs: Sequence[str | Path]) -> list[Path]:
    """The videos that files, folders and patterns such as `clips/*.mp4` stand for, each once, in the given order.

    Raises:
        InputError: a folder without videos, a pattern that matches nothing, or two videos of one name.
    """
    files = list(dict.fromkeys(file for path in inputs for file in expanded(Path(path), ENDINGS, "videos")))
    check_names(files)
    return files


def expanded(path: Path, endings: frozenset[str], kind: str) -> list[Path]:
    """The files that a path stands for: itself, the files of a folder with these endings, or what a pattern matches.

    Raises:
        InputError: there are none; `kind` says of what.
    """
    if path.is_dir():
        files = [file for file in path.iterdir() if file.suffix.lower() in endings and file.is_file()]
    elif has_magic(str(path)) and not path.exists():
        files = [Path(file) for file in glob(str(path), recursive=True)]
        files = [file for file in files if file.suffix.lower() in endings]
    else:
        return [path]
    if not files:
        raise InputError(f"{path}: no {kind} here, expected files that end in {', '.join(sorted(endings))}")
    return sorted(files)


def check_names(files: Sequence[Path], prefix: str = "") -> None:
    """Two files of one name, but for a prefix, would be one video.

    Raises:
        InputError: names both.
    """
    seen: dict[str, Path] = {}
    for file in files:
        name = file.stem.removeprefix(prefix)
        if other := seen.get(name):
            raise InputError(
                f"{other} and {file} are both called {name!r}: rename one, or give them apart, with other outputs"
            )
        seen[name] = file
