"""The way of a request: taken in, read by a worker, looked at by the network, answered; and how all of it ends."""

from __future__ import annotations

import asyncio
import json
import math
import shutil
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import Headers
from starlette.types import Receive

from actionformer.core.errors import InputError
from actionformer.core.names import without_prefix
from actionformer.extraction.inputs import holds_features, of_recording
from actionformer.formats.activitynet.results import results_text
from actionformer.formats.rows import VideoRows
from actionformer.recipes.search import looked_at
from actionformer.recipes.wanted import Wanted
from actionformer.serving.allowed import NOT_ALLOWED, Allowed
from actionformer.serving.limits import BROKEN, NO_RECORDINGS, RefusedError
from actionformer.serving.metrics import Metrics
from actionformer.serving.network import Answer, Network
from actionformer.serving.setup import Setup
from actionformer.serving.uploads import kind_of, save_body
from actionformer.serving.wording import for_client
from actionformer.serving.work import ENDED, Followed, Jobs, Question, Wish, Work
from actionformer.serving.workers import Worker, Workers

AGAIN = 5
"""Seconds after which to ask a server that ends, which another one will have replaced."""
LONGEST_WAIT = 60
"""Seconds after which to ask again, at most."""
UPLOADS = 4
"""Uploads at a time for each request that is held."""
READ = 0.95
"""Share of the work on a recording that is done when it is read."""
PREPARING = 300.0
"""Seconds for loading backbones."""


class Address(BaseModel):
    """Where a recording, or a file of features, is."""

    model_config = ConfigDict(extra="forbid")
    url: str = Field(
        min_length=1,
        max_length=4000,
        description="It begins as one of those that the server takes.",
        examples=["https://"],
    )


