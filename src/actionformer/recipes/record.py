"""What a job has found, on disk as it comes: a kill leaves it there, and a later call goes on from it.

Results are JSON Lines, a line a video. Beside them a file `.job` says in its first line what they depend on, and after
it what was in the file of each video, and which videos failed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from actionformer.core.detections import Detections
from actionformer.core.errors import InputError
from actionformer.core.files import make_folder, naming, parse_json, read_json_lines, read_text
from actionformer.core.locks import alone
from actionformer.data.fingerprint import source_hash
from actionformer.formats.jsonl import line_content, video_line
from actionformer.formats.rows import VideoRows


class Record:
    """The results of a job, in files that this process alone writes; to be used as a context.

    Attributes:
        done: videos with results -> where their line begins.
        detections: how many they have.
        failed: file -> why this call found nothing in it.
        contents: videos that earlier calls had done -> hash of what was in their files, where that is known.

    Args:
        path: the JSON Lines file; missing folders are made.
        settings: what the results depend on, plain values.
        resume: go on from what is there; otherwise that is replaced.
        out: the output that messages name; by default `path`.

    Raises:
        InputError: another process writes it, it cannot be written, or it was made with other settings.
    """

    def __init__(
        self, path: Path, settings: Mapping[str, Any], *, resume: bool = False, out: Path | None = None
    ) -> None:
        self.path, self.out, self.settings = path, out or path, dict(settings)
        self.done: dict[str, int] = {}
        self.failed: dict[str, str] = {}
        self.contents: dict[str, str] = {}
        self.detections = 0
        self._files = ExitStack()
        make_folder(path.parent, self.out)
        with naming(self.out):
            self._file = self._files.enter_context(alone(path))
        try:
            if resume and os.fstat(self._file.fileno()).st_size:
                self._check_settings()
                self._read()
            with naming(self.out):
                self._file.truncate()
                self._log = self._files.enter_context(_job_file(path).open("wb"))
            self._note({"settings": self.settings})
            for video, content in self.contents.items():
                self._note({"video": video, "content": content})
        except BaseException:
            self._close()
            raise

    def __enter__(self) -> Record:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the files; those of a job that broke off before it had any result are removed."""
        if error is not None and not self.done:
            self.remove()
        self._close()

    def _close(self) -> None:
        with naming(self.out):  # what a full disk has not taken is tried again
            self._files.close()

    def add(self, video: str, source: Path | str, found: Detections) -> None:
        """Writes what was found in a video; from now on no kill loses it."""
        self._note({"video": video, "content": source_hash(Path(source))})
        self.done[video] = self._file.tell()
        self.detections += len(found)
        self._append(self._file, video_line(VideoRows(video, found.to_dict(), str(source))))

    def fail(self, video: str, source: Path | str, reason: str) -> None:
        """Notes that a video failed; a job that is continued tries it again."""
        self.failed[str(source)] = reason
        self._note({"video": video, "source": str(source), "failed": reason})

    def check_unchanged(self, sources: Mapping[str, Path]) -> None:
        """Checks that the results which are there are those of these files, whatever has become of them.

        Raises:
            InputError: the file of a video holds something else by now, or is another one; the first is named.
        """
        for video, source in sources.items():
            if video in self.done and self.contents.get(video) not in (None, source_hash(source)):
                raise InputError(
                    f"{self.out}: the detections of {video!r} are of another file than {source} is now: a job can "
                    "only continue unchanged; --overwrite starts again"
                )

    def results(self, order: Iterable[str]) -> Iterator[VideoRows]:
        """The results of these videos in this order, then all others; those of one video are in memory at a time."""
        for line in self.lines(order):
            content = json.loads(line)
            yield VideoRows(content["video"], content["detections"], content.get("source", ""))

    def lines(self, order: Iterable[str]) -> Iterator[str]:
        """The lines of these videos in this order, then all others."""
        with self.path.open("rb") as file:
            for video in dict.fromkeys([*(name for name in order if name in self.done), *self.done]):
                file.seek(self.done[video])
                yield file.readline().decode()

    def remove(self) -> None:
        """Removes the files, once what they hold is elsewhere."""
        for path in (_job_file(self.path), self.path):
            path.unlink(missing_ok=True)

    def _note(self, entry: Mapping[str, Any]) -> None:
        self._append(self._log, json.dumps(entry) + "\n")

    def _append(self, file: IO[bytes], line: str) -> None:
        with naming(self.out):
            file.write(line.encode())
            file.flush()

    def _read(self) -> None:
        """Finds the results that are there; where a kill has cut the last line, writing goes on."""
        self._file.seek(0)
        begin = 0
        for number, line in enumerate(self._file, 1):
            if not line.endswith(b"\n"):
                break
            video, rows = line_content(line, f"{self.path}: line {number}")
            if video in self.done:
                raise InputError(f"{self.path}: line {number}: video {video!r} has an earlier line, keep one of them")
            self.done[video] = begin
            self.detections += len(rows)
            begin += len(line)
        self._file.seek(begin)
        self.contents = {video: hash_ for video, hash_ in _contents_of(self.path).items() if video in self.done}

    def _check_settings(self) -> None:
        before = _settings_of(self.path)
        if before is None:
            raise InputError(
                f"{self.out}: cannot be continued: {_job_file(self.path)}, which says how it was made, is missing or "
                "broken; --overwrite starts again"
            )
        now = json.loads(json.dumps(self.settings))
        for name in {**before, **now}:
            if before.get(name) != now.get(name):
                raise InputError(
                    f"{self.out}: was begun {_change(name, before.get(name), now.get(name))}: "
                    "a job can only continue unchanged; --overwrite starts again"
                )


def _job_file(path: Path) -> Path:
    return path.with_name(f"{path.name}.job")


def _settings_of(path: Path) -> dict[str, Any] | None:
    """What a record says that it was made with, if it does."""
    try:
        first = read_text(_job_file(path)).splitlines()[0]
        settings = parse_json(first, str(_job_file(path)))["settings"]
    except (InputError, LookupError, TypeError):
        return None
    return settings if isinstance(settings, dict) else None


def _contents_of(path: Path) -> dict[str, str]:
    """Video -> hash of what its file held when it was done, as far as a record says."""
    entries = [entry for entry in read_json_lines(_job_file(path)) if isinstance(entry.get("content"), str)]
    return {entry["video"]: entry["content"] for entry in entries if isinstance(entry.get("video"), str)}


def _change(name: str, before: Any, now: Any) -> str:
    """What has changed, in words; of tables of numbers that they have."""
    if not isinstance(before, dict) and not isinstance(now, dict):
        return f"with {name} {_in_short(before)}, now {_in_short(now)}"
    if before is None or now is None:
        return f"without a {name}, now there is one" if before is None else f"with a {name}, now there is none"
    return f"with another {name} than there is now"


def _in_short(value: Any) -> str:
    return "none" if value is None else f"{value!s:.60}"
