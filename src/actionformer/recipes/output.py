"""Detections written out, in the format that is asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console

from actionformer.core.detections import Detections
from actionformer.core.errors import InputError, kind_and_reason, listed, warn
from actionformer.core.files import check_absent, write_pieces, write_whole
from actionformer.core.names import file_of
from actionformer.core.terminal import emit, table_console
from actionformer.core.words import plural
from actionformer.extraction.inputs import holds_features, is_played
from actionformer.formats.detections import read_results, results_pieces, video_text
from actionformer.formats.index import FORMATS, find
from actionformer.formats.rows import VideoRows
from actionformer.formats.table import results_table
from actionformer.medium import Medium
from actionformer.recipes.clips import check_margin, cut_clips, list_of
from actionformer.recipes.rates import recording_of, warn_of_uneven, with_rates
from actionformer.recipes.record import Record
from actionformer.video.overlay import container_of, write_overlay
from actionformer.video.pictures import PICTURES

UNFINISHED = "unfinished.jsonl"
"""What the results of a job are called until they are whole."""


def format_of(out: Path | None, format_: str | None) -> str:
    """The format asked for, else the one that the file's ending tells; a table for the terminal."""
    return find(format_ or ("table" if out is None else None), out).name


@dataclass(frozen=True)
class Output:
    """Where detections are written, and how.

    Attributes:
        out: a file, of formats that hold one video per file also a folder; None for the terminal.
        format: the name of one that detections are written in.
        overlay: a file for the video with its detections drawn in, or a folder.
        clips: a folder for the actions, cut out of the video.
        margin: seconds before and after an action that are cut out with it.
    """

    out: Path | None
    format: str
    overlay: Path | None = None
    clips: Path | None = None
    margin: float = 0.0

    @property
    def one_video(self) -> bool:
        """Whether a file holds one video."""
        return FORMATS[self.format].one_video

    @property
    def for_people(self) -> bool:
        """Whether people look at all that is written, so that what is hardly believed is left out."""
        return FORMATS[self.format].for_people

    @property
    def in_folder(self) -> bool:
        """Whether every video has a file of its own."""
        return self.one_video and self.out is not None and _is_folder(self.out)

    @property
    def _by_line(self) -> bool:
        """Whether the file grows video by video, as the record of a job does."""
        return "video_line" in FORMATS[self.format].can

    def check(self, files: Mapping[Path, str], medium: Medium = PICTURES) -> None:
        """Checks, before anything is computed, that these files can be written about so, and that none is written over.

        Raises:
            InputError: one file of output for several videos, a folder where a file is to be, an overlay of features
                or in a file of another kind, or an output that is an input.
        """
        several, out, overlay = len(files) > 1, self.out, self.overlay
        check_margin(self.margin)
        if out is None and FORMATS[self.format].is_binary:
            raise InputError(f"{self.format} is no text for a terminal: give --out")
        if several and self.one_video and not self.in_folder:
            raise InputError(
                f"{self.format} holds one video per file: give --out a folder that exists or has no ending"
            )
        if out is not None and out.is_dir() and not self.one_video:
            raise InputError(f"{out}: is a folder, {self.format} is written into a file")
        if self.films and (others := [file for file in files if not _may_show(file, medium)]):
            what = "an overlay is drawn into videos" if overlay is not None else "clips are cut out of videos"
            held = "features" if holds_features(others[0], medium) else "no pictures"
            raise InputError(f"{others[0]}: holds {held}, {what}")
        if overlay is not None and not _is_folder(overlay):
            if several:
                raise InputError(
                    f"{overlay}: an overlay is one file per video: give --overlay a folder that exists or has no ending"
                )
            container_of(overlay)
        inputs = {file.resolve() for file in files}
        for path in self.files(files.values()):
            if path.resolve() in inputs:
                raise InputError(f"{path}: is an input and is not overwritten: choose another output")

    def files(self, videos: Iterable[str]) -> list[Path]:
        """All that is written about these videos."""
        videos = list(videos)
        written = [] if self.out is None else [self.out]
        if self.in_folder:
            written = [self.file_of(video) for video in videos]
        drawn = [] if self.overlay is None else [self.overlay_of(video) for video in videos]
        return [*written, *drawn, *([] if self.clips is None else [list_of(self.clips, video) for video in videos])]

    def file_of(self, video: str) -> Path:
        """The file of one video, in a format that holds one video per file."""
        assert self.out is not None
        return file_of(self.out, video, FORMATS[self.format].endings[0]) if self.in_folder else self.out

    def overlay_of(self, video: str) -> Path:
        """The overlay of one video."""
        assert self.overlay is not None
        return file_of(self.overlay, video, ".mp4") if _is_folder(self.overlay) else self.overlay

    @property
    def record(self) -> Path | None:
        """Where the results of a job lie until they are whole; None if they are for a terminal, a pipe or a device."""
        if self.out is None or (self.out.exists() and not self.out.is_file() and not self.out.is_dir()):
            return None
        if self._by_line:
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
            what = "exists" if record == self.out else f"an unfinished job is there ({record.name})"
            raise InputError(f"{self.out}: {what}; --resume continues it, --overwrite starts again")
        if resume and not begun and files and all(file.is_file() for file in files):
            self._check_holds(videos)
            return True
        check_absent([file for file in files if file != record], overwrite=overwrite or (resume and begun))
        return False

    def _check_holds(self, videos: Iterable[str]) -> None:
        """Checks that an output that is whole is of all of these videos, where it says which ones it is of.

        Raises:
            InputError: it is not, and nothing is left of the job that could go on.

        Warns:
            UserWarning: it is a table, which has no line of a video in which nothing was found.
        """
        if self.out is None or self.in_folder or self.format not in ("json", "csv"):
            return
        known = read_results(self.out)
        missing = [video for video in videos if video not in known]
        if not missing:
            return
        those = f"{plural(len(missing), 'video')}: {listed(missing, 3)}"
        what_to_do = "give these another --out, or --overwrite searches all again"
        if self.format == "csv":
            warn(
                f"{self.out}: is complete, and has no line of {those}: either nothing was found in them, or they were "
                f"not looked at; if so, {what_to_do}",
                stacklevel=4,
            )
            return
        raise InputError(f"{self.out}: is complete, and has no results of {those}; {what_to_do}")

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
        if self.one_video:
            text = video_text(found, self.format, **self._of_video(video, source))
            if self.out is None:
                emit(text)
            else:
                write_whole(self.file_of(video), text)
        elif self._by_line and self.out is None:
            emit(FORMATS[self.format].function("video_line")(VideoRows(video, found.to_dict(), str(source))))

    def _of_video(self, video: str, source: Path) -> dict[str, Any]:
        """What a format that holds one video says of it."""
        if not is_played(source):
            return {}
        media = {"media": source.resolve().as_uri()}
        recording = recording_of(source, video) if FORMATS[self.format].counts_frames else None
        return media if recording is None else {**media, "fps": recording.fps, "duration": recording.duration}

    @property
    def films(self) -> bool:
        """Whether something is made of the videos themselves."""
        return self.overlay is not None or self.clips is not None

    def film(self, video: str, source: Path, found: Detections, console: Console | None = None) -> str | None:
        """Writes the overlay and the clips of a video, as far as they are asked for; returns why that failed.

        Progress of an overlay is shown on `console`, by default nowhere.
        """
        reasons = []
        if self.overlay is not None:
            target = self.overlay_of(video)
            reasons.append(_failure("overlay", lambda: write_overlay(source, found, target, console)))
        if self.clips is not None:
            folder = self.clips
            reasons.append(_failure("clips", lambda: cut_clips(source, video, found, folder, self.margin)))
        return "; ".join(filter(None, reasons)) or None

    def finish(self, record: Record, order: Iterable[str]) -> None:
        """Writes what holds many videos, now that all are known, and removes the record if nothing is left to do."""
        counts_frames = FORMATS[self.format].counts_frames
        results = with_rates(record.results(order)) if counts_frames else record.results(order)
        as_it_came = self.one_video or record.path == self.out or (self._by_line and self.out is None)
        if self.out is not None and not as_it_came:
            write_pieces(self.out, results_pieces(results, self.format))
        elif self.format == "table":
            table = results_table(record.results(order))
            table_console(sys.stdout).print(table)
        elif not as_it_came:
            for piece in results_pieces(results, self.format):
                emit(str(piece))
        warn_of_uneven(record.results(order), self.format)
        if record.path != self.out and not record.failed:
            record.remove()


def _may_show(file: Path, medium: Medium) -> bool:
    """Whether a file may hold pictures, whatever is looked for in it."""
    return not holds_features(file) and (medium is PICTURES or file.suffix.lower() in PICTURES.endings)


def _failure(what: str, write: Callable[[], None]) -> str | None:
    """Why something could not be written; None if it could."""
    try:
        write()
    except InputError as error:
        return str(error)
    except Exception as error:  # every codec and container has its own ways of failing
        return f"its {what} could not be written ({kind_and_reason(error)})"
    return None


def _is_folder(path: Path) -> bool:
    """Whether an output is a folder: it is one already, or has no ending."""
    return path.is_dir() or not path.suffix
