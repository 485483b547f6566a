"""Files of stores: fetched one at a time, and removed, also those of processes that were killed."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from actionformer.cluster import fetching
from actionformer.cluster.fetching import local_file, remove_left
from actionformer.core.errors import InputError

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
