"""The addresses of the server of detection."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from typing import Annotated, Any, Literal, TypeVar

from fastapi import FastAPI, Path, Query, Request
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import ASGIApp

from actionformer.serving.guard import OPEN, Guard
from actionformer.serving.limits import BROKEN, NO_RECORDINGS, RefusedError
from actionformer.serving.service import Address, Service
from actionformer.serving.work import Followed, Question, State, Work
from actionformer.web import error_response, speak_of_errors

Result = TypeVar("Result")
HEARTBEAT = 10.0
"""Seconds after which a live source without actions sends a line that says nothing, so that who has left is noticed."""
JobId = Annotated[str, Path(min_length=1, max_length=100)]
TEXT = "text/plain; version=0.0.4; charset=utf-8"


class Failure(BaseModel):
    """Why there is no answer, and what to do."""

    error: str


class Action(BaseModel):
    """One action."""

    label: str
    score: float
    segment: tuple[float, float] = Field(description="Start and end in seconds.")


class Found(BaseModel):
    """Detections as `actionformer detect` writes them: ActivityNet's results JSON."""

    version: str
    results: dict[str, list[Action]]
    external_data: dict[str, Any]
    warnings: list[str] = Field([], description="What may be wrong with them.")


class Job(BaseModel):
    """A request that is answered later."""

    id: str
    state: State
    progress: float = Field(ge=0, le=1)
    result: Found | None = Field(None, description="Once it is done.")
    error: str | None = Field(None, description="Why it has failed.")


class Model(BaseModel):
    """What the server finds, and in what."""

    classes: list[str]
    features: dict[str, Any] = Field(description="The features that the model takes.")
    channels: int = Field(description="Of a feature.")
    recordings: str | None = Field(description="Why it takes no recordings, if it does not.")
    limits: dict[str, float]


class Health(BaseModel):
    """Whether the server works."""

    ok: bool


def application(service: Service, token: str | None = None) -> ASGIApp:
    """The application, guarded.

    Args:
        service: what answers.
        token: what every request has to show; None for an address of this machine.
    """

    @asynccontextmanager
    async def running(_: FastAPI) -> AsyncIterator[None]:
        await service.start()
        try:
            yield
        finally:
            await service.stop()

    app = FastAPI(
        title="actionformer",
        description="Finds every action in a recording: when it starts, when it ends, what it is.",
        version="1",
        docs_url=None,  # its page would load scripts from elsewhere
        redoc_url=None,
        lifespan=running,
        responses=_failures(400, 401, 403, 421, 500),
    )
    speak_of_errors(app, lambda _: 422, BROKEN)
    app.add_exception_handler(RefusedError, _refused)
    app.add_exception_handler(404, lambda *_: error_response(404, "there is no such address: see /openapi.json"))
    app.add_exception_handler(405, _not_so)
    app.add_exception_handler(ClientDisconnect, lambda *_: Response(status_code=499))  # nobody reads it
    _serve_states(app, service)
    _serve_detection(app, service)
    _serve_jobs(app, service)
    _serve_live(app, service)
    if token is not None:
        _describe_token(app)
    return Guard(app, token, service.metrics)


def _failures(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: {"model": Failure} for status in statuses}


def _describe_token(app: FastAPI) -> None:
    """Lets the description say which addresses the guard asks for a token at."""
    description = app.openapi()  # which keeps it
    description["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    for path, methods in description["paths"].items():
        if path not in OPEN:
            for operation in methods.values():
                operation["security"] = [{"token": []}]


TAKEN = _failures(403, 408, 413, 415, 422, 429, 503)
"""How a request with a recording may fail."""
BODY = {
    "requestBody": {
        "required": True,
        "description": "A recording or a file of features as it is, or where it is.",
        "content": {
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
            "application/json": {"schema": Address.model_json_schema()},
        },
    }
}


def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)
    again = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    return error_response(error.status, error.words, again)


def _not_so(request: Request, _: Exception) -> Response:
    """An address has one route for each of its methods, of which the framework would name the first alone."""
    path = request.scope["path"]
    fitting = [one for one in request.app.routes if isinstance(one, APIRoute) and one.path_regex.fullmatch(path)]
    methods = ", ".join(sorted(method for one in fitting for method in one.methods or ()))
    return error_response(405, f"this address takes {methods}: see /openapi.json", {"Allow": methods})


def _serve_states(app: FastAPI, service: Service) -> None:
    """What all of them look at changes in the event loop, so that they run there and in no thread of their own."""

    @app.get("/healthz")
    async def health() -> Health:
        """Whether the server is there."""
        return Health(ok=True)

    @app.get("/readyz", responses=_failures(503))
    async def ready() -> Health:
        """Whether it takes requests."""
        if service.ending:
            raise RefusedError(503, "the server is ending: ask another one", 5)
        if not service.works:
            raise RefusedError(503, "the server has lost its network: start it again", 60)
        return Health(ok=True)

    @app.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    async def metrics() -> Response:
        """Figures for Prometheus."""
        return Response(service.metrics.text(), media_type=TEXT)

    @app.get("/v1/model")
    async def model() -> Model:
        """What is found, and in what."""
        detector = service.detector
        return Model(
            classes=list(detector.class_names),
            features=detector.card.features.to_dict(),
            channels=detector.config.model.input_width,
            recordings=None if service.unprepared is None else NO_RECORDINGS,
            limits=vars(service.limits),
        )


