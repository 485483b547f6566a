"""Cells of Datavyu, worked by hand."""

import io
import zipfile

from actionformer.formats.datavyu import holds_labels, read_labels
from actionformer.formats.document import Document

DATABASE = r"""#4
hands (MATRIX,true,)-hand|NOMINAL,look|NOMINAL
00:00:01:500,00:01:02:250,(left,1)
00:00:03:000,00:00:00:000,(,2)
00:00:05:000,00:00:04:000,()
talk (TEXT,true,)
00:00:06:000,00:00:07:000,well\, you\
 know
"""
PROJECT = "!project\nname: baby 1\nviewerSettings:\n- !vs\n  feed: C:\\films\\baby1.mov\n  version: 2\n"
WANTED = [
    (1.5, 62.25, "left", "hands"),
    (3, 3, "2", "hands"),
    (5, 4, "hands", "hands"),
    (6, 7, "well, you know", "talk"),
]


def archive(folder: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        file.writestr(f"__MACOSX/{folder}db", "nothing")
        file.writestr(f"{folder}db", DATABASE)
        file.writestr(f"{folder}project", PROJECT)
    return data.getvalue()


def check(document: Document, names: list[str]) -> None:
    assert holds_labels(document)
    found = read_labels(document)
    (video,) = found.videos
    assert [video.name, *video.other_names] == names
    assert [(one.start, one.end, one.label, one.layer) for one in video.segments] == WANTED
    assert [one.where.rpartition(" ")[2] for one in found.remarks] == ["3", "4", "5"]


def test_the_text_of_a_project() -> None:
    check(Document("a.csv", DATABASE.replace("\n", "\r\n").encode()), ["a"])


def test_projects_name_the_recording() -> None:
    for folder in ("", "old/"):
        check(Document("a.opf", archive(folder)), ["C:\\films\\baby1.mov", "baby 1", "a"])


def test_a_table_of_a_script_counts_milliseconds() -> None:
    text = "file,column,ordinal,onset,offset,hand,look\nbaby1,hands,1,1500,62250,,1\nbaby1,hands,2,NA,NA,left,\n"
    found = read_labels(Document("a.csv", text.encode()))
    (video,) = found.videos
    assert (video.name, [(one.start, one.end, one.label) for one in video.segments]) == ("baby1", [(1.5, 62.25, "1")])
    assert [one.where for one in found.remarks] == ["a.csv: line 3"]


def test_other_archives_are_none() -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        file.writestr("a.txt", "b")
    assert not holds_labels(Document("a.zip", data.getvalue()))
    assert not holds_labels(Document("a.zip", data.getvalue()[:20]))
