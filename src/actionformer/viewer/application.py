"""The addresses of the page: one per question, each answered by a service."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Query, Request
from fastapi import Path as PathParameter
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.types import ASGIApp

from actionformer.core.errors import InputError
from actionformer.viewer.corrections import ConflictError
from actionformer.viewer.evaluation import checked_tiou
from actionformer.viewer.guard import Guard
from actionformer.viewer.media.segments import NoPictureError
from actionformer.viewer.page_files import TYPES, escaped_id, static_files, unescaped_id
from actionformer.viewer.project import UnavailableError, UnknownVideoError
from actionformer.viewer.services import Services
from actionformer.web import speak_of_errors

MOST_ACTIONS = 100_000
LONGEST_NAME = 1000
AT_ONCE = 2
"""Media segments that are encoded at the same time."""
NOT_HERE = (UnknownVideoError, UnavailableError, NoPictureError)
UNCACHED = {"Cache-Control": "no-cache"}
"""For browsers: what is behind an address may be another thing next time."""


class _Id(Convertor[str]):
    """A video's id in an address."""

    regex = "[^/]+"

    def convert(self, value: str) -> str:
        return unescaped_id(value)

    def to_string(self, value: str) -> str:
        return escaped_id(value)


register_url_convertor("id", _Id())
Tiou = Annotated[float | None, Query()]
Score = Annotated[Annotated[float, Query(allow_inf_nan=False)] | Literal["class"] | None, Query()]
Seconds = Annotated[float, Query(ge=-1e9, le=1e9)]


def application(services: Services, token: str | None = None) -> ASGIApp:
    """The application, guarded.

    Args:
        services: what can be asked about the project.
        token: what every request has to show; None for an address of this machine.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    speak_of_errors(app, _status_of, "the viewer failed, its terminal shows where")
    _serve_page(app)
    _serve_network(app, services)
    _serve_corrections(app, services)
    _serve_labels(app, services)
    _serve_media(app, services)
    _serve_answers(app, services)
    return Guard(app, token)


def _status_of(error: Exception) -> int:
    return 404 if isinstance(error, NOT_HERE) else 409 if isinstance(error, ConflictError) else 400


def _serve_page(app: FastAPI) -> None:
    files = static_files()

    @app.get("/")
    def page() -> Response:
        return FileResponse(files["index.html"], media_type=TYPES[".html"], headers=UNCACHED)

    @app.get("/static/{name:path}")
    def part(name: str) -> Response:
        if name not in files:
            raise HTTPException(404, "there is nothing at this address")
        file = files[name]
        return FileResponse(file, media_type=TYPES[file.suffix], headers=UNCACHED)


def _serve_answers(app: FastAPI, services: Services) -> None:
    thresholds = services.project.thresholds

    @app.get("/api/project")
    def project() -> Response:
        return _json(services.facts.all())

    @app.get("/api/precision")
    def precision() -> Response:
        return _json(services.evaluation.precision())

    @app.get("/api/run")
    def run(tiou: Tiou = None, min_score: Score = None) -> Response:
        return _json(services.evaluation.run(checked_tiou(tiou, thresholds), min_score))

    @app.get("/api/compare")
    def compare() -> Response:
        return _json(services.evaluation.compare())

    @app.get("/api/videos/{video:id}")
    def one_video(video: str, tiou: Tiou = None, corrected: bool = False) -> Response:
        return _json(services.videos.of(video, checked_tiou(tiou, thresholds), corrected))


def _serve_media(app: FastAPI, services: Services) -> None:
    turns = asyncio.Semaphore(AT_ONCE)

    @app.api_route("/api/videos/{video:id}/media", methods=["GET", "HEAD"])
    def media(video: str) -> Response:
        with _unplayable_said():
            playable, media_type = services.playback.whole(video)
        return FileResponse(playable, media_type=media_type, headers=UNCACHED)

    def encoded(video: str, number: int) -> Response:
        with _unplayable_said():
            segment, media_type = services.playback.segment(video, number)
        return Response(segment, media_type=media_type, headers=UNCACHED)

    @app.api_route("/api/videos/{video:id}/media/{number}", methods=["GET", "HEAD"])
    async def segment(request: Request, video: str, number: Annotated[int, PathParameter(ge=0)]) -> Response:
        try:
            async with turns:
                if await request.is_disconnected():  # nobody waits for it any more
                    return Response(status_code=204)
                return await run_in_threadpool(encoded, video, number)
        except asyncio.CancelledError:  # the server ends
            return Response(status_code=503)


@contextmanager
def _unplayable_said() -> Iterator[None]:
    """Of what is there, what cannot be played has a status of its own."""
    try:
        yield
    except NOT_HERE:
        raise
    except InputError as error:
        raise HTTPException(415, str(error)) from error


class Suppression(BaseModel):
    """A span and settings of suppression; what is not given is the run's."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    start: Seconds
    stop: Seconds
    limit: int = 2000
    method: str | None = None
    sigma: float | None = None
    tiou_threshold: float | None = None
    min_score: float | None = None

    def changes(self) -> dict[str, Any]:
        """The settings that are given."""
        return self.model_dump(exclude={"start", "stop", "limit"}, exclude_none=True)


