"""Runs trainings that kill themselves, and resumes them: `python kill_and_resume.py PLAN OUT`.

Every training is a forked process, so that torch is imported once. A plan is JSON: what to train on, and a list of
cases `{"name", "settings", "kills": [{"epoch" or "write" or "replace": n}, ...]}`: one training after the other is
killed, then one runs to the end. Prints for each case the signals that ended its processes.
"""

import json
import os
import signal
import sys
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
import torch._dynamo  # the optimiser and the metrics log would import these in every process
import torch.utils.tensorboard

from actionformer.recipes.train import train
from actionformer.settings.loading import load_config
from actionformer.training import metrics_log


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def dying_after(function: Any, n: int) -> Any:
    """The function, whose n-th call (from 1) ends the process when it is done."""
    calls = 0

    def wrapped(*args: Any) -> Any:
        nonlocal calls
        calls += 1
        result = function(*args)
        if calls == n:
            die()
        return result

    return wrapped


def dying_in_the_middle(write: Any, n: int) -> Any:
    """`Path.write_bytes`, whose n-th call (from 1) ends the process when half is written."""
    calls = 0

    def wrapped(path: Path, data: bytes) -> Any:
        nonlocal calls
        calls += 1
        if calls < n:
            return write(path, data)
        write(path, data[: len(data) // 2])
        return die()

    return wrapped


def once(plan: dict[str, Any], out: Path, settings: dict[str, Any], kill: dict[str, int], resume: bool) -> None:
    """One training, killed after the n-th epoch, in the middle of the n-th file, or after the n-th replacement."""
    for moment, n in kill.items():
        if moment == "epoch":
            metrics_log.MetricsLog.epoch = dying_after(metrics_log.MetricsLog.epoch, n)
        elif moment == "write":
            Path.write_bytes = dying_in_the_middle(Path.write_bytes, n)
        elif moment == "replace":
            os.replace = dying_after(os.replace, n)
    train(load_config(plan["config"], settings), plan["annotations"], plan["features"], out, resume=resume)


def main(plan: dict[str, Any], out: Path) -> None:
    """Every case in turn."""
    ends: dict[str, list[int | None]] = {}
    for case in plan["cases"]:
        folder = out / case["name"]
        ends[case["name"]] = []
        for i, kill in enumerate([*case["kills"], {}]):
            process = get_context("fork").Process(target=once, args=(plan, folder, case["settings"], kill, i > 0))
            process.start()
            process.join()
            ends[case["name"]].append(process.exitcode)
    print(json.dumps(ends))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(json.loads(Path(sys.argv[1]).read_text("utf-8")), Path(sys.argv[2]))
