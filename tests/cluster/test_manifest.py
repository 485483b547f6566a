"""Which videos a list, a table, a folder, a pattern or an address means, and what they are called."""

import json
from pathlib import Path

import pytest

from actionformer.cluster.manifest import read_manifest
from actionformer.core.errors import InputError
from actionformer.extraction.inputs import files_of
from actionformer.video.pictures import PICTURES

KINDS = files_of(PICTURES)


def read(*inputs: str | Path) -> dict[str, str]:
    return read_manifest(inputs, KINDS, PICTURES)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("one.mp4", "a/two.mkv", "a/b/three.mp4", "notes.md"):
        path = tmp_path / "videos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "videos"


def test_folders_patterns_and_files_are_as_of_extract(folder: Path) -> None:
    assert read(folder) == {
        "a/b/three": str(folder / "a/b/three.mp4"),
        "a/two": str(folder / "a/two.mkv"),
        "one": str(folder / "one.mp4"),
    }
    assert list(read(folder / "**/*.mp4")) == ["a/b/three", "one"]
    assert read(folder / "one.mp4") == {"one": str(folder / "one.mp4")}


def test_a_list_of_paths(folder: Path) -> None:
    (folder / "list.txt").write_text(f"a/two.mkv\n\n{folder}/one.mp4\n  s3://bucket/far/four.mp4 \n")
    assert read(folder / "list.txt") == {
        "a/two": str(folder / "a/two.mkv"),
        "one": str(folder / "one.mp4"),
        "four": "s3://bucket/far/four.mp4",
    }


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_a_table_with_ids_and_one_without(folder: Path, ending: str) -> None:
    rows = [{"id": "first", "path": "one.mp4", "size": 7}, {"id": None, "path": "a/two.mkv", "size": 8}]
    path = folder / f"table.{ending}"
    if ending == "csv":
        path.write_text("id,path,size\nfirst,one.mp4,7\n,a/two.mkv,8\n")
    elif ending == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
        parquet.write_table(arrow.Table.from_pylist(rows), path)
    assert read(path) == {"first": str(folder / "one.mp4"), "a/two": str(folder / "a/two.mkv")}


def test_numbers_are_ids_also_zero(folder: Path) -> None:
    (folder / "table.jsonl").write_text('{"id": 0, "path": "one.mp4"}\n{"id": 1, "path": "a/two.mkv"}\n')
    assert read(folder / "table.jsonl") == {"0": str(folder / "one.mp4"), "1": str(folder / "a/two.mkv")}


def test_what_was_set_aside_is_a_list(folder: Path) -> None:
    line = {"video": "x", "source": str(folder / "one.mp4"), "error": "broken", "attempts": 2}
    (folder / "failed.jsonl").write_text(json.dumps(line))
    assert read(folder / "failed.jsonl") == {"x": str(folder / "one.mp4")}


def test_addresses_of_a_store(folder: Path) -> None:
    pytest.importorskip("fsspec")
    root = f"file://{folder}"
    expected = {
        "a/b/three": f"{root}/a/b/three.mp4",
        "a/two": f"{root}/a/two.mkv",
        "one": f"{root}/one.mp4",
    }
    assert read(root) == read(f"{root}/") == expected
    assert list(read(f"{root}/a/**/*.mp4")) == ["b/three"]
    assert read(f"{root}/one.mp4") == {"one": f"{root}/one.mp4"}
    (folder / "list.txt").write_text(f"{root}/one.mp4\n")
    assert read(f"{root}/list.txt") == {"one": f"{root}/one.mp4"}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", "", "no videos there"),
        ("a.txt", "x/one.mp4\n/y/x/one.mp4\n/z/one.mp4\n", "are both called 'one': give a table with a column 'id'"),
        ("a.csv", "id,path\na,one.mp4\nb,one.mp4\n", "one.mp4: is called 'a' and 'b': give it once"),
        ("a.csv", "name,size\none,7\n", "entry 1: no path, expected it in a column called path or uri or url or file"),
        ("a.jsonl", '{"path": "one.mp4"}\n{"path"\n', "line 2: not valid JSON"),
        ("a.jsonl", "[1]\n", "entry 1: expected an object, found \\[1\\]"),
        ("a.parquet", "no table", "not valid Parquet"),
        ("a.txt", b"\xff\xfe", "not UTF-8 text"),
    ],
)
def test_what_is_no_list_is_said(tmp_path: Path, name: str, content: str | bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(InputError, match=message):
        read(tmp_path / name)


def test_addresses_that_lead_nowhere(folder: Path) -> None:
    pytest.importorskip("fsspec")
    with pytest.raises(InputError, match=r"nowhere://x/a\.mp4: cannot be opened"):
        read("nowhere://x/a.mp4", "nowhere://x/")
    with pytest.raises(InputError, match=r"no files here that end in"):
        read(f"file://{folder}/b*")
    with pytest.raises(InputError, match="cannot be read"):
        read(f"file://{folder}/missing.txt")