def _serve_detection(app: FastAPI, service: Service) -> None:
    @app.post("/v1/detect", response_model=Found, responses=TAKEN, openapi_extra=BODY)
    async def detect(request: Request, question: Annotated[Question, Query()]) -> Response:
        """The actions of a recording, or of features of one."""
        work = await service.take(request.receive, request.headers, question)
        return Response(await _unless_left(request, service.answer(work)), media_type="application/json")


async def _unless_left(request: Request, answer: Awaitable[Result]) -> Result:
    """An answer, which is no longer worked on once the client has left.

    Raises:
        ClientDisconnect: it has.
    """
    answering = asyncio.ensure_future(answer)
    leaving = asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():
            raise ClientDisconnect
        return answering.result()
    finally:
        leaving.cancel()
        answering.cancel()
        await asyncio.wait({leaving, answering})


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _serve_jobs(app: FastAPI, service: Service) -> None:
    def told(work: Work) -> dict[str, Any]:
        found = {"id": work.id, "state": work.state, "progress": work.progress}
        if work.answer is not None:
            work.fetched = True
            return found | {"result": json.loads(work.answer)}
        return found if work.refused is None else found | {"error": work.refused.words}

    @app.post("/v1/jobs", status_code=202, response_model=Job, responses=TAKEN, openapi_extra=BODY)
    async def begin(request: Request, question: Annotated[Question, Query()]) -> Response:
        """The same as a job, which is asked for later."""
        work = await service.take(request.receive, request.headers, question)
        service.start_job(work)
        return JSONResponse(told(work), 202, {"Location": f"/v1/jobs/{work.id}"})

    @app.get("/v1/jobs/{job}", response_model=Job, responses=_failures(404, 422))
    async def job(job: JobId) -> Response:
        """How far a job has come, and its result."""
        return JSONResponse(told(service.jobs.of(job)))

    @app.delete("/v1/jobs/{job}", status_code=204, response_class=Response, responses=_failures(404, 422))
    async def cancel(job: JobId) -> Response:
        """Ends a job and forgets it."""
        service.jobs.drop(job)
        return Response(status_code=204)


def _serve_live(app: FastAPI, service: Service) -> None:
    @app.get(
        "/v1/live",
        response_class=StreamingResponse,
        responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}, **TAKEN},
    )
    async def live(request: Request, followed: Annotated[Followed, Query()]) -> Response:
        """The actions of a live source as server-sent events, each once it is final."""
        answers = service.follow(followed)
        first = await _unless_left(request, _begun(answers))  # what is wrong is said with its status
        return StreamingResponse(_events(first, answers, service.ended), media_type="text/event-stream")


async def _begun(answers: AsyncGenerator[dict[str, Any]]) -> list[str]:
    """The events of a source that has begun: `begun`, then the warnings that came before it."""
    warned: list[str] = []
    try:
        while "begun" not in (answer := await anext(answers)):
            warned.append(_event(*_told_of_source(answer)))
    except BaseException:
        await answers.aclose()
        raise
    return [_event("begun", answer["begun"]), *warned]


async def _events(
    first: list[str], answers: AsyncGenerator[dict[str, Any]], ended: asyncio.Event
) -> AsyncIterator[str]:
    """Server-sent events: the first, `action`, `provisional` and `warning` as they come, then `end` or `error`."""
    ending = asyncio.ensure_future(ended.wait())
    coming = asyncio.ensure_future(anext(answers))
    try:
        for event in first:
            yield event
        while True:
            done, _ = await asyncio.wait({coming, ending}, timeout=HEARTBEAT, return_when=asyncio.FIRST_COMPLETED)
            if ending in done:
                yield _event("end", {"reason": "the server is ending: ask again in a moment"})
                return
            if coming not in done:
                yield ": nothing new\n\n"
                continue
            answer = coming.result()
            if "done" in answer:
                yield _event("end", {"reason": "the source has ended"})
                return
            yield _event(*_told_of_source(answer))
            coming = asyncio.ensure_future(anext(answers))
    except RefusedError as error:
        yield _event("error", {"error": error.words})
    finally:
        ending.cancel()
        coming.cancel()
        with suppress(asyncio.CancelledError, StopAsyncIteration, RefusedError):
            await coming
        await answers.aclose()


def _told_of_source(answer: dict[str, Any]) -> tuple[Literal["action", "provisional", "warning"], Any]:
    if "warning" in answer:
        return "warning", {"warning": answer["warning"]}
    line = answer["line"]
    return ("provisional", line["provisional"]) if "provisional" in line else ("action", line)


def _event(kind: str, content: Any) -> str:
    return f"event: {kind}\ndata: {json.dumps(content)}\n\n"
