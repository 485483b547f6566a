"""A process of its own that reads recordings: a file on which it dies ends nothing but that process."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, TypeAlias

import torch

from actionformer.backbones import Preprocessing
from actionformer.core.memory import limit_memory
from actionformer.extraction.decoding import Decoded, FrameBatch, begin_worker, decoded
from actionformer.extraction.events import Begun, Failed, Finished
from actionformer.medium import Medium, Row
from actionformer.video.clips import ClipLayout

SILENCE = 600.0
"""Seconds without a word after which the reading of a file is given up."""
Message: TypeAlias = Begun | Finished | Failed | tuple[Path, Row]
"""What is told of a recording, in plain arrays that pickle."""


class Decoder:
    """Reads recordings in a process, which is started when it is needed, and again after it has died.

    Args:
        medium: what files hold.
        preprocessing: frames -> what the backbone looks at.
        layout: where clips lie.
        silence: seconds without a word after which a file is given up.
    """

    def __init__(
        self, medium: Medium, preprocessing: Preprocessing, layout: ClipLayout, silence: float = SILENCE
    ) -> None:
        self._reading, self._silence = (medium, preprocessing, layout), silence
        self._process: BaseProcess | None = None
        self._pipe: Connection[Any, Any] | None = None

    def read(self, path: Path) -> Iterator[Message]:
        """What `decoded` tells of a file; `Failed` also where the process died over it, or fell silent.

        Who stops before the last message ends the process with it.
        """
        last = False
        try:
            pipe = self._started()
            with suppress(OSError):  # of a process that has died meanwhile, which the next line finds
                pipe.send(path)
            while not last:
                message = self._received(pipe, path)
                last = isinstance(message, Finished | Failed)
                yield message
        finally:
            if not last:
                self.close()

    def close(self) -> None:
        """Ends the process."""
        if self._process is not None and self._pipe is not None:
            self._process.kill()
            self._process.join()
            self._pipe.close()
        self._process = self._pipe = None

    def _started(self) -> Connection[Any, Any]:
        if self._process is not None and self._process.is_alive() and self._pipe is not None:
            return self._pipe
        self.close()
        context = _context()
        own, other = context.Pipe()
        with other:
            process = context.Process(target=_serve, args=(other, *self._reading), daemon=True)
            process.start()
        self._process, self._pipe = process, own
        return self._pipe

    def _received(self, pipe: Connection[Any, Any], path: Path) -> Message:
        try:
            if pipe.poll(self._silence):
                message: Message = pipe.recv()
                return message
            self.close()
            return Failed(path, f"reading it was given up: nothing came of it for {self._silence:g} s")
        except (EOFError, OSError):  # the second in the middle of a message
            assert self._process is not None
            self._process.join(self._silence)
            code = self._process.exitcode or 0
            self.close()
            how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            return Failed(path, f"the process that read it died ({how}), perhaps because memory ran out")


def frames_of(messages: Iterable[Message]) -> Iterator[Decoded]:
    """The same with batches of frames as tensors."""
    for one in messages:
        yield FrameBatch(one[0], torch.from_numpy(one[1])) if isinstance(one, tuple) else one


def _context() -> Any:
    """How processes are started: forked off a small one that has imported all they need, where the system can."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["__main__", __name__])
    return context


def _serve(pipe: Connection[Any, Any], medium: Medium, preprocessing: Preprocessing, layout: ClipLayout) -> None:
    """Reads the files that the pipe names, until it ends."""
    begin_worker(0)
    torch.set_num_threads(1)
    limit_memory()  # so that a file that claims more is an error and no harm to others
    with suppress(EOFError, ConnectionError):
        while True:
            for item in decoded([pipe.recv()], medium, preprocessing, layout, 0):
                pipe.send((item.video, item.frames.numpy()) if isinstance(item, FrameBatch) else item)
