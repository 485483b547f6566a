"""Decoding processes of `extract`, from the outside."""

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from waiting import until

READING = """
import multiprocessing, sys, time
from pathlib import Path
from dying import AsItIs, Dying
from actionformer.extraction.decoding import decoded
from actionformer.video.clips import ClipLayout

events = decoded([Path(sys.argv[1])], Dying(), AsItIs(), ClipLayout(fps=None, num_frames=2, stride=1), 1)
next(events)
print(multiprocessing.active_children()[0].pid, flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="only Linux tells of any process whether it lives")
def test_a_decoding_process_ends_with_its_parent(tmp_path: Path) -> None:
    """In the middle of a recording, which `DataLoader` would read to its end."""
    path = tmp_path / "a.dying"
    path.write_text("hang")
    paths = os.pathsep.join([str(Path(__file__).parents[1] / "support"), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-c", READING, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": paths}) as reading:
        assert reading.stdout is not None
        worker = Path("/proc") / reading.stdout.readline().decode().strip()
        assert worker.name
        assert is_alive(worker)
        reading.kill()
    until(lambda: not is_alive(worker))


def is_alive(process: Path) -> bool:
    with suppress(OSError):
        return (process / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False