def _serve_network(app: FastAPI, services: Services) -> None:
    @app.get("/api/videos/{video:id}/scores")
    def scores(video: str, points: int = 2000, start: Seconds | None = None, stop: Seconds | None = None) -> Response:
        return _json(services.network().scores(video, points, start, stop))

    @app.get("/api/videos/{video:id}/levels")
    def levels(video: str) -> Response:
        return _json(services.network().levels(video))

    @app.get("/api/videos/{video:id}/moment")
    def moment(video: str, time: Seconds, block: int = 0) -> Response:
        return _json(services.network().moment(video, time, block))

    @app.get("/api/videos/{video:id}/candidates")
    def candidates(video: str, start: Seconds, stop: Seconds, limit: int = 2000) -> Response:
        return _json(services.network().candidates(video, start, stop, limit))

    @app.post("/api/videos/{video:id}/suppression")
    def suppression(video: str, wanted: Suppression) -> Response:
        changes = wanted.changes()
        return _json(services.network().suppression(video, wanted.start, wanted.stop, wanted.limit, changes))


class Action(BaseModel):
    """One action as the page has it."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    segment: tuple[float, float]
    label: int


class Correction(BaseModel):
    """All actions of a video, and the revision that they were corrected from."""

    model_config = ConfigDict(extra="forbid")
    actions: Annotated[list[Action], Field(max_length=MOST_ACTIONS)]
    revision: int


def _serve_corrections(app: FastAPI, services: Services) -> None:
    @app.get("/api/corrections/{video:id}")
    def corrected(video: str) -> Response:
        return _json(services.corrections().of(video))

    @app.put("/api/corrections/{video:id}")
    def correct(video: str, correction: Correction) -> Response:
        actions = [action.model_dump() for action in correction.actions]
        return _json(services.corrections().save(video, actions, correction.revision))


class LabelledVideo(Correction):
    """All that is said of a video."""

    decided: Annotated[list[int], Field(max_length=MOST_ACTIONS)]
    done: bool


class ClassName(BaseModel):
    """The name of a class."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, Field(max_length=LONGEST_NAME)]


def _serve_labels(app: FastAPI, services: Services) -> None:
    @app.get("/api/labels/{video:id}")
    def labelled(video: str) -> Response:
        return _json(services.labels().of(video))

    @app.put("/api/labels/{video:id}")
    def label(video: str, said: LabelledVideo) -> Response:
        actions = [action.model_dump() for action in said.actions]
        return _json(services.labels().save(video, actions, said.decided, done=said.done, revision=said.revision))

    @app.post("/api/classes")
    def add_class(given: ClassName) -> Response:
        return _json(services.labels().add_class(given.name))

    @app.put("/api/classes/{label}")
    def rename_class(label: int, given: ClassName) -> Response:
        return _json(services.labels().rename_class(label, given.name))

    @app.get("/api/progress")
    def progress() -> Response:
        return _json({"classes": services.labels().class_names(), "videos": services.labels().progress()})

    @app.get("/api/lengths")
    def lengths() -> Response:
        return _json(services.labels().lengths())


def _json(content: Any, status: int = 200) -> Response:
    return JSONResponse(content, status)
