"""Bodies of requests, written into files as they come: no larger than is taken, and given up where nothing comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import Receive

from actionformer.serving.limits import MIB, Limits, RefusedError

LARGEST_JSON = 1 << 16
"""Bytes of JSON with an address."""


def kind_of(headers: Headers) -> str:
    """The type of a body, as the headers of its request say."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


async def save_body(receive: Receive, headers: Headers, file: Path, limits: Limits) -> None:
    """Writes the body of a request into a file.

    Args:
        receive: gives the messages of the request.
        headers: of the request, of which a stated length is believed only if it is too large.
        file: the file.
        limits: `max_mib`, `patience` and `max_time`.

    Raises:
        RefusedError: too large, too slow, empty, a form, or no room on the disk.
        ClientDisconnect: the client has left.
    """
    if kind_of(headers) == "multipart/form-data":
        raise RefusedError(415, "a form was sent: send the file itself as the body, as curl does with -T FILE -X POST")
    most = LARGEST_JSON if kind_of(headers) == "application/json" else limits.max_bytes
    stated = headers.get("content-length", "")
    if stated.isdecimal() and int(stated[:20]) > most:
        raise _too_large(most)
    read = 0
    try:
        with file.open("wb") as target:
            async for part in _parts(receive, limits):
                read += len(part)
                if read > most:
                    raise _too_large(most)
                target.write(part)
    except OSError as error:
        raise RefusedError(503, "the server has no room for what was sent: ask again later", 60) from error
    if not read:
        raise RefusedError(422, "nothing was sent: send a file as the body, or JSON with the address of one")


async def _parts(receive: Receive, limits: Limits) -> AsyncIterator[bytes]:
    try:
        async with asyncio.timeout(limits.max_time):
            more = True
            while more:
                message = await asyncio.wait_for(receive(), limits.patience)
                if message["type"] == "http.disconnect":
                    raise ClientDisconnect
                yield message.get("body", b"")
                more = message.get("more_body", False)
    except TimeoutError:
        raise RefusedError(
            408,
            f"the upload stood still for {limits.patience:g} s or took over {limits.max_time:g} s: send it again",
        ) from None


def _too_large(most: int) -> RefusedError:
    size = f"{most // MIB} MiB" if most >= MIB else f"{most:,} bytes of JSON"
    return RefusedError(413, f"more was sent than the {size} that the server takes: send less")
