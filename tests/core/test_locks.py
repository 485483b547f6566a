"""One writer a folder; what killed writers leave, and what living ones hold."""

import errno
import fcntl
import os
from pathlib import Path

import pytest

from actionformer.core import locks
from actionformer.core.errors import InputError
from actionformer.core.files import replacing, write_whole
from actionformer.core.locks import lock, sole_writer
from actionformer.core.run_files import LOCK


def test_a_second_writer_is_refused_by_name(tmp_path: Path) -> None:
    with sole_writer(tmp_path / "run"):
        holder = rf"run: is in use by process {os.getpid()} on .*: wait until it ends or choose another folder"
        with pytest.raises(InputError, match=holder), sole_writer(tmp_path / "run"):
            pass
        (tmp_path / "run" / "a").touch()
    with sole_writer(tmp_path / "run"):
        pass
    assert os.listdir(tmp_path / "run") == ["a"]


def test_those_who_write_the_same_share_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    first, second = sole_writer(folder, "windows\u00e9 50"), sole_writer(folder, "windows\u00e9 50")
    refused = rf"out: is in use by process {os.getpid()} on .*: wait until it ends or choose another folder"
    first.__enter__()
    with second:
        first.__exit__(None, None, None)
        assert os.listdir(folder) == [LOCK], "of the one that still writes"
        for doing in ("statistics", ""):
            with pytest.raises(InputError, match=refused), sole_writer(folder, doing):
                pass
    assert not folder.exists() or os.listdir(folder) == []
    with sole_writer(folder, "statistics"):
        pass


def test_one_alone_shares_with_nobody(tmp_path: Path) -> None:
    with sole_writer(tmp_path), pytest.raises(InputError, match="is in use by process"), sole_writer(tmp_path, "same"):
        pass


def test_folders_that_were_made_for_nothing_go(tmp_path: Path) -> None:
    (tmp_path / "was there").mkdir()
    with pytest.raises(KeyboardInterrupt), sole_writer(tmp_path / "was there" / "a" / "b"):
        raise KeyboardInterrupt
    assert os.listdir(tmp_path) == ["was there"]
    assert os.listdir(tmp_path / "was there") == []


def test_a_folder_that_is_replaced_meanwhile_keeps_the_lock_of_its_next_writer(tmp_path: Path) -> None:
    with sole_writer(tmp_path / "run"):
        (tmp_path / "run").rename(tmp_path / "old")
        (tmp_path / "run").mkdir()
        (tmp_path / "run" / LOCK).touch()
    assert (tmp_path / "run" / LOCK).exists()


def test_without_locks_it_is_said_and_nothing_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "lock", lambda *_: None)
    told = pytest.warns(UserWarning, match="this file system has no locks: make sure that no second run writes into it")
    with told, sole_writer(tmp_path / "run"):
        (tmp_path / "run" / "a").touch()
    assert os.listdir(tmp_path / "run") == ["a"]


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", full)
    refused = pytest.raises(InputError, match=r"run: cannot write there \(No space left on device\)")
    with refused, sole_writer(tmp_path / "runs" / "run"):
        pass
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refused = pytest.raises(InputError, match=r"file/run: cannot be made \(Not a directory\)")
    with refused, sole_writer(tmp_path / "file" / "run"):
        pass


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="only Linux has /proc, in which no folder can be made")
def test_a_file_system_without_new_folders() -> None:
    refused = pytest.raises(InputError, match=r"/proc/nowhere/run: cannot be made \(No such file or directory\)")
    with refused, sole_writer(Path("/proc/nowhere/run")):
        pass


def test_what_the_system_has_no_lock_for(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    os.close(write)
    assert lock(write) is None


def test_parts_of_killed_writers_go_and_those_of_living_ones_stay(tmp_path: Path) -> None:
    for name in (".a.json.1.part", ".a.json.2.part", ".b.json.1.part"):
        (tmp_path / name).touch()
    with (tmp_path / ".a.json.2.part").open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        write_whole(tmp_path / "a.json", "{}")
    assert sorted(os.listdir(tmp_path)) == [".a.json.2.part", ".b.json.1.part", "a.json"]


def test_two_writers_of_one_file_leave_each_other_alone(tmp_path: Path) -> None:
    with replacing(tmp_path / "a") as first:
        first.write_text("first")
        write_whole(tmp_path / "a", "second")
        assert (tmp_path / "a").read_text() == "second"
    assert (tmp_path / "a").read_text() == "first"
    assert os.listdir(tmp_path) == ["a"]
