"""The server of the page: one address a question, all answers from `Answers`."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import socket
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from types import FrameType
from typing import Annotated, Any
from urllib.parse import urlencode

import uvicorn
from fastapi import FastAPI, Query, Request
from fastapi import Path as PathParameter
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from rich.console import Console
from starlette.concurrency import run_in_threadpool
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.types import ASGIApp

from actionformer.core.errors import InputError
from actionformer.core.terminal import say
from actionformer.viewer.answers import Answers, checked_tiou
from actionformer.viewer.corrections import ConflictError
from actionformer.viewer.guard import Guard, is_local
from actionformer.viewer.media.segments import NoPictureError
from actionformer.viewer.page_files import TYPES, escaped_id, static_files, unescaped_id
from actionformer.viewer.project import UnavailableError, UnknownVideoError

MOST_ACTIONS = 100_000
AT_ONCE = 2
"""Media segments that are encoded at the same time."""
NOT_HERE = (UnknownVideoError, UnavailableError, NoPictureError)
UNCACHED = {"Cache-Control": "no-cache"}
"""For browsers: what is behind an address may be another thing next time."""
EVERYWHERE = ("", "0.0.0.0", "::")


class _Id(Convertor[str]):
    """A video's id in an address."""

    regex = "[^/]+"

    def convert(self, value: str) -> str:
        return unescaped_id(value)

    def to_string(self, value: str) -> str:
        return escaped_id(value)


register_url_convertor("id", _Id())
Tiou = Annotated[float | None, Query()]
Score = Annotated[float | None, Query(allow_inf_nan=False)]
Seconds = Annotated[float, Query(ge=-1e9, le=1e9)]


