"""The actions of a live source, written line by line as they become final."""

from __future__ import annotations

import math
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

from rich.console import Console

from actionformer.core.detections import Detections
from actionformer.core.errors import InputError
from actionformer.core.files import check_absent, make_folder, naming
from actionformer.core.locks import alone
from actionformer.core.progress import in_words
from actionformer.core.terminal import emit, say
from actionformer.formats.index import FORMATS, LiveFormatName, find, names
from actionformer.inference.overlap import FreeTime, Overlap
from actionformer.recipes.live import Source, Watch
from actionformer.recipes.wanted import Wanted


@dataclass(frozen=True)
class LiveOutput:
    """Where the actions of a live source are written, and which."""

    out: Path | None
    format: str
    classes: Sequence[str] | None
    min_score: float | None
    raw_scores: bool
    provisional: bool
    overlap: Overlap

    def follow(self, watching: Watch, *, console: Console) -> int:
        """Writes every action as soon as it is final, see `follow`; says how many score too little to be shown.

        Raises:
            InputError: the model does not know a class, or a file that cannot be written.
        """
        try:
            wanted = Wanted(
                watching.stream.class_names,
                self.classes,
                min_score=self.min_score,
                for_people=FORMATS[self.format].for_people,
                calibration=None if self.raw_scores else watching.calibration,
            )
            code = follow(
                watching,
                self.out,
                self.format,
                chosen=wanted,
                overlap=self.overlap,
                provisional=self.provisional,
                console=console,
            )
        finally:
            watching.stop()
        if wanted.left_out:
            say(console, wanted.left_out)
        return code


def live_output(
    source: Source,
    *,
    out: str | Path | None = None,
    format: LiveFormatName | None = None,
    min_score: float | None = None,
    raw_scores: bool = False,
    classes: Sequence[str] | None = None,
    overlap: Literal["keep", "class", "none"] = "keep",
    provisional: bool = False,
    overwrite: bool = False,
) -> LiveOutput:
    """How the actions of a live source are written, settled before it is opened.

    Args:
        out: a file to write; by default to the terminal. The ending tells the format.
        format: of the lines: json (an object per line), csv or table; by default json.
        min_score: leave out detections with a lower score; by default in tables those below the threshold of their
            class, which `calibrate` measures, or 0.3 where it has not; else nothing.
        raw_scores: take no notice of the model's calibration: scores are the network's own.
        classes: only these classes.
        overlap: keep all that is found, let one action of a class go on at a time (class), or one action at all (none):
            what is written keeps its time, and a later action what is left of it, if that is half or more.
        provisional: write also what is not final yet, whenever it changes.
        overwrite: replace files that exist.

    Raises:
        InputError: a format that cannot be written line by line, provisional actions in another one than json, or an
            output that is there or is the source.
    """
    target = None if out is None else Path(out)
    chosen = live_format(str(source), target, format, provisional)
    check_absent([] if target is None else [target], overwrite=overwrite)
    return LiveOutput(target, chosen, classes, min_score, raw_scores, provisional, overlap)


def live_format(source: str, out: Path | None, format_: str | None, provisional: bool) -> str:
    """The format that actions are written in: the one asked for, else the one of the file's ending, else json.

    Raises:
        InputError: it cannot be written line by line, provisional actions are asked for in another one than json, or
            the output is the source.
    """
    chosen = find(format_, out, can="action_line")
    if not chosen.streams:
        lines = ", ".join(names(streams=True))
        raise InputError(f"{chosen.name} can only be written at the end: for a live source use {lines}")
    if provisional and "provisional_line" not in chosen.can:
        raise InputError(f"provisional actions are written as json, not as {chosen.name}")
    if out is not None and out.exists() and out.resolve() == Path(source).resolve():
        raise InputError(f"{out}: is the source and is not overwritten: choose another output")
    return chosen.name


def follow(
    watching: Watch,
    out: Path | None,
    format_: str,
    *,
    chosen: Callable[[Detections], Detections],
    overlap: Overlap = "keep",
    provisional: bool,
    console: Console,
) -> int:
    """Writes every action as soon as it is final, a line each; Ctrl-C and SIGTERM end the source, not the program.

    Args:
        watching: the source.
        out: a file to write, by default standard output.
        format_: one that can be written line by line. json is a line {"label", "start", "end", "score"} per action, in
            seconds, with the "wall_clock" of the start if the source is taken in real time.
        chosen: those detections that are wanted.
        overlap: which of them may go on at one time, see `FreeTime`.
        provisional: write, whenever they change, a line {"provisional": [...]} of all actions that are not final yet.
        console: where the delay is stated, and why a source broke off.

    Returns:
        The exit code: 0, or 1 if the source broke off; what was found before is written.

    Raises:
        InputError: a file that cannot be written.
    """
    delay = in_words(math.ceil(watching.delay_seconds))
    say(console, f"{watching.name}: an action is final at most {delay} after its start")
    with _written(out) as write, _ended_by_signals(watching.stop):
        if header := FORMATS[format_].function("stream_header")():
            write(header)
        try:
            for line in action_lines(watching, format_, chosen, FreeTime(overlap), provisional):
                write(line)
        except InputError as error:
            say(console, f"error: {error}")
            return 1
    return 0


def action_lines(
    watching: Watch, format_: str, chosen: Callable[[Detections], Detections], free: FreeTime, provisional: bool
) -> Iterator[str]:
    """The lines that `follow` writes, as they come; arguments and errors as there.

    Raises:
        InputError: the source broke off.
    """
    line_of = FORMATS[format_].function("action_line")
    shown: list[dict[str, Any]] = []
    for found in watching:
        for action in _actions(watching, free.take(chosen(found))):
            yield line_of(action, watching.name)
        if provisional:
            waiting = _actions(watching, free.left_of(chosen(watching.provisional())))
            if waiting != shown:
                yield FORMATS[format_].function("provisional_line")(waiting)
            shown = waiting


def _actions(watching: Watch, found: Detections) -> list[dict[str, Any]]:
    """Actions in the order of time."""
    actions = []
    for one in sorted(found.to_dict(), key=lambda one: one["segment"]):
        start, end = one["segment"]
        action = {"label": one["label"], "start": start, "end": end, "score": one["score"]}
        if clock := watching.wall_clock(start):
            action["wall_clock"] = clock.isoformat(timespec="milliseconds")
        actions.append(action)
    return actions


@contextmanager
def _written(out: Path | None) -> Iterator[Callable[[str], None]]:
    """A function that writes a line at once."""
    if out is None:
        yield lambda line: emit(f"{line}\n")
        return
    file = _opened(out)
    try:
        yield lambda line: _append(file, line)
    finally:
        with naming(out):  # what a full disk has not taken is tried again
            file.close()


def _opened(out: Path) -> IO[bytes]:
    """An empty file that this process alone writes, or a pipe or a device.

    Raises:
        InputError: another process writes it, or nobody can.
    """
    make_folder(out.parent, out)
    with naming(out):
        if out.exists() and not out.is_file():
            return out.open("wb")
        file = alone(out)
        file.truncate()
        return file


def _append(file: IO[bytes], line: str) -> None:
    file.write(f"{line}\n".encode())
    file.flush()


@contextmanager
def _ended_by_signals(stop: Callable[[], None]) -> Iterator[None]:
    """The first Ctrl-C or SIGTERM stops, a second one does what it did before."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def stopped(*_: object) -> None:
        restore()
        stop()

    for number in before:
        signal.signal(number, stopped)
    try:
        yield
    finally:
        restore()
