"""Files of the folders that the viewer was given, and no others."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from actionformer.errors import InputError


def inside(folder: Path, path: Path) -> bool:
    """Whether a path, its links and `..` followed, is a file in the folder."""
    real = path.resolve()
    return real.is_file() and real.is_relative_to(folder.resolve())


class VideoFolder:
    """The videos of a folder by name. They were listed, no path is ever made of what a browser asks for.

    Raises:
        InputError: no such folder.
    """

    def __init__(self, folder: Path, endings: Iterable[str]) -> None:
        if not folder.is_dir():
            raise InputError(f"{folder}: no such folder of videos")
        self.folder = folder
        wanted = set(endings)
        files = sorted(file for file in folder.iterdir() if file.suffix.lower() in wanted)
        self.files = {file.stem: file for file in files}

    def find(self, video: str) -> Path:
        """The file of a video.

        Raises:
            InputError: there is none, or it is a link that leads out of the folder.
        """
        path = self.files.get(video)
        if path is None:
            raise InputError(f"no file {video}.* in the folder of videos")
        if not inside(self.folder, path):
            raise InputError(f"{path.name} is no file, or a link that leads out of the folder of videos")
        return path
