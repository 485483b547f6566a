"""Detections written out, in the format that is asked for."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from actionformer.core.errors import InputError
from actionformer.core.files import check_absent, write_pieces, write_whole
from actionformer.core.names import file_of
from actionformer.core.terminal import WIDEST, emit, plain_console, rendered
from actionformer.detections import Detections, results_table
from actionformer.inference.caps import SHOWN_SCORE
from actionformer.recipes.record import Record
from actionformer.recipes.search import holds_features
from actionformer.results import csv_text, json_text, jsonl_line
from actionformer.timelines import eaf, srt, vtt
from actionformer.video.overlay import write_overlay

Format = Literal["json", "jsonl", "csv", "table", "srt", "vtt", "eaf"]
PER_VIDEO = ("srt", "vtt", "eaf")
"""Formats that hold one video a file."""
FOR_PEOPLE = (*PER_VIDEO, "table", "overlay")
"""Formats that people look at moment by moment."""
UNFINISHED = "unfinished.jsonl"
"""What the results of a job are called until they are whole."""
_TEXTS = {"json": json_text, "csv": csv_text}


def format_of(out: Path | None, format_: str | None) -> str:
    """The format asked for, else the one that the file's ending tells; a table for the terminal."""
    by_ending = {".csv": "csv", ".jsonl": "jsonl", ".txt": "table", **{f".{name}": name for name in PER_VIDEO}}
    return format_ or (by_ending.get(out.suffix.lower(), "json") if out else "table")


def least_score(format_: str, given: float | None) -> float:
    """Scores below are left out: those that people look at moment by moment leave out what is hardly believed."""
    return given if given is not None else SHOWN_SCORE if format_ in FOR_PEOPLE else 0.0