class Service:
    """Answers requests with what a detector finds.

    Attributes:
        ending: whether it takes nothing new.
        hurried: whether it ends without the time of grace.
        ended: set when live sources are to end.
        unprepared: why it takes no recordings, if it does not, in words for its operator.
    """

    def __init__(self, setup: Setup) -> None:
        self.setup, self.limits, self.detector = setup, setup.limits, setup.detector
        self.metrics, self.jobs = Metrics(), Jobs(setup.limits)
        self.allowed = Allowed(setup.reader.allow)
        self._workers = Workers(setup.workers, setup.told, self._killed)
        self._network = Network(setup.detector, setup.batch_size, self.metrics.batches.observe)
        self._uploading: set[Work] = set()
        self._held: set[Work] = set()
        self._running: set[asyncio.Task[None]] = set()
        self._following = 0
        self._preparing: asyncio.Task[None] | None = None
        self._pace, self._last = 0.1, 0.0  # seconds from one answer to the next while there is work; when the last was
        self.ending, self.hurried = False, False
        self.unprepared: str | None = None
        self.ended = asyncio.Event()
        for state in ("waiting", "reading", "detecting"):
            self.metrics.watch(f"requests_{state}", f"Requests that are {state}.", partial(self._count, state))
        self.metrics.watch("jobs_kept", "Jobs that are remembered.", lambda: len(self.jobs))
        self.metrics.watch("live_sources", "Live sources that are followed.", lambda: self._following)

    @property
    def works(self) -> bool:
        """Whether it can answer."""
        return self._network.works

    async def start(self) -> None:
        """Starts the network and the workers, and lets these load what recordings need."""
        self._network.start()
        if any(one.backbone is None for one in self.detector.card.features.parts) and not self.setup.reader.backbone:
            self.unprepared = "the model does not say which backbone made its features: start again with --backbone"
            return
        if self.ending:
            return
        self._preparing = asyncio.create_task(self._workers.prepare(PREPARING))
        try:
            await self._preparing
        except RefusedError as error:
            self.unprepared = error.words
        except asyncio.CancelledError:
            if not self.ending:
                raise

    async def stop(self) -> None:
        """Ends at once what still runs."""
        await self._workers.stop()
        await asyncio.to_thread(self._network.stop)

    async def drain(self) -> None:
        """Takes nothing new, hands back what waits, and finishes what runs, in the time of grace.

        Results of jobs that nobody has asked for can be had for as long.
        """
        self.ending = True
        self.ended.set()
        if self._preparing is not None:
            self._preparing.cancel()
        refused = _ending()
        for work in [*self._uploading, *self._held]:
            if work.state in ("uploading", "waiting"):
                work.hand_back(refused)
        until = time.monotonic() + self.limits.grace
        while (self._held or self.jobs.unfetched()) and time.monotonic() < until and not self.hurried:
            await asyncio.sleep(0.02)
        for work in list(self._held):
            work.hand_back(refused)
        while self._held:
            await asyncio.sleep(0.02)

    def check_open(self) -> None:
        """Checks that a request can be taken.

        Raises:
            RefusedError: the server ends, or holds as many as it takes.
        """
        if self.ending:
            raise _ending()
        if len(self._held) >= self.limits.queue or len(self._uploading) >= UPLOADS * self.limits.queue:
            seconds = min(max(math.ceil(len(self._held) * self._pace), 1), LONGEST_WAIT)
            raise RefusedError(
                429, f"the server holds as many requests as it takes: send it again in {seconds} s", seconds
            )

    async def take(self, receive: Receive, headers: Headers, question: Question) -> Work:
        """A request with its body, which is held from now on: `answer` it.

        Raises:
            RefusedError: it is not taken.
            InputError: it asks for something that the model does not know.
        """
        self.check_open()
        work = Work(question, self._wanted(question), Path(tempfile.mkdtemp(dir=self.setup.folder)))
        self._uploading.add(work)
        try:
            await work.during(save_body(receive, headers, work.folder / "sent", self.limits))
            if kind_of(headers) == "application/json":
                work.address = self._address((work.folder / "sent").read_bytes())
            self.check_open()  # others may have been faster
        except BaseException:
            self._forget(work)
            raise
        finally:
            self._uploading.discard(work)
        self._held.add(work)
        work.state = "waiting"
        return work

    def _wanted(self, wish: Wish) -> Wanted:
        return Wanted(
            self.detector.class_names,
            wish.classes,
            min_score=wish.min_score,
            calibration=None if wish.raw_scores else self.detector.card.calibration,
            overlap=wish.overlap,
        )

    def _address(self, body: bytes) -> str:
        try:
            address = Address.model_validate_json(body).url
        except ValidationError as error:
            said = error.errors()[0]["msg"]
            raise RefusedError(422, f'expected {{"url": "https://..."}} ({said:.100}): correct the body') from error
        if not self.allowed.fetches(address):
            raise RefusedError(403, NOT_ALLOWED)
        return address

    async def answer(self, work: Work) -> str:
        """The detections in a request's recording, as the JSON that `detect` writes.

        Raises:
            RefusedError: there is no answer.
        """
        begun = time.monotonic()
        try:
            async with asyncio.timeout(self.limits.max_time):
                work.answer = await work.during(self._looked_at(work))
            work.progress = 1.0
            work.end("done")
            return work.answer
        except TimeoutError:
            work.refused = self._too_slow(work)
            raise work.refused from None
        except InputError as error:
            work.refused = RefusedError(422, for_client(str(error)))
            raise work.refused from error
        except RefusedError as error:
            work.refused = error
            raise
        finally:
            if work.state not in ENDED:
                work.end("failed")
            self._held.discard(work)
            self._forget(work)
            self._note_pace(begun)

    def start_job(self, work: Work) -> None:
        """Lets the answer to a request be asked for later.

        Raises:
            RefusedError: too many are.
        """
        try:
            self.jobs.add(work)
        except RefusedError:
            self._held.discard(work)
            self._forget(work)
            raise
        task = asyncio.create_task(self._job(work))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _job(self, work: Work) -> None:
        try:
            await self.answer(work)
        except RefusedError:
            return  # it says so itself
        except Exception:
            work.refused = RefusedError(500, BROKEN)
            raise

    async def follow(self, followed: Followed) -> AsyncGenerator[dict[str, Any]]:
        """What a worker tells of a live source; it is killed once this is closed.

        Raises:
            RefusedError: it is not followed.
            InputError: the model does not know what is asked for.
        """
        self._check_followed(followed)
        asked = followed.model_dump(include={"min_score", "raw_scores", "max_action_seconds", "stop_after"})
        task = {
            "kind": "follow",
            "run": self.setup.run,
            "source": followed.source,
            "classes": followed.classes,
            "overlap": followed.overlap,
            "provisional": followed.provisional,
            "watch": {**self.setup.watch, **asked},
        }
        worker = Worker(self.setup.told, self._killed)
        self._following += 1
        try:
            async with aclosing(worker.answers(task, None)) as answers:
                async for answer in answers:
                    yield answer
        finally:
            try:
                await worker.stop()
            finally:
                self._following -= 1

    def _check_followed(self, followed: Followed) -> None:
        """Checks that a live source can be followed; errors as of `follow`."""
        if self.ending:
            raise _ending()
        if not self.allowed.follows(followed.source):
            raise RefusedError(403, NOT_ALLOWED)
        if self.unprepared is not None and not holds_features(Path(followed.source)):
            raise RefusedError(422, NO_RECORDINGS)
        if self._following >= self.limits.live:
            raise RefusedError(429, "the server follows as many live sources as it takes: ask again later", 10)
        self._wanted(followed)

    async def _looked_at(self, work: Work) -> str:
        """Reads a recording, has the network look at it, and writes down what is wanted of what is found."""
        question, begun = work.question, time.monotonic()
        given = question.model_dump(include={"fps", "stride", "num_frames", "duration"}, exclude_none=True)
        name = question.name
        if work.address is not None and "name" not in question.model_fields_set:
            name = PurePosixPath(urlsplit(work.address).path).name or name
        task = {
            "kind": "read",
            "name": name,
            "out": str(work.folder),
            "sent": str(work.folder / "sent"),
            "address": work.address,
            "holds": question.holds,
            "recordings": self.unprepared is None,
            "timing": {key: value for key, value in given.items() if key != "duration"},
        }

        def tell(progress: float) -> None:
            work.progress = READ * progress

        def start() -> None:
            work.state = "reading"

        read = await self._workers.ask(task, self.limits.max_time, tell, start)
        work.state, work.progress = "detecting", READ
        self.metrics.steps.labels("reading").observe(time.monotonic() - begun)
        begun = time.monotonic()
        if read["made"]:  # what lies beside the features says the rest
            given = {key: value for key, value in given.items() if key == "duration"}
        answer = await self._network.detect(read["files"], given, name)
        self.metrics.steps.labels("network").observe(time.monotonic() - begun)
        return self._written(work.wanted, name, answer, read["warnings"])

    def _written(self, wanted: Wanted, name: str, answer: Answer, warnings: list[str]) -> str:
        medium = looked_at(self.detector, self.setup.reader.backbone)
        recording = of_recording(PurePosixPath(name).stem or name, [medium])
        video = without_prefix(recording, self.detector.config.data.prefix)
        text = "".join(results_text([VideoRows(video, wanted(answer.found).to_dict())]))
        told = [for_client(one) for one in (*warnings, *answer.warnings, answer.cut) if one]
        return json.dumps({**json.loads(text), "warnings": told}) if told else text

    def _too_slow(self, work: Work) -> RefusedError:
        took = f"it took longer than {self.limits.max_time:g} s"
        if work.state == "waiting":
            return RefusedError(503, f"{took} until its turn came: send it again later", AGAIN)
        return RefusedError(413, f"{took}: send a shorter recording, or in parts")

    def _note_pace(self, begun: float) -> None:
        """How fast answers come: what is held, at this pace, says when to ask again."""
        now = time.monotonic()
        self._pace += 0.1 * (now - max(self._last, begun) - self._pace)
        self._last = now

    def _count(self, state: str) -> int:
        return sum(work.state == state for work in self._held)

    def _killed(self, why: str) -> None:
        self.metrics.killed.labels(why).inc()

    def _forget(self, work: Work) -> None:
        """Removes its files, out of the way of others."""
        asyncio.get_running_loop().run_in_executor(None, lambda: shutil.rmtree(work.folder, ignore_errors=True))


def _ending() -> RefusedError:
    return RefusedError(503, "the server is ending: send it again in a moment", AGAIN)
