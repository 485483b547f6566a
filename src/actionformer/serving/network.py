"""The thread that runs the network: on the features that wait, several together where they go together."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actionformer.core.detections import Detections
from actionformer.core.errors import InputError, noted
from actionformer.features import FeatureReader
from actionformer.inference.detector import Detector
from actionformer.inference.sequences import FeatureSequence


@dataclass(frozen=True)
class Answer:
    """What the network finds in one recording."""

    found: Detections
    cut: str | None
    """What a cap cut of it, in words."""
    warnings: tuple[str, ...] = ()
    """What else may be wrong with it."""


@dataclass
class Asked:
    """Features that wait for the network, or are in it."""

    files: Sequence[str]
    timing: Mapping[str, Any]
    name: str
    warnings: list[str] = field(default_factory=list)
    """What is said of them on the way."""
    future: Future[Answer] = field(default_factory=Future)
    stopped: bool = False
    """Whether nobody waits for them any more."""

    def named(self, words: str) -> str:
        """A message about their files, which their sender has never seen, under their name."""
        return reduce(lambda text, file: text.replace(file, self.name), [", ".join(self.files), *self.files], words)


class StoppedError(Exception):
    """Features that nobody waits for any more."""


@dataclass(frozen=True)
class Stoppable:
    """Features whose reading ends once nobody waits for what is found: long ones are read chunk by chunk."""

    features: FeatureReader
    asked: Asked

    @property
    def shape(self) -> tuple[int, int]:
        """T and D."""
        return self.features.shape

    def __getitem__(self, rows: slice) -> NDArray[np.float32]:
        if self.asked.stopped:
            raise StoppedError
        return self.features[rows]


class Network:
    """A detector in a thread of its own.

    Args:
        detector: what looks.
        batch_size: most sequences computed together.
        taken: told how many were.
    """

    def __init__(self, detector: Detector, batch_size: int, taken: Callable[[int], None]) -> None:
        self.detector, self._batch_size, self._taken = detector, batch_size, taken
        self._waiting: deque[Asked] = deque()
        self._placed: list[tuple[Asked, FeatureSequence]] = []
        self._more = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="network", daemon=True)

    @property
    def works(self) -> bool:
        """Whether it answers."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begins to work."""
        self._thread.start()

    def stop(self) -> None:
        """Ends once what is being computed is done."""
        with self._more:
            self._ended = True
            self._more.notify()
        self._thread.join()

    async def detect(self, files: Sequence[str], timing: Mapping[str, Any], name: str) -> Answer:
        """The actions in features, as `Detector.detect` finds them.

        Args:
            files: one, or one for each source.
            timing: fps, stride, num_frames, start and duration, those that are known.
            name: what messages call them.

        Raises:
            InputError: as of `Detector.detect`.
        """
        asked = Asked(files, timing, name)
        with self._more:
            self._waiting.append(asked)
            self._more.notify()
        try:
            return await asyncio.wrap_future(asked.future)
        except asyncio.CancelledError:
            asked.stopped = True
            raise

    def _run(self) -> None:
        while True:
            with self._more:
                self._more.wait_for(lambda: self._waiting or self._placed or self._ended)
                if self._ended:
                    return
                coming = list(self._waiting)
                self._waiting.clear()
            for asked in coming:
                self._place(asked)
            self._placed = [one for one in self._placed if not one[0].stopped]
            if self._placed:
                self._look()

    def _place(self, asked: Asked) -> None:
        if not asked.future.set_running_or_notify_cancel():
            return
        try:
            timing = {name: asked.timing.get(name) for name in ("fps", "stride", "num_frames", "start", "duration")}
            with noted(asked.warnings):
                sequence = self.detector.placed(list(asked.files), timing)
            seen = replace(sequence, features=Stoppable(sequence.features, asked), name=asked.name)
            self._placed.append((asked, seen))
        except InputError as error:
            asked.future.set_exception(InputError(asked.named(str(error))))
        except Exception as error:
            asked.future.set_exception(error)

    def _look(self) -> None:
        """Looks at the first that waits, and at those that go together with it."""
        try:
            rows = self.detector.together([sequence for _, sequence in self._placed], self._batch_size)
        except Exception:  # one of them is at fault: they are looked at one by one, which says which
            rows = [0]
        batch = [self._placed[row] for row in rows]
        self._placed = [one for row, one in enumerate(self._placed) if row not in rows]
        self._taken(len(batch))
        try:
            self._answer(batch)
        except Exception as error:
            if len(batch) == 1:
                batch[0][0].future.set_exception(error)
                return
            for one in batch:  # one of them is at fault, and the others are not
                try:
                    self._answer([one])
                except Exception as own:
                    one[0].future.set_exception(own)

    def _answer(self, batch: Sequence[tuple[Asked, FeatureSequence]]) -> None:
        said: list[str] = []  # of all of them: the network names none
        with noted(said):
            found = self.detector.detect_placed([sequence for _, sequence in batch], batch_size=self._batch_size)
        for (asked, _), (detections, cut) in zip(batch, found, strict=True):
            told = dict.fromkeys(asked.named(one) for one in [*asked.warnings, *said])
            asked.future.set_result(Answer(detections, cut, tuple(told)))
