import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from actionformer.serving.allowed import Allowed
from actionformer.serving.fetching import fetch
from actionformer.serving.limits import RefusedError


class Media(BaseHTTPRequestHandler):
    """Holds a file, one that lies about its length, one that never ends, and redirects."""

    def do_GET(self) -> None:
        name = self.path.rpartition("/")[2]
        if name in ("inside", "outside", "round"):
            self.send_response(302)
            self.send_header("Location", {"inside": "/media/file", "outside": "/other/file", "round": self.path}[name])
            self.end_headers()
        elif name == "none":
            self.send_error(404)
        else:
            self.send_response(200)
            if name == "large":
                self.send_header("Content-Length", "1000000000000")
            self.end_headers()
            self.wfile.write(b"x" * (1 << 21) if name == "endless" else b"content")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def media() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Media) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def got(address: str, allowed: str, target: Path) -> bytes:
    fetch(address, target, Allowed([allowed]), most=1 << 20, patience=5)
    return target.read_bytes()


@pytest.mark.parametrize("name", ["file", "inside"])
def test_a_file_is_fetched_also_behind_a_redirect(media: str, tmp_path: Path, name: str) -> None:
    assert got(f"{media}media/{name}", f"{media}media/", tmp_path / "file") == b"content"


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("outside", 403, "leads on to one that the server does not take"),
        ("large", 413, "holds more than 1 MiB"),
        ("endless", 413, "holds more than 1 MiB"),
        ("none", 422, "answers with 404"),
        ("round", 422, "answers with 302"),
    ],
)
def test_what_is_refused(media: str, tmp_path: Path, name: str, status: int, words: str) -> None:
    with pytest.raises(RefusedError, match=words) as refused:
        got(f"{media}media/{name}", f"{media}media/", tmp_path / "file")
    assert refused.value.status == status


def test_an_address_that_is_not_listed_is_not_asked(media: str, tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="--allow") as refused:
        got(f"{media}secret", f"{media}media/", tmp_path / "file")
    assert refused.value.status == 403


def test_who_does_not_answer_is_said(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="does not give the file") as refused:
        got("http://127.0.0.1:1/file", "http://127.0.0.1:1/", tmp_path / "file")
    assert refused.value.status == 422
