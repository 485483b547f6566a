"""Files of stores: fetched one at a time, and removed, also those of processes that were killed."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from actionformer.cluster import fetching
from actionformer.cluster.fetching import hash_in_store, local_file, remove_left
from actionformer.cluster.manifest import file_system
from actionformer.core.errors import InputError
from actionformer.extraction.store import MEGABYTE, video_hash

pytest.importorskip("fsspec")


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "here"))
    return fetching.scratch()


def test_a_file_is_itself(tmp_path: Path) -> None:
    with local_file(str(tmp_path / "a.mp4")) as file:
        assert file == tmp_path / "a.mp4"


def test_what_is_fetched_goes_again(tmp_path: Path, scratch: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"pictures")
    with local_file(f"file://{tmp_path}/a.mp4") as file:
        assert file.name == "a.mp4"
        assert file.is_relative_to(scratch)
        assert file.read_bytes() == b"pictures"
    assert [path for path in scratch.parent.rglob("*") if path.is_file()] == []


def test_what_is_not_there_is_said(tmp_path: Path, scratch: Path) -> None:
    missing = local_file(f"file://{tmp_path}/a.mp4")
    with pytest.raises(InputError, match=r"file://.*a\.mp4: cannot be fetched \(FileNotFoundError"), missing:
        pass
    assert not scratch.exists() or not list(scratch.iterdir())


def test_nobody_else_reads_what_is_fetched(tmp_path: Path, scratch: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"pictures")
    with local_file(f"file://{tmp_path}/a.mp4"):
        assert scratch.name == f"actionformer-fetched-{os.getuid()}"
        assert scratch.stat().st_mode & 0o777 == 0o700
    scratch.chmod(0o777)
    opened = local_file(f"file://{tmp_path}/a.mp4")
    with pytest.raises(InputError, match="others can write or read there: remove it, or set TMPDIR"), opened:
        pass


def test_a_folder_of_somebody_else_is_not_followed(tmp_path: Path, scratch: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"pictures")
    (tmp_path / "theirs").mkdir(mode=0o700)
    scratch.parent.mkdir()
    scratch.symlink_to(tmp_path / "theirs")
    opened = local_file(f"file://{tmp_path}/a.mp4")
    with pytest.raises(InputError, match=r"others can write or read there|cannot be made"), opened:
        pass


@pytest.mark.parametrize("size", [0, 5, MEGABYTE + 1, 2 * MEGABYTE, 3 * MEGABYTE + 7])
def test_the_hash_of_a_file_in_a_store_is_that_of_the_file(tmp_path: Path, size: int) -> None:
    (tmp_path / "a.mp4").write_bytes(bytes(number % 251 for number in range(size)))
    assert hash_in_store(f"file://{tmp_path}/a.mp4") == video_hash(tmp_path / "a.mp4")
    with pytest.raises(InputError, match=r"b\.mp4: cannot be read \(FileNotFoundError"):
        hash_in_store(f"file://{tmp_path}/b.mp4")


def test_a_file_of_unknown_size_is_fetched_for_its_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.mp4").write_bytes(b"pictures")
    system, _ = file_system(f"file://{tmp_path}/a.mp4")
    monkeypatch.setattr(type(system), "size", lambda *_: None)
    assert hash_in_store(f"file://{tmp_path}/a.mp4") == video_hash(tmp_path / "a.mp4")


def test_what_a_killed_process_has_left_is_removed_and_what_a_living_one_reads_is_not(
    tmp_path: Path, scratch: Path
) -> None:
    (tmp_path / "a.mp4").write_bytes(b"pictures")
    script = (
        "import os, sys, tempfile; tempfile.tempdir = sys.argv[1]\n"
        "from actionformer.cluster.fetching import local_file\n"
        "with local_file(sys.argv[2]): os.kill(os.getpid(), 9)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "here"), f"file://{tmp_path}/a.mp4"]
    subprocess.run(command, check=False, env=os.environ)
    assert len(list(scratch.glob("*/a.mp4"))) == 1
    with local_file(f"file://{tmp_path}/a.mp4") as file:
        remove_left()
        assert [path.parent for path in scratch.glob("*/a.mp4")] == [file.parent]
