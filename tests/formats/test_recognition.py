"""Formats of labels are told by content."""

from dataclasses import replace
from pathlib import Path

import pytest

from actionformer.core.errors import InputError
from actionformer.formats.document import Document
from actionformer.formats.index import FORMATS
from actionformer.formats.recognition import read_labels, recognised


def test_a_file_is_recognised_by_its_content(tmp_path: Path) -> None:
    (tmp_path / "a.xyz").write_text("1.0\t2.0\tjump\n", encoding="utf-8")
    assert [one.name for one in read_labels(tmp_path / "a.xyz").videos] == ["a"]


@pytest.mark.parametrize(
    ("content", "seen"),
    [
        (b"<html/>", "XML whose root is <html>"),
        (b'{"a": 1, "b": 2}', "JSON with the keys a, b"),
        (b"\x00\x01\x02", "binary data"),
        (b"who;what\n1;2\n", "a table with the columns who, what"),
        (b"Dear all\n", "text that begins with 'Dear all'"),
    ],
)
def test_what_is_not_recognised_is_said_with_what_is_known(tmp_path: Path, content: bytes, seen: str) -> None:
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(InputError) as refused:
        read_labels(tmp_path / "a.txt")
    assert f"a.txt: {seen}: no format of labels that is known; there are " in str(refused.value)
    assert "audacity" in str(refused.value)


def test_a_general_format_is_meant_only_where_no_other_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.txt").write_text("1.0\t2.0\tjump\n", encoding="utf-8")
    monkeypatch.setitem(FORMATS, "any", replace(FORMATS["audacity"], name="any"))
    with pytest.raises(InputError, match=r"a\.txt: could be audacity or any: say which with --format"):
        read_labels(tmp_path / "a.txt")
    monkeypatch.setitem(FORMATS, "any", replace(FORMATS["any"], general=True))
    assert recognised(Document(tmp_path / "a.txt")) == "audacity"
