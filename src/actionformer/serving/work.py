"""A request on its way: what is asked, how far it has come, and the jobs among them, which are asked for later."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import OrderedDict
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from actionformer.core.segments import LARGEST, LEAST
from actionformer.recipes.wanted import Wanted
from actionformer.serving.limits import Limits, RefusedError

Result = TypeVar("Result")
State = Literal["uploading", "waiting", "reading", "detecting", "done", "failed"]
ENDED = ("done", "failed")
CANCELLED = "the job was cancelled: send it again if it is wanted"


class Wish(BaseModel):
    """Which of the detections are wanted."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    min_score: float | None = Field(None, ge=0, le=1, description="Leave out detections with a lower score.")
    raw_scores: bool = Field(False, description="Take no notice of the model's calibration.")
    classes: list[str] = Field([], max_length=1000, description="Only these classes.")
    overlap: Literal["keep", "class", "none"] = Field(
        "keep", description="Whether several actions, or several of one class, may go on at a time."
    )


class Question(Wish):
    """What is said of a recording beside the file itself."""

    name: str = Field(
        "video", min_length=1, max_length=255, description="What it is called; its ending tells the kind of file."
    )
    holds: Literal["features", "recording"] | None = Field(
        None, description="What the file holds, where its ending does not tell."
    )
    fps: float | None = Field(None, ge=LEAST, le=LARGEST, description="Frames per second; by default the model's.")
    stride: float | None = Field(None, ge=LEAST, le=LARGEST, description="Frames between neighbouring features.")
    num_frames: float | None = Field(None, ge=LEAST, le=LARGEST, description="Frames that a feature covers.")
    duration: float | None = Field(None, ge=LEAST, le=LARGEST, description="Length of the recording in seconds.")


class Followed(Wish):
    """A live source."""

    source: str = Field(min_length=1, max_length=4000, description="It begins as one of those that the server takes.")
    provisional: bool = Field(False, description="Tell also of actions that are not final yet.")
    max_action_seconds: float | None = Field(
        None, ge=LEAST, le=LARGEST, description="The longest that an action may last, which bounds the delay."
    )
    stop_after: float | None = Field(None, ge=LEAST, le=LARGEST, description="Seconds of video after which to end.")


@dataclass(eq=False)
class Work:
    """One request, from its arrival to its answer."""

    question: Question
    wanted: Wanted
    """Takes those of the detections that are asked for."""
    folder: Path
    """Holds its files."""
    address: str | None = None
    """Where the recording is, if it was not sent."""
    id: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    state: State = "uploading"
    progress: float = 0.0
    """Share of the work that is done."""
    answer: str | None = None
    """JSON, once it is done."""
    refused: RefusedError | None = None
    """Why there is no answer."""
    ended: float | None = None
    """When, on the clock that only goes forward."""
    fetched: bool = False
    """Whether somebody has asked for the result."""
    _task: asyncio.Task[Any] | None = None

    async def during(self, step: Coroutine[Any, Any, Result]) -> Result:
        """What a step of it gives, unless it is handed back meanwhile.

        Raises:
            RefusedError: it was.
        """
        if self.refused is not None:
            step.close()
            raise self.refused
        self._task = task = asyncio.create_task(step)
        try:
            return await task
        except asyncio.CancelledError:
            task.cancel()
            await asyncio.wait({task})  # nothing reads its files any more
            if self.refused is not None:
                raise self.refused from None
            raise

    def hand_back(self, refused: RefusedError) -> None:
        """Ends it with this answer, unless it has ended."""
        if self.state in ENDED:
            return
        self.refused = refused
        self.end("failed")  # its task may take a moment to end
        if self._task is not None:
            self._task.cancel()

    def end(self, state: State) -> None:
        """Says how it has ended."""
        self.state, self.ended = state, time.monotonic()


class Jobs:
    """The jobs that are remembered: those that have ended for so many seconds, and so many in all."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._jobs: OrderedDict[str, Work] = OrderedDict()

    def __len__(self) -> int:
        self._forget()
        return len(self._jobs)

    def add(self, work: Work) -> None:
        """Remembers one; the oldest that has ended gives way.

        Raises:
            RefusedError: there are too many, and none has ended.
        """
        self._forget()
        if len(self._jobs) >= self._limits.jobs:
            old = next((one for one in self._jobs.values() if one.state in ENDED), None)
            if old is None:
                raise RefusedError(429, "the server holds as many jobs as it takes: ask again later", 10)
            del self._jobs[old.id]
        self._jobs[work.id] = work

    def of(self, name: str) -> Work:
        """The job of an id.

        Raises:
            RefusedError: there is none.
        """
        self._forget()
        if name not in self._jobs:
            raise RefusedError(404, "there is no such job, or its result is no longer kept: send it again")
        return self._jobs[name]

    def drop(self, name: str) -> None:
        """Ends a job where it is, and forgets it."""
        work = self.of(name)
        work.hand_back(RefusedError(410, CANCELLED))
        del self._jobs[name]

    def unfetched(self) -> bool:
        """Whether a result is there that nobody has asked for."""
        return any(one.state == "done" and not one.fetched for one in self._jobs.values())

    def _forget(self) -> None:
        before = time.monotonic() - self._limits.keep
        for name in [one.id for one in self._jobs.values() if one.ended is not None and one.ended < before]:
            del self._jobs[name]