def application(answers: Answers, token: str | None = None) -> ASGIApp:
    """The application, guarded.

    Args:
        answers: about the project.
        token: what every request has to show; None for an address of this machine.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    _speak_of_errors(app)
    _serve_page(app)
    _serve_network(app, answers)
    _serve_corrections(app, answers)
    _serve_media(app, answers)
    _serve_answers(app, answers)
    return Guard(app, token)


def _speak_of_errors(app: FastAPI) -> None:
    """Every error is words for the user: `{"error": "..."}`."""

    def refused(_: Request, error: Exception) -> Response:
        not_here, conflict = isinstance(error, NOT_HERE), isinstance(error, ConflictError)
        return _json({"error": str(error)}, 404 if not_here else 409 if conflict else 400)

    def invalid(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        place = [] if first["type"] == "json_invalid" else first["loc"][1:]
        return _json({"error": ": ".join([".".join(map(str, place)), first["msg"]]).removeprefix(": ")}, 422)

    def unknown(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return _json({"error": str(error.detail)}, error.status_code)

    def failed(_: Request, error: Exception) -> Response:
        return _json({"error": f"the viewer has an error of its own, its terminal shows where ({error!r})"}, 500)

    app.add_exception_handler(Exception, failed)
    app.add_exception_handler(InputError, refused)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, unknown)


def _serve_page(app: FastAPI) -> None:
    files = static_files()

    @app.get("/")
    def page() -> Response:
        return FileResponse(files["index.html"], media_type=TYPES[".html"], headers=UNCACHED)

    @app.get("/static/{name:path}")
    def part(name: str) -> Response:
        if name not in files:
            raise HTTPException(404, "the page has no such part")
        file = files[name]
        return FileResponse(file, media_type=TYPES[file.suffix], headers=UNCACHED)


def _serve_answers(app: FastAPI, answers: Answers) -> None:
    thresholds = answers.about.thresholds

    @app.get("/api/project")
    def project() -> Response:
        return _json(answers.project())

    @app.get("/api/run")
    def run(tiou: Tiou = None, min_score: Score = None) -> Response:
        return _json(answers.run(checked_tiou(tiou, thresholds), min_score))

    @app.get("/api/compare")
    def compare() -> Response:
        return _json(answers.compare())

    @app.get("/api/videos/{video:id}")
    def one_video(video: str, tiou: Tiou = None, corrected: bool = False) -> Response:
        return _json(answers.video(video, checked_tiou(tiou, thresholds), corrected))


def _serve_media(app: FastAPI, answers: Answers) -> None:
    turns = asyncio.Semaphore(AT_ONCE)

    def file_of(video: str) -> Path:
        about = answers.about
        known = about.check(video)
        about.require("videos")
        assert about.videos is not None
        return about.videos.find(known)

    @app.api_route("/api/videos/{video:id}/media", methods=["GET", "HEAD"])
    def media(video: str) -> Response:
        with _unplayable_said():
            playable, media_type = answers.media.playable(file_of(video))
        return FileResponse(playable, media_type=media_type, headers=UNCACHED)

    def encoded(video: str, number: int) -> Response:
        with _unplayable_said():
            segment, media_type = answers.media.segment(file_of(video), number)
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


def _serve_network(app: FastAPI, answers: Answers) -> None:
    @app.get("/api/videos/{video:id}/scores")
    def scores(video: str, points: int = 2000, start: Seconds | None = None, stop: Seconds | None = None) -> Response:
        return _json(answers.network.scores(video, points, start, stop))

    @app.get("/api/videos/{video:id}/levels")
    def levels(video: str) -> Response:
        return _json(answers.network.levels(video))

    @app.get("/api/videos/{video:id}/moment")
    def moment(video: str, time: Seconds, block: int = 0) -> Response:
        return _json(answers.network.moment(video, time, block))

    @app.get("/api/videos/{video:id}/candidates")
    def candidates(video: str, start: Seconds, stop: Seconds, limit: int = 2000) -> Response:
        return _json(answers.network.candidates(video, start, stop, limit))

    @app.post("/api/videos/{video:id}/suppression")
    def suppression(video: str, wanted: Suppression) -> Response:
        changes = wanted.changes()
        return _json(answers.network.suppression(video, wanted.start, wanted.stop, wanted.limit, changes))


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


def _serve_corrections(app: FastAPI, answers: Answers) -> None:
    @app.get("/api/corrections/{video:id}")
    def corrected(video: str) -> Response:
        return _json(answers.corrections.of(video))

    @app.put("/api/corrections/{video:id}")
    def correct(video: str, correction: Correction) -> Response:
        actions = [action.model_dump() for action in correction.actions]
        return _json(answers.corrections.save(video, actions, correction.revision))


def _json(content: Any, status: int = 200) -> Response:
    return JSONResponse(content, status)


def serve(
    answers: Answers,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    token: str | None = None,
    browser: bool = True,
    console: Console,
) -> None:
    """Answers until it is stopped.

    Args:
        answers: about the project.
        host: the address to listen at; one that other machines reach needs a token.
        port: 0 takes a free one.
        token: made where one is needed and none is given.
        browser: open the page.
        console: where the address is told.

    Raises:
        InputError: the address cannot be used.
    """
    if token is not None and not re.fullmatch(r"[\w.~-]+", token, re.ASCII):
        raise InputError("a token is made of letters, digits and -._~; without one, one is made where it is needed")
    if token is None and not is_local(host):
        token = secrets.token_urlsafe(24)
    app = application(answers, token)
    with _listening(host, port) as listener:
        address = _address(host, listener.getsockname()[1], token)
        say(console, f"viewer: {address}")
        if browser:
            opening = Timer(0.5, webbrowser.open, [address])
            opening.daemon = True
            opening.start()
        settings = uvicorn.Config(
            app, log_level="warning", access_log=False, server_header=False, ws="none", timeout_graceful_shutdown=1
        )
        _Server(settings, answers).run(sockets=[listener])


class _Server(uvicorn.Server):
    """Ends once what is being computed is done; asked a second time, at once."""

    def __init__(self, settings: uvicorn.Config, answers: Answers) -> None:
        super().__init__(settings)
        self.answers = answers

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """What a signal to end does."""
        if self.should_exit:
            self.answers.media.close()
            os._exit(128 + sig)  # threads that compute cannot be stopped otherwise
        super().handle_exit(sig, frame)


def _address(host: str, port: int, token: str | None) -> str:
    """What to open on this machine; where all its addresses are listened at, others put one of them for the name."""
    name = "localhost" if host in EVERYWHERE else f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}/" + (f"?{urlencode({'token': token})}" if token else "")


def _listening(host: str, port: int) -> socket.socket:
    if not 0 <= port < 1 << 16:
        raise InputError(f"port {port}: expected 0 to 65535")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise InputError(f"cannot listen at {host}, port {port}: {error.strerror or error}") from error
