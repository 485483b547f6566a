"""Why videos of a collection have no features: what was looked for, what lies there, and which option finds it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from actionformer.core.endings import VIDEOS
from actionformer.core.errors import listed
from actionformer.core.names import explained, surplus
from actionformer.features.arrays import FeatureFolders
from actionformer.features.readers import READERS, other_features

FEW = 3
"""Files that are named."""


def whereabouts(missing: Sequence[str], source: FeatureFolders) -> str:
    """The end of a sentence about videos that have no features.

    Args:
        missing: videos, all that there are or nearly.
        source: where features were looked for.
    """
    first, *others = READERS
    looked = f"; no file is called {source.prefix}{missing[0]}{first} (nor {', '.join(others)})"
    lacking = [folder for folder in source.folders if FeatureFolders((folder,), source.prefix).missing(missing)]
    return looked + "".join(f"; {folder} holds {_there(missing, folder)}" for folder in lacking)


def lacking(missing: Sequence[str], source: FeatureFolders) -> str:
    """The end of a sentence about some videos without features: which folder lacks which, and what may be meant."""
    several, told = len(source.folders) > 1, ""
    for folder in source.folders:
        one = FeatureFolders((folder,), source.prefix)
        if here := one.missing(missing):
            told += f"; {folder} lacks {listed(here, FEW)}" if several else ""
            told += explained(here, one.ids) + other_features(folder)
    return told


def _there(missing: Sequence[str], folder: Path) -> str:
    """What a folder holds, and what to do with it."""
    found = FeatureFolders((folder,))
    if not (ids := found.ids):
        files = sorted(file.name for file in folder.iterdir() if not file.name.startswith("."))
        videos = f": make features of these with --videos {shlex.quote(str(folder))}" if _are_videos(files) else ""
        return (listed(files, FEW) or "nothing") + videos + other_features(folder)
    files = [path.relative_to(folder).as_posix() for one in ids if (path := found.paths(one)[0]) is not None]
    return f"{listed(files, FEW)}{_remedy(missing, ids, folder)}"


def _are_videos(files: Sequence[str]) -> bool:
    return bool(files) and all(Path(name).suffix.lower() in VIDEOS for name in files)


def _remedy(missing: Sequence[str], ids: Sequence[str], folder: Path) -> str:
    if (more := surplus(missing, ids)) is None:
        return explained(missing, ids)
    options = [f"--features {shlex.quote(str(folder / more.folder))}"] if more.folder else []
    if more.suffix:
        what = f"all end in {more.suffix!r} besides: rename the files, or the videos in the annotations"
        return f"; {what}" + (f", and give {' '.join(options)}" if options else "")
    options += [f"--data.prefix {shlex.quote(more.prefix)}"] if more.prefix or not options else []
    return f": give {' '.join(options)}"
