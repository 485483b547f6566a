"""A process that does for the server what may go wrong: it reads files of strangers, or follows a live source.

    python -m actionformer.serving.worker

It is told its settings and then its tasks, a line of JSON each, on standard input, and answers in such lines: how far
it has come, lines of a live source, and at last `done` or `failed`. Nothing is unpickled on either side. The server
kills it where it takes too long; it cannot take more memory than it is given, and ends with the server.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from queue import SimpleQueue
from typing import Any

from actionformer.core.errors import InputError
from actionformer.core.memory import limit_memory
from actionformer.serving.limits import ADVICE, MIB, RefusedError
from actionformer.serving.reading import Reader, Settings
from actionformer.serving.wording import for_client

Answer = Callable[..., None]
"""Tells the server something, by name."""
SPACING = 0.01
"""The least that is told of progress."""
_SIGNS = ("Cannot allocate memory", "can't allocate memory", "Unable to allocate", "MemoryError")
"""What messages about memory hold where a library does not raise MemoryError."""


def main() -> None:
    """Works until standard input ends, and no longer, whatever it does then."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's, which ends this process
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints is no answer

    def answer(**content: Any) -> None:
        answers.write(json.dumps(content) + "\n")
        answers.flush()

    tasks = _as_they_come()
    with suppress(BrokenPipeError):
        work(next(tasks), tasks, answer)


def _as_they_come() -> Iterator[Any]:
    """Lines of standard input, which a thread of its own waits for: a server that was killed can kill nobody."""
    lines = SimpleQueue[str]()

    def listen() -> None:
        for line in sys.stdin:
            lines.put(line)
        os._exit(0)

    threading.Thread(target=listen, daemon=True).start()
    while True:
        yield json.loads(lines.get())


def work(settings: Mapping[str, Any], tasks: Iterator[Mapping[str, Any]], answer: Answer) -> None:
    """Does one task after the other.

    Args:
        settings: `reader`, those of a `Reader`; `memory`, MiB for one task; `threads` of arithmetic.
        tasks: each with a `kind`.
        answer: tells the server.
    """
    os.environ["OMP_NUM_THREADS"] = str(settings["threads"])  # torch comes later, if at all
    reader = Reader(Settings(**settings["reader"]))
    for task in tasks:
        try:
            if task["kind"] == "prepare":
                reader.prepare()
                done: dict[str, Any] = {}
            elif task["kind"] == "read":
                limit_memory(int(settings["memory"] * MIB))
                done = _read(reader, task, answer)
            else:
                done = _follow(task, answer, settings["memory"])
        except Exception as error:  # every codec and library has its own ways of failing on a broken file
            refused = _refusal(error, task["kind"])
            answer(failed=refused.words, status=refused.status)
        else:
            answer(done=done)


def _refusal(error: Exception, kind: str) -> RefusedError:
    """What an error means to whoever is told of a kind of task."""
    if isinstance(error, RefusedError):
        return error
    if is_of_memory(error):
        return RefusedError(413, f"it takes more memory than the server gives one request: {ADVICE[kind].smaller}")
    if isinstance(error, InputError):
        return RefusedError(422, str(error) if kind == "prepare" else for_client(str(error)))
    what = "the backbone cannot be loaded" if kind == "prepare" else "it cannot be read"
    return RefusedError(422, f"{what} ({type(error).__name__}): {ADVICE[kind].other}")


def _read(reader: Reader, task: Mapping[str, Any], answer: Answer) -> dict[str, Any]:
    told = 0.0

    def tell(progress: float) -> None:
        nonlocal told
        if progress >= told + SPACING:
            told = progress
            answer(progress=progress)

    return reader.read(task, tell)


def _follow(task: Mapping[str, Any], answer: Answer, memory: float) -> dict[str, Any]:
    """The actions of a live source, a line each; memory is limited once the model and its backbone are loaded."""
    from actionformer.inference.overlap import FreeTime
    from actionformer.recipes.follow import action_lines
    from actionformer.recipes.live import watch
    from actionformer.recipes.wanted import Wanted

    with warnings.catch_warnings():
        warnings.simplefilter("default")
        warnings.showwarning = lambda message, *_, **__: answer(warning=for_client(str(message)))
        watching = watch(task["run"], task["source"], **task["watch"])
        limit_memory(int(memory * MIB))
        wanted = Wanted(
            watching.stream.class_names,
            task["classes"],
            min_score=task["watch"]["min_score"],
            calibration=None if task["watch"]["raw_scores"] else watching.calibration,
        )
        answer(begun={"delay_seconds": watching.delay_seconds})
        for line in action_lines(watching, "json", wanted, FreeTime(task["overlap"]), task["provisional"]):
            answer(line=json.loads(line))
    return {}


def is_of_memory(error: BaseException | None) -> bool:
    """Whether an error, or what led to it, says that there was no more memory."""
    while error is not None:
        if isinstance(error, MemoryError) or any(sign in str(error) for sign in _SIGNS):
            return True
        error = error.__cause__ or error.__context__
    return False


if __name__ == "__main__":
    main()
