"""Annotations of which some entries cannot be read: what is wrong with them is found, and the others are looked at."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from actionformer.checks.findings import Finding
from actionformer.core.annotations import Annotations
from actionformer.core.errors import InputError
from actionformer.core.files import read_json
from actionformer.core.words import plural
from actionformer.formats.activitynet.annotations import parse_annotations
from actionformer.formats.annotations import read_annotations


def read_usable(path: str | Path) -> tuple[Annotations, list[Finding]]:
    """All that can be used of an annotation file; actions that end before they start are taken the other way round.

    Raises:
        InputError: nothing of it can be used.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # names that are alike are a finding of their own
        try:
            return read_annotations(path), []
        except InputError as error:
            entries = _entries(path)
            if entries is None:
                raise
            usable = _Usable(str(path))
            database = {id_: left for id_, one in entries.items() if (left := usable.of(id_, one)) is not None}
            if not database:
                raise
            findings = list(usable.findings()) or [_contradiction(error)]
            return parse_annotations({"database": _unnumbered(database)}, source=str(path)), findings


def _entries(path: str | Path) -> Mapping[str, Any] | None:
    content = read_json(path) if Path(path).suffix == ".json" else None
    entries = content.get("database") if isinstance(content, Mapping) else None
    return entries if isinstance(entries, Mapping) else None


def _contradiction(error: InputError) -> Finding:
    """Every entry can be read, and together they contradict one another: numbers of classes."""
    return Finding("label_id", "error", 0, 0, str(error), "", "was a label mistyped? Correct it, or leave out label_id")


def _unnumbered(database: Mapping[str, Any]) -> dict[str, Any]:
    """Entries whose classes are told by name alone."""
    return {
        id_: {**entry, "annotations": [{**row, "label_id": None} for row in entry["annotations"]]}
        for id_, entry in database.items()
    }


class _Usable:
    """Takes the entries of videos apart, and remembers what had to be left out."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.actions = 0
        self.swapped: list[str] = []
        self.broken: list[str] = []

    def of(self, id_: str, entry: Any) -> Any:
        """What can be used of an entry, None if nothing can."""
        rows = entry.get("annotations") or [] if isinstance(entry, Mapping) else []
        rows = rows if isinstance(rows, list) else []
        bare = {**entry, "annotations": []} if isinstance(entry, Mapping) else entry
        if (reason := self._refused(id_, bare)) is not None:
            self.broken.append(reason)
            return None
        kept = []
        for row in rows:
            self.actions += 1
            row = self._in_order(id_, row)
            if (reason := self._refused(id_, {**bare, "annotations": [row]})) is None:
                kept.append(row)
            else:
                self.broken.append(reason)
        return {**bare, "annotations": kept}

    def _refused(self, id_: str, entry: Any) -> str | None:
        try:
            parse_annotations({"database": {id_: entry}}, source=self.source)
        except InputError as error:
            return str(error)
        return None

    def _in_order(self, id_: str, row: Any) -> Any:
        segment = row.get("segment") if isinstance(row, Mapping) else None
        match segment:
            case [int() | float() as start, int() | float() as end] if end < start:
                self.swapped.append(f"[{start:g}, {end:g}] in {id_!r}")
                return {**row, "segment": [end, start]}
        return row

    def findings(self) -> Iterator[Finding]:
        """What was wrong."""
        if self.swapped:
            what, example = "actions end before they start", f", the first is {self.swapped[0]}"
            advice = "are the columns of start and end swapped? The rest of this report takes them the other way round"
            yield Finding("swapped", "error", len(self.swapped), self.actions, what, example, advice)
        if self.broken:
            what = f"{plural(len(self.broken), 'entry', 'entries')} cannot be used: {self.broken[0]}"
            yield Finding("unusable", "error", 0, 0, what, "", "correct them: training refuses the file")
