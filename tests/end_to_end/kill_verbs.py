"""Calls of the command line that are killed at random moments, and made again: `python kill_verbs.py PLAN`.

A plan is JSON: `{"verbs": {name: [arguments ...]}, "times": n, "folder": where}`; OUT among the arguments stands for a
new path, and RESUME for `--resume` where a call before was killed, else for nothing. Each verb runs once to its end,
and n times with a kill at a moment drawn from the time which that took. Every call is a forked process, so that torch
is imported once. Prints for each verb the moments, as shares, and whether the call was still running then.
"""

import json
import random
import shutil
import signal
import sys
import time
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
import torch._dynamo  # the optimiser and the metrics log would import these in every process
import torch.utils.tensorboard

from actionformer.cli import main
from actionformer.recipes import compare, costs, train  # before the forks, and not in each  # noqa: F401

OUT, RESUME = "OUT", "RESUME"


def call(arguments: list[str], out: Path, again: bool) -> None:
    costs._peak_mib = lambda *_: 1.0  # would import torch in a process of its own
    words = [str(out) if word == OUT else word for word in arguments if word != RESUME]
    main([*words, *(["--resume"] if again and RESUME in arguments else [])])


def started(*arguments: Any) -> Any:
    process = get_context("fork").Process(target=call, args=arguments)
    process.start()
    return process


def to_its_end(arguments: list[str], out: Path, again: bool) -> float:
    """Seconds of a call that must end well."""
    begun = time.perf_counter()
    process = started(arguments, out, again)
    process.join()
    assert process.exitcode == 0, f"{arguments[0]}: exit code {process.exitcode}"
    return time.perf_counter() - begun


def killed(arguments: list[str], out: Path, seconds: float) -> bool:
    """Whether a call still ran after so many seconds, and was killed."""
    process = started(arguments, out, False)
    process.join(seconds)
    process.kill()
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL), process.exitcode
    return bool(process.exitcode)


def run_all(verbs: dict[str, list[str]], times: int, folder: Path) -> None:
    """Every verb in turn."""
    chance = random.Random(17)
    told: dict[str, list[tuple[float, bool]]] = {}
    for name, arguments in verbs.items():
        seconds = to_its_end(arguments, folder / f"{name}_whole", again=False)
        told[name] = []
        for number in range(times):
            out, share = folder / f"{name}_{number}", (number + chance.random()) / times
            was_killed = killed(arguments, out, share * seconds)
            told[name].append((round(share, 3), was_killed))
            if not was_killed:  # it was faster this time
                shutil.rmtree(out) if out.is_dir() else out.unlink()
            to_its_end(arguments, out, again=was_killed)
    print(json.dumps(told))


if __name__ == "__main__":
    torch.set_num_threads(1)
    plan = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    run_all(plan["verbs"], plan["times"], Path(plan["folder"]))
