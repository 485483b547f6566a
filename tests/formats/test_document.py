"""A file of unknown format, seen as text, JSON, XML and table."""

import re
from pathlib import Path

import pytest

from actionformer.core.errors import InputError
from actionformer.formats.document import Document


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp932", "動画,開始,終了,行動\nclip1.mp4,1,2,歩行\n"),
        ("cp932", "video,label\na,ジャンプ\n"),
        ("cp1252", "Vidéo;Début;Fin;Étiquette\nété.mp4;1;2;sauté\n"),
        ("cp1252", "Größe;Öffnen\nMäuse;“zu”\n"),
    ],
)
def test_how_windows_writes_it(encoding: str, text: str) -> None:
    assert Document("a.csv", text.encode(encoding)).text == text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_text_of_any_encoding(encoding: str) -> None:
    assert Document("a", "Ärger;1,5\r\nb\rc\n".encode(encoding)).lines == ["Ärger;1,5", "b", "c"]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("a;b\n1,5;2,5\n", [(1, ["a", "b"]), (2, ["1,5", "2,5"])]),
        ('a,b\n\n"x, y", 2\n', [(1, ["a", "b"]), (3, ["x, y", "2"])]),
        ("a\tb\n1,5\t2;\n", [(1, ["a", "b"]), (2, ["1,5", "2;"])]),
        (
            "video,start,end,label\nv,1,2,a;b;c;d\n",
            [(1, ["video", "start", "end", "label"]), (2, ["v", "1", "2", "a;b;c;d"])],
        ),
        ('a,b\n1,",;;;"\n2,";;;;;"\n', [(1, ["a", "b"]), (2, ["1", ",;;;"]), (3, ["2", ";;;;;"])]),
        ('a;b\n"1,5";"x ""y"", z"\n', [(1, ["a", "b"]), (2, ["1,5", 'x "y", z'])]),
    ],
)
def test_a_table_by_its_delimiter(text: str, rows: list[tuple[int, list[str]]]) -> None:
    assert [tuple(row) for row in Document("a", text.encode()).table] == rows


def test_json_is_no_table() -> None:
    assert Document("a", b'[{"a": 1, "b": 2}]').table == []
    assert [row.cells for row in Document("a", b"[a, b]").table] == [["[a", "b]"]]


def test_json_and_xml_are_none_where_they_are_not() -> None:
    assert Document("a", b'\xef\xbb\xbf{"x": [1]}').json == {"x": [1]}
    assert Document("a", b"{broken").json is None
    root = Document("a", '<?xml version="1.0" encoding="UTF-16"?><a/>'.encode("utf-16")).xml
    assert root is not None
    assert root.tag == "a"
    assert Document("a", b"<a>").xml is None


def test_binary_files_have_no_text() -> None:
    assert Document("a", b"\x00\x01PK").text == ""


def test_empty_and_missing_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the file is empty"):
        Document("a", b" \n")
    with pytest.raises(InputError, match="cannot read"):
        Document(tmp_path / "none.txt")


def test_files_beside_it_or_above(tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    (tmp_path / "mapping.txt").write_text("0 a\n", encoding="utf-8")
    document = Document(tmp_path / "labels/a.txt", b"x")
    found = document.beside("names.txt", "mapping.txt")
    assert found is not None
    assert found.path == tmp_path / "mapping.txt"
    assert document.beside("names.txt") is None
    (tmp_path / "labels/mapping.txt").write_text("1 b\n", encoding="utf-8")
    nearer = document.beside("mapping.txt")
    assert nearer is not None
    assert nearer.text == "1 b\n"


def test_lines_that_are_all_alike() -> None:
    pattern = re.compile(r"(\d+) (\w+)")
    assert [(n, one[2]) for n, one in Document("a", b"1 a\n\n 2 b \n").lines_like(pattern)] == [(1, "a"), (3, "b")]
    assert Document("a", b"1 a\nb\n").lines_like(pattern) == []


def test_records_below_a_header_that_stands_somewhere() -> None:
    document = Document("a", b"Player;x\n\nTime;Subject;STATUS\n1;me;START\n2;you\n")
    assert document.header_row({"time", "subject"}, {"status", "kind"}) == 1
    assert document.header_row({"time", "subject"}, {"status"}, first=1) is None
    assert document.header_row({"time"}, {"kind"}) is None
    assert [tuple(one) for one in document.records(1)] == [
        (4, {"time": "1", "subject": "me", "status": "START"}),
        (5, {"time": "2", "subject": "you"}),
    ]
