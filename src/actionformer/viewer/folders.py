"""Files of the folders that the viewer was given, and no others."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from actionformer.core.errors import InputError
from actionformer.core.names import matched
from actionformer.extraction.inputs import files_below


def inside(folder: Path, path: Path) -> bool:
    """Whether a path, its links and `..` followed, is a file in the folder."""
    real = path.resolve()
    return real.is_file() and real.is_relative_to(folder.resolve())


class VideoFolder:
    """The videos of a folder and of its subfolders, by id: the path from there without the ending, or the name alone.

    Hidden files are none of them.

    They were listed; no path is ever made of what a browser asks for.

    Args:
        folder: where they are.
        endings: what they end in.
        otherwise: endings of files that count where no file of those endings has their name.

    Raises:
        InputError: no such folder.
    """

    def __init__(self, folder: Path, endings: Iterable[str], otherwise: Iterable[str] = ()) -> None:
        if not folder.is_dir():
            raise InputError(f"{folder}: no such folder of videos")
        self.folder = folder
        self.files: dict[str, list[Path]] = {}
        self.by_name: dict[str, list[Path]] = {}
        there = sorted(files_below(folder))
        for wanted in map(set, (endings, otherwise)):
            known = set(self.by_name)
            for below in there:
                if below.suffix.lower() in wanted and below.stem not in known:
                    self.files.setdefault((below.parent / below.stem).as_posix(), []).append(folder / below)
                    self.by_name.setdefault(below.stem, []).append(folder / below)

    def find(self, video: str) -> Path:
        """The file of a video.

        Raises:
            InputError: there is none, there are several, or it is a link that leads out of the folder.
        """
        for files in (self.files, self.by_name):
            if known := matched([video], files).get(video):
                path, *others = files[known]
                break
        else:
            raise InputError(f"no file {video}.* in the folder of videos")
        if others:
            one, other = (file.relative_to(self.folder) for file in (path, others[0]))
            raise InputError(f"{one} and {other} in the folder of videos have the same name")
        if not inside(self.folder, path):
            raise InputError(f"{path.name} is no file, or a link that leads out of the folder of videos")
        return path
