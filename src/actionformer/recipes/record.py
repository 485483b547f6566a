"""What a job has found, on disk as it comes: a kill leaves it there, and a later call goes on from it.

Results are JSON Lines, a line a video. Beside them a file `.job` says in its first line what they depend on, and after
it which videos failed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from actionformer.detections import Detections
from actionformer.errors import InputError
from actionformer.files import make_folder, naming, parse_json, read_text
from actionformer.locks import alone
from actionformer.results import Rows, jsonl_line, line_content


class Record:
    """The results of a job, in files that this process alone writes; to be used as a context.

    Attributes:
        done: videos with results -> where their line begins.
        detections: how many they have.
        failed: file -> why this call found nothing in it.

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
        self.detections = 0
        make_folder(path.parent, self.out)
        with naming(self.out):
            self._file = alone(path)
        try:
            if resume and os.fstat(self._file.fileno()).st_size:
                self._check_settings()
                self._read()
            with naming(self.out):
                self._file.truncate()
                self._log = _job_file(path).open("wb")
            self._append(self._log, json.dumps({"settings": self.settings}) + "\n")
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Record:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the files; those of a job that broke off before it had any result are removed."""
        if error is not None and not self.done:
            self.remove()
        self._file.close()
        self._log.close()

    def add(self, video: str, source: Path, found: Detections) -> None:
        """Writes what was found in a video; from now on no kill loses it."""
        self.done[video] = self._file.tell()
        self.detections += len(found)
        self._append(self._file, jsonl_line(video, str(source), found.to_dict()))

    def fail(self, video: str, source: Path, reason: str) -> None:
        """Notes that a video failed; a job that is continued tries it again."""
        self.failed[str(source)] = reason
        self._append(self._log, json.dumps({"video": video, "source": str(source), "failed": reason}) + "\n")

    def results(self, order: Iterable[str]) -> Iterator[tuple[str, Rows]]:
        """The results of these videos in this order, then all others; those of one video are in memory at a time."""
        for line in self.lines(order):
            content = json.loads(line)
            yield content["video"], content["detections"]

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
            self.done[video] = begin
            self.detections += len(rows)
            begin += len(line)
        self._file.seek(begin)

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
                    f"{self.out}: was begun with {name} {_in_short(before.get(name))}, now {_in_short(now.get(name))}: "
                    "a job is continued as it was begun; --overwrite starts again"
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


def _in_short(value: Any) -> str:
    return "none" if value is None else f"{value!s:.60}"
