import os
import re
from pathlib import Path
from typing import Any

import pytest

from actionformer.core.errors import InputError
from actionformer.core.files import check_absent, check_fetched, read_json, replacing, write_whole
from actionformer.features import open_features
from actionformer.sensors.files import open_table
from actionformer.video.opening import opened
from actionformer.weights import read_weights


def test_writes_text_and_bytes_and_makes_folders(tmp_path: Path) -> None:
    write_whole(tmp_path / "a" / "b.txt", "größe")
    assert (tmp_path / "a" / "b.txt").read_bytes() == "größe".encode()
    write_whole(tmp_path / "a" / "b.txt", b"\x00")
    assert (tmp_path / "a" / "b.txt").read_bytes() == b"\x00"
    assert os.listdir(tmp_path / "a") == ["b.txt"]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def half_write() -> None:
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        half_write()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_full_disk_is_one_line_with_the_path() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("/dev/full is not here: a device that is always full")
    with pytest.raises(InputError, match=r"^/dev/full: cannot write \(No space left on device\)$"):
        write_whole("/dev/full", "text")


def test_a_full_disk_under_a_file(tmp_path: Path) -> None:
    def fill() -> None:
        with replacing(tmp_path / "a.txt") as temporary:
            temporary.write_text("half")
            raise OSError(28, "No space left on device")

    with pytest.raises(InputError, match=r"a.txt: cannot write \(No space left on device\)"):
        fill()
    assert os.listdir(tmp_path) == []


def test_an_error_about_another_file_stays_itself(tmp_path: Path) -> None:
    def read_other() -> None:
        with replacing(tmp_path / "a.txt"):
            (tmp_path / "other").read_text()

    with pytest.raises(FileNotFoundError, match="other"):
        read_other()


def test_a_pipe_or_device_is_written_to_not_replaced() -> None:
    write_whole(os.devnull, "text")
    assert not Path(os.devnull).is_file()


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    write_whole(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "new"


def test_what_is_there_already_is_named(tmp_path: Path) -> None:
    names = ["a", "b", "c", "d"]
    for name in names[:3]:
        (tmp_path / name).touch()
    for given, message in (
        (["a", "d"], "a: exists; --overwrite replaces it, or"),
        (["d", "a", "b"], f"a: exists, and so does {tmp_path / 'b'}; --overwrite replaces them, or"),
        (names, "a: exists, and so do 2 more; --overwrite replaces them, or"),
    ):
        with pytest.raises(InputError, match=re.escape(message)):
            check_absent([tmp_path / name for name in given], overwrite=False)


def test_a_folder_in_the_way(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is a folder of that name"):
        write_whole(tmp_path, "text")


def test_a_file_in_the_place_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"cannot make its folder"):
        write_whole(tmp_path / "file" / "a.txt", "text")


def test_reads_json(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b'\xef\xbb\xbf{"a": [1, {"b": null}]}')
    assert read_json(tmp_path / "a.json") == {"a": [1, {"b": None}]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b" \n", "the file is empty"),
        (b'{\n "a": 1,,\n}', r"not valid JSON: .* \(line 2, column 9\)"),
        (b'{"a": {"v1": 1, "v2": 2, "v1": 3}}', r"key 'v1' occurs twice in one object"),
        (b"\xff\xfe", "not UTF-8 text"),
        (b"[" * 200_000, "JSON nested too deeply"),
    ],
)
def test_broken_json(tmp_path: Path, content: Any, message: str) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(InputError, match=rf"a\.json: {message}") as caught:
        read_json(tmp_path / "a.json")
    assert "\n" not in str(caught.value)


def test_missing_json(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.json: cannot read \(No such file or directory\)"):
        read_json(tmp_path / "a.json")


def test_a_pointer_of_git_lfs_is_fetched(tmp_path: Path) -> None:
    pointer, told = tmp_path / "a.npy", r"a\.npy: is a pointer of Git LFS .*: fetch it with git lfs pull"
    pointer.write_text(f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 12345\n")
    for read in (check_fetched, read_json, open_features, read_weights):
        with pytest.raises(InputError, match=told):
            read(pointer)
    with pytest.raises(InputError, match=told), open_table(pointer):
        pass
    with pytest.raises(InputError, match=told):
        opened(str(pointer), "the video")
    check_fetched(Path(__file__))
