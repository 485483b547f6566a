"""Folders that all processes of a test run share: the first that asks makes them."""

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path


def made_once(folder: Path, make: Callable[[Path], object]) -> Path:
    """A folder, made by the first process that asks for it; others wait for it. It is for reading only.

    Args:
        folder: where it will be, the same for all processes.
        make: fills the folder, which is there and empty.
    """
    with folder.with_suffix(".lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.fstat(lock.fileno()).st_size:  # now, and not when it was opened
            shutil.rmtree(folder, ignore_errors=True)  # of a process that failed
            folder.mkdir()
            make(folder)
            lock.write("done")
    return folder
