"""Detections written out, in the format that is asked for."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from pathlib import Path

from actionformer.detections import Detections, results_csv, results_json, results_table
from actionformer.errors import InputError
from actionformer.files import write_whole
from actionformer.inference.caps import SHOWN_SCORE
from actionformer.names import file_of
from actionformer.recipes.detect import holds_features
from actionformer.terminal import emit, plain_console
from actionformer.timelines import eaf, srt, vtt
from actionformer.video.overlay import write_overlay

PER_VIDEO = ("srt", "vtt", "eaf")
"""Formats that hold one video a file."""
WIDEST = 1000  # columns of a table that no terminal shows


def format_of(out: Path | None, format_: str | None) -> str:
    """The format asked for, else the one that the file's ending tells; a table for the terminal."""
    by_ending = {".csv": "csv", ".txt": "table", **{f".{name}": name for name in PER_VIDEO}}
    return format_ or (by_ending.get(out.suffix.lower(), "json") if out else "table")


def least_score(format_: str, given: float | None) -> float:
    """Scores below are left out: those that people look at moment by moment leave out what is hardly believed."""
    return given if given is not None else SHOWN_SCORE if format_ in (*PER_VIDEO, "overlay") else 0.0


def nothing_shown(detections: Mapping[str, Detections], min_score: float) -> str | None:
    """What to tell people when something was found, and all of it scores too little to be shown by default."""
    best = max((float(score) for found in detections.values() for score in found.scores[:1]), default=min_score)
    if best < min_score:
        return f"nothing scores {min_score:g} or more, the best is {best:.2f}: give --min-score"
    return None


def check_output(files: Mapping[Path, str], out: Path | None, format_: str, overlay: Path | None) -> None:
    """Checks, before anything is computed, that these files can be written about so, and that none is written over.

    Raises:
        InputError: one file of output for several videos, a folder where a file is to be, an overlay of features, or an
            output that is an input.
    """
    several = len(files) > 1
    if several and format_ in PER_VIDEO and (out is None or not _is_folder(out)):
        raise InputError(f"{format_} holds one video a file: give a folder with --out, which exists or has no ending")
    if out is not None and out.is_dir() and format_ not in PER_VIDEO:
        raise InputError(f"{out}: is a folder, {format_} is written into a file")
    if overlay is not None and (features := [file for file in files if holds_features(file)]):
        raise InputError(f"{features[0]}: holds features, an overlay is drawn into videos")
    if overlay is not None and several and not _is_folder(overlay):
        raise InputError(
            f"{overlay}: an overlay is one file a video: give a folder with --overlay, which exists or has no ending"
        )
    inputs = {file.resolve() for file in files}
    written = [] if out is None else [out]
    written += [] if overlay is None else [_overlay_path(overlay, id_) for id_ in files.values()]
    for path in written:
        if path.resolve() in inputs:
            raise InputError(f"{path}: is an input, and is not written over: choose another output")


def _is_folder(path: Path) -> bool:
    """Whether an output is a folder: it is one already, or has no ending."""
    return path.is_dir() or not path.suffix


def _overlay_path(target: Path, video: str) -> Path:
    return file_of(target, video, ".mp4") if _is_folder(target) else target


def write_output(
    detections: Mapping[str, Detections],
    sources: Mapping[str, Path],
    out: Path | None,
    format_: str,
    min_score: float = 0.0,
) -> None:
    """Writes the detections of videos to a file, to a folder with a file a video, or to the terminal.

    Raises:
        InputError: a file that cannot be written.
    """
    detections = {name: found.above(min_score) for name, found in detections.items()}
    if format_ in PER_VIDEO and out is not None and _is_folder(out):
        for name, found in detections.items():
            write_whole(file_of(out, name, f".{format_}"), _text({name: found}, sources, format_))
        return
    if format_ == "table":
        page = io.StringIO()
        plain_console(page if out else sys.stdout, width=WIDEST if out else None).print(results_table(detections))
        text = page.getvalue()
    else:
        text = _text(detections, sources, format_)
    if out is not None:
        write_whole(out, text)
    else:
        emit(text)


def _text(detections: Mapping[str, Detections], sources: Mapping[str, Path], format_: str) -> str:
    if format_ == "json":
        return results_json(detections)
    if format_ == "csv":
        return results_csv(detections)
    name, found = next(iter(detections.items()))
    return (
        eaf(found, sources[name].resolve().as_uri()) if format_ == "eaf" else {"srt": srt, "vtt": vtt}[format_](found)
    )


def write_overlays(
    detections: Mapping[str, Detections], sources: Mapping[str, Path], target: Path, min_score: float
) -> dict[str, str]:
    """Writes every video with its detections drawn in, to a file or into a folder; returns why which failed."""
    failed: dict[str, str] = {}
    for name, found in detections.items():
        try:
            write_overlay(sources[name], found.above(min_score), _overlay_path(target, name))
        except InputError as error:
            failed[str(sources[name])] = str(error)
        except Exception as error:  # every codec and container has its own ways of failing
            reason = " ".join(str(error).split())
            failed[str(sources[name])] = f"its overlay could not be written ({type(error).__name__}: {reason:.200})"
    return failed
