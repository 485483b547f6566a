"""Files from addresses: only allowed ones, also behind redirects, and no more than so many bytes."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Any

from actionformer.serving.allowed import NOT_ALLOWED, Allowed
from actionformer.serving.limits import MIB, RefusedError


def fetch(address: str, target: Path, allowed: Allowed, *, most: int, patience: float) -> None:
    """Writes what an address holds into a file.

    Args:
        address: of HTTP or HTTPS.
        target: the file.
        allowed: where may be asked.
        most: bytes.
        patience: seconds without anything new after which it is given up.

    Raises:
        RefusedError: an address that is not allowed, does not answer or holds too much.
    """
    if not allowed.fetches(address):
        raise RefusedError(403, NOT_ALLOWED)
    asked = urllib.request.Request(address, headers={"Accept": "*/*", "User-Agent": "actionformer"})
    opener = urllib.request.build_opener(_Redirects(allowed))
    with _explained(), opener.open(asked, timeout=patience) as answer, target.open("wb") as file:
        stated = answer.headers.get("Content-Length", "")
        if stated.isdecimal() and int(stated[:20]) > most:
            raise _too_large(most)
        read = 0
        while block := answer.read(1 << 18):
            read += len(block)
            if read > most:
                raise _too_large(most)
            file.write(block)


def _too_large(most: int) -> RefusedError:
    return RefusedError(413, f"the address holds more than {most // MIB} MiB: let it hold a shorter recording")


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to allowed addresses alone."""

    def __init__(self, allowed: Allowed) -> None:
        self.allowed = allowed

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if not self.allowed.fetches(newurl):
            fp.close()
            raise RefusedError(403, "the address leads on to one that the server does not take: give that of the file")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


@contextmanager
def _explained() -> Iterator[None]:
    advice = "see that it can be reached from the server, and ask again"
    try:
        yield
    except urllib.error.HTTPError as error:
        error.close()
        raise RefusedError(422, f"the address answers with {error.code} {error.reason:.60}: {advice}") from error
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise RefusedError(422, f"the address does not give the file ({reason!s:.100}): {advice}") from error
