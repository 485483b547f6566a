"""Programs that tests start answer signals as they do for users, however the tests were started."""

import subprocess
import sys
from pathlib import Path

import pytest

HANDLERS = "import signal; print(signal.getsignal(signal.SIGINT).__name__, signal.getsignal(signal.SIGHUP).name)"


def test_children_have_default_handlers() -> None:
    done = subprocess.run([sys.executable, "-c", HANDLERS], capture_output=True, text=True, check=True)
    assert done.stdout == "default_int_handler SIG_DFL\n"


@pytest.mark.slow
def test_they_have_them_in_the_background_of_a_closed_terminal() -> None:
    tests = f"{Path(__file__)}::test_children_have_default_handlers"
    command = ["sh", "-c", """trap "" INT HUP; exec "$@" """, "sh"]
    options = ["-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:randomly"]
    pytest = [sys.executable, "-m", "pytest", *options, tests]
    done = subprocess.run(
        [*command, *pytest], capture_output=True, text=True, check=False, cwd=Path(__file__).parents[1]
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
