"""Runs jobs of `detect` that are killed, and resumes them: `python kill_jobs.py RUN FEATURES OUT`.

Every call is a forked process, so that torch is imported once. Some jobs are killed at random times, some in the middle
of a line, until they end by themselves. Prints how often each was killed.
"""

import json
import os
import random
import signal
import sys
import time
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch

from actionformer.cli import main
from actionformer.recipes.record import Record

AT_ANY_TIME, IN_A_LINE = ("time.jsonl", "time.json"), ("line.jsonl", "line.csv")
CUT_LINES = 3
MOST_CALLS = 40


def call(arguments: list[str], cut_line: int | None) -> None:
    """One call of the command line, which dies in the middle of its n-th line if that is asked for."""
    if cut_line is not None:
        Record._append = dying_in_a_line(cut_line)
    main(arguments)


def dying_in_a_line(n: int) -> Any:
    """`Record._append`, whose n-th call writes half of a line and ends the process."""
    left = n

    def append(record: Record, file: Any, line: str) -> None:
        nonlocal left
        left -= 1
        file.write(line.encode()[: None if left else len(line) // 2])
        file.flush()
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    return append


def until_it_ends(arguments: list[str], chance: random.Random, in_a_line: bool) -> int:
    """How often a job was killed before it ended well."""
    for kills in range(MOST_CALLS):
        cut_line = chance.randint(2, 12) if in_a_line and kills < CUT_LINES else None
        process = get_context("fork").Process(target=call, args=(arguments, cut_line))
        process.start()
        if not in_a_line:
            time.sleep(chance.uniform(0.1, 0.6) * (1 + kills))
            process.kill()
        process.join()
        if process.exitcode == 0:
            return kills
        assert process.exitcode == -signal.SIGKILL, process.exitcode
    raise AssertionError("it never ended")


def run_all(run: str, features: str, out: Path) -> None:
    """Every job in turn."""
    chance, kills = random.Random(11), {}
    for name in (*AT_ANY_TIME, *IN_A_LINE):
        arguments = ["detect", run, features, "--out", str(out / name), "--resume"]
        kills[name] = until_it_ends(arguments, chance, name in IN_A_LINE)
    print(json.dumps(kills))


if __name__ == "__main__":
    torch.set_num_threads(1)
    run_all(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