@dataclass(frozen=True)
class Output:
    """Where detections are written, and how.

    Attributes:
        out: a file, of formats that hold one video a file also a folder; None for the terminal.
        format: json, jsonl, csv, table, srt, vtt or eaf.
        overlay: a file for the video with its detections drawn in, or a folder.
        min_score: what scores below is left out; None for what the format leaves out by itself.
    """

    out: Path | None
    format: str
    overlay: Path | None = None
    min_score: float | None = None

    @property
    def in_folder(self) -> bool:
        """Whether every video has a file of its own."""
        return self.format in PER_VIDEO and self.out is not None and _is_folder(self.out)

    def check(self, files: Mapping[Path, str]) -> None:
        """Checks, before anything is computed, that these files can be written about so, and that none is written over.

        Raises:
            InputError: one file of output for several videos, a folder where a file is to be, an overlay of features,
                or an output that is an input.
        """
        several, out, overlay = len(files) > 1, self.out, self.overlay
        if several and self.format in PER_VIDEO and not self.in_folder:
            raise InputError(
                f"{self.format} holds one video a file: give a folder with --out, which exists or has no ending"
            )
        if out is not None and out.is_dir() and self.format not in PER_VIDEO:
            raise InputError(f"{out}: is a folder, {self.format} is written into a file")
        if overlay is not None and (features := [file for file in files if holds_features(file)]):
            raise InputError(f"{features[0]}: holds features, an overlay is drawn into videos")
        if overlay is not None and several and not _is_folder(overlay):
            raise InputError(
                f"{overlay}: an overlay is one file a video: give a folder with --overlay, which exists or has no "
                "ending"
            )
        inputs = {file.resolve() for file in files}
        for path in self.files(files.values()):
            if path.resolve() in inputs:
                raise InputError(f"{path}: is an input, and is not written over: choose another output")

    def files(self, videos: Iterable[str]) -> list[Path]:
        """All that is written about these videos."""
        videos = list(videos)
        written = [] if self.out is None else [self.out]
        if self.in_folder:
            written = [self.file_of(video) for video in videos]
        return written + ([] if self.overlay is None else [self.overlay_of(video) for video in videos])

    def file_of(self, video: str) -> Path:
        """The file of one video, in a format that holds one video a file."""
        assert self.out is not None
        return file_of(self.out, video, f".{self.format}") if self.in_folder else self.out

    def overlay_of(self, video: str) -> Path:
        """The overlay of one video."""
        assert self.overlay is not None
        return file_of(self.overlay, video, ".mp4") if _is_folder(self.overlay) else self.overlay

    @property
    def record(self) -> Path | None:
        """Where the results of a job lie until they are whole; None if they are for a terminal, a pipe or a device."""
        if self.out is None or (self.out.exists() and not self.out.is_file() and not self.out.is_dir()):
            return None
        if self.format == "jsonl":
            return self.out
        return self.out / UNFINISHED if self.in_folder else self.out.with_name(f"{self.out.name}.{UNFINISHED}")

    def check_new(self, videos: Iterable[str], *, resume: bool, overwrite: bool) -> bool:
        """Checks that nothing is replaced unasked; returns whether a job to be resumed has ended already.

        Raises:
            InputError: something is there and neither `resume` nor `overwrite` is given, or both are.
        """
        if resume and overwrite:
            raise InputError("--resume continues a job, --overwrite starts it again: give one of them")
        record, files = self.record, self.files(videos)
        if resume and record is None:
            raise InputError("--resume continues a file: give it with --out")
        begun = record is not None and record.is_file()
        if record is not None and begun and record.stat().st_size and not (resume or overwrite):
            what = "exists" if record == self.out else f"a job that has not ended is there ({record.name})"
            raise InputError(f"{self.out}: {what}; --resume continues it, --overwrite starts again")
        if resume and not begun and files and all(file.is_file() for file in files):
            return True
        check_absent([file for file in files if file != record], overwrite=overwrite or (resume and begun))
        return False

    @contextmanager
    def open(self, settings: Mapping[str, Any], *, resume: bool) -> Iterator[Record]:
        """The record of a job, for the terminal a temporary one."""
        if self.record is not None:
            with Record(self.record, settings, resume=resume, out=self.out) as record:
                yield record
            return
        with TemporaryDirectory() as folder, Record(Path(folder) / UNFINISHED, settings, out=self.out) as record:
            yield record

    def write(self, video: str, source: Path, found: Detections) -> None:
        """Writes what is known of one video as soon as it is: files of its own, lines of standard output."""
        if self.format in PER_VIDEO:
            text = _text_of(found, source, self.format)
            if self.out is None:
                emit(text)
            else:
                write_whole(self.file_of(video), text)
        elif self.format == "jsonl" and self.out is None:
            emit(jsonl_line(video, str(source), found.to_dict()))

    def draw(self, video: str, source: Path, found: Detections) -> str | None:
        """Writes the video with its detections drawn in, if that is asked for; returns why it failed."""
        if self.overlay is None:
            return None
        try:
            write_overlay(source, found.above(least_score("overlay", self.min_score)), self.overlay_of(video))
        except InputError as error:
            return str(error)
        except Exception as error:  # every codec and container has its own ways of failing
            reason = " ".join(str(error).split())
            return f"its overlay could not be written ({type(error).__name__}: {reason:.200})"
        return None

    def finish(self, record: Record, order: Iterable[str]) -> None:
        """Writes what holds many videos, now that all are known, and removes the record if nothing is left to do."""
        as_it_came = self.format in PER_VIDEO or record.path == self.out
        if self.out is not None and not as_it_came:
            write_pieces(self.out, _pieces(record, order, self.format))
        elif self.format == "table":
            table = results_table(record.results(order))
            plain_console(sys.stdout, width=None if sys.stdout.isatty() else WIDEST).print(table)
        elif not as_it_came and self.format != "jsonl":
            for piece in _pieces(record, order, self.format):
                emit(piece)
        if record.path != self.out and not record.failed:
            record.remove()


def _is_folder(path: Path) -> bool:
    """Whether an output is a folder: it is one already, or has no ending."""
    return path.is_dir() or not path.suffix


def _pieces(record: Record, order: Iterable[str], format_: str) -> Iterable[str]:
    """A file that holds many videos, piece by piece."""
    if format_ == "jsonl":
        return record.lines(order)
    results = record.results(order)
    return [rendered(results_table(results), WIDEST)] if format_ == "table" else _TEXTS[format_](results)


def _text_of(found: Detections, source: Path, format_: str) -> str:
    if format_ == "eaf":
        return eaf(found, "" if holds_features(source) else source.resolve().as_uri())
    return {"srt": srt, "vtt": vtt}[format_](found)
