"""Spreadsheets of Excel, as labels."""

import io
import sys
from collections.abc import Callable
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from commands import Command, Refused
from openpyxl import Workbook

from actionformer.core.errors import InputError
from actionformer.formats.document import Document
from actionformer.formats.labels import LabelFile
from actionformer.formats.recognition import read_labels

Sheet = list[tuple[Any, ...]]
HEADER = ("Video", "Behaviour", "Start (s)", "End (s)")


@pytest.fixture
def book(tmp_path: Path) -> Callable[..., Path]:
    """Writes sheets, each under its name."""

    def write(**sheets: Sheet) -> Path:
        made = Workbook()
        made.remove(made.worksheets[0])
        for name, rows in sheets.items():
            sheet = made.create_sheet(name)
            for row in rows:
                sheet.append(row)
        path = tmp_path / "session7.xlsx"
        made.save(path)
        return path

    return write


def rows(found: LabelFile) -> list[tuple[str, float, float, str]]:
    return [(video.name, one.start, one.end, one.label) for video in found.videos for one in video.segments]


def test_cells_are_what_they_show(book: Callable[..., Path]) -> None:
    shown = (0.1 + 0.2, 12.0, 3, True, None, " x ", time(0, 1, 23, 400_000), timedelta(hours=25, seconds=1.5))
    path = book(one=[("a", "b", "c", "d", "e", "f", "g", "h"), (), shown, (datetime(2024, 5, 1, 12),)])
    table = Document(path).table
    assert [row.line for row in table] == [1, 3, 4]
    assert table[1].cells == ["0.3", "12", "3", "True", "", "x", "0:01:23.400", "25:00:01.500"]
    assert table[2].cells[0] == "2024-05-01 12:00:00"


def test_columns_are_told_as_of_a_csv_file(book: Callable[..., Path]) -> None:
    found = read_labels(book(notes=[], labels=[HEADER, ("a.mp4", "jump", 1.5, time(0, 0, 2, 250_000))]))
    assert rows(found) == [("a.mp4", 1.5, 2.25, "jump")]
    assert found.videos[0].segments[0].where.endswith("session7.xlsx: line 2")


def test_a_table_of_boris_is_told_too(book: Callable[..., Path]) -> None:
    header = ("Observation id", "Media duration (s)", "FPS", "Subject", "Behavior", "Behavior type", "Time", "Comment")
    start, stop = (("o", 9.5, 25, "", "groom", kind, at, None) for kind, at in (("START", 1.25), ("STOP", 3)))
    found = read_labels(book(o=[header, start, stop]))
    assert rows(found) == [("o", 1.25, 3.0, "groom")]
    assert (found.videos[0].duration, found.videos[0].fps) == (9.5, 25.0)


@pytest.mark.parametrize("ending", ["csv", "tsv"])
def test_a_real_export_of_boris_says_the_same_as_its_twin(shared: Path, ending: str) -> None:
    folder = shared / "data/formats/boris"
    found, twin = (read_labels(folder / f"test_export_events_tabular.{one}") for one in ("xlsx", ending))
    assert rows(found) == rows(twin)
    assert len(rows(found)) == 4
    assert found.videos[0].duration == twin.videos[0].duration == 359.96


def test_a_sheet_per_video(book: Callable[..., Path]) -> None:
    header = HEADER[1:]
    path = book(clip1=[header, ("jump", 1, 2)], clip2=[header, ("run", 3, 4), ("jump", 5, 6)])
    assert rows(read_labels(path)) == [("clip1", 1, 2, "jump"), ("clip2", 3, 4, "run"), ("clip2", 5, 6, "jump")]
    path = book(monday=[HEADER, ("a", "jump", 1, 2)], tuesday=[HEADER, ("b", "run", 3, 4)])
    assert rows(read_labels(path)) == [("a", 1, 2, "jump"), ("b", 3, 4, "run")]  # a column of videos says it better


def test_sheets_of_other_columns_are_said(book: Callable[..., Path]) -> None:
    path = book(labels=[HEADER, ("a", "jump", 1, 2)], people=[("name", "age"), ("Ada", 36)])
    with pytest.warns(UserWarning, match="only the first of its sheets is read, .* not read: people"):
        assert rows(read_labels(path)) == [("a", 1, 2, "jump")]


def test_imported_from_outside(call: Command, book: Callable[..., Path], tmp_path: Path) -> None:
    out = tmp_path / "annotations.json"
    done = call("import", book(labels=[HEADER, ("a.mp4", "jump", 1.5, 2.25)]), "--out", out)
    assert done.code == 0, done
    assert '"segment": [\n' in out.read_text("utf-8")


def test_what_is_no_labels_is_named(
    book: Callable[..., Path], refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = ("--out", tmp_path / "out.json")
    assert "a table with the columns name, age" in refused("import", book(people=[("name", "age"), ("Ada", 36)]), *out)
    assert "binary data" in refused("import", book(empty=[]), *out)
    path = book(labels=[HEADER])
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(InputError, match=r"reading a spreadsheet needs openpyxl: pip install '.*\[xlsx\]'"):
        read_labels(path)


def test_damaged_and_deceiving_files(
    book: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = book(labels=[HEADER, ("a", "jump", 1, 2)])
    with ZipFile(path) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    broken = io.BytesIO()
    with ZipFile(broken, "w") as file:
        for name, content in parts.items():
            file.writestr(name, b"<broken" if name.startswith("xl/worksheets/") else content)
    with pytest.raises(InputError, match=r"a\.xlsx: a damaged spreadsheet"):
        _ = Document(tmp_path / "a.xlsx", broken.getvalue()).table
    monkeypatch.setattr("actionformer.formats.workbook.LARGEST_TEXT", 1000)
    with pytest.raises(InputError, match="more than 1000 bytes once unpacked"):
        _ = Document(path).table
