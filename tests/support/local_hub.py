"""A stand-in for huggingface.co on this machine: the part of its API that sharing a model and loading one call.

Repositories with commits, small files in the commit and large ones through Git LFS, private and gated ones, and the
answers for what is not there. It keeps everything in memory, and every request that it was asked.
"""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha1, sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

TOKEN = "hf_of_the_owner"
LARGE = (".safetensors",)
"""What is uploaded through LFS."""
Files = dict[str, bytes]


@dataclass
class Repository:
    private: bool = False
    gated: bool = False
    commits: list[tuple[str, Files]] = field(default_factory=list)
    """Of the branch main, the newest last."""

    def files(self, revision: str) -> tuple[str, Files] | None:
        """A commit of a name, and its files."""
        if revision == "main":
            return self.commits[-1] if self.commits else ("0" * 40, {})
        return next((one for one in self.commits if one[0] == revision), None)

    def commit(self, changed: dict[str, bytes | None]) -> str:
        before = self.commits[-1][1] if self.commits else {}
        files = {name: content for name, content in {**before, **changed}.items() if content is not None}
        described = repr(
            (len(self.commits), sorted((name, sha1(content).hexdigest()) for name, content in files.items()))
        )
        self.commits.append((sha1(described.encode()).hexdigest(), files))
        return self.commits[-1][0]


class RefusedError(Exception):
    """An answer that is none of what was asked for."""

    def __init__(self, status: int, code: str = "", message: str = "", **more: Any) -> None:
        self.status, self.code, self.message, self.more = status, code, message, more


class LocalHub:
    """The server's state; `url` is where it listens."""

    def __init__(self, url: str = "") -> None:
        self.url = url
        self.repositories: dict[str, Repository] = {}
        self.large: dict[str, bytes] = {}
        """SHA-256 -> what was uploaded through LFS."""
        self.asked: list[str] = []
        """`METHOD /path` of every request."""

    def answer(self, method: str, path: str, body: bytes, token: str) -> Any:
        """Bytes of a file with their headers, or what becomes JSON."""
        self.asked.append(f"{method} {path}")
        parts = [unquote(part) for part in path.strip("/").split("/")]
        match (method, *parts):
            case ("POST", "api", "repos", "create"):
                return self._create(json.loads(body), token)
            case ("POST", "api", "validate-yaml"):
                return self._validated(json.loads(body)["content"])
            case ("PUT", "lfs", oid):
                assert sha256(body).hexdigest() == oid
                self.large[oid] = body
                return {}
            case ("POST", user, name, "info", "lfs", "objects", "batch"):
                self._readable(f"{user}/{name.removesuffix('.git')}", token)
                return self._places(json.loads(body)["objects"])
            case (_, "api", "models", user, name, *rest):
                return self._of_model(f"{user}/{name}", rest, body, token)
            case (_, user, name, "resolve", revision, *file):
                return self._file(f"{user}/{name}", revision, "/".join(file), token)
        raise RefusedError(404)

    def _create(self, asked: dict[str, Any], token: str) -> dict[str, str]:
        name = f"{asked['organization']}/{asked['name']}"
        if token != TOKEN:
            raise RefusedError(401, message="Invalid username or password.")
        if name in self.repositories:
            raise RefusedError(409, message="You already created this model repo", url=f"{self.url}/{name}")
        private = asked.get("private", False) or asked.get("visibility") == "private"
        self.repositories[name] = Repository(private=private)
        return {"url": f"{self.url}/{name}"}

    def _validated(self, content: str) -> dict[str, Any]:
        assert content.startswith("---\n")
        if "license: mine" in content:
            raise RefusedError(400, errors=[{"message": '"license" must be one of the licenses that the hub knows'}])
        return {"errors": [], "warnings": []}

    def _places(self, objects: list[dict[str, Any]]) -> dict[str, Any]:
        upload = {one["oid"]: {"upload": {"href": f"{self.url}/lfs/{one['oid']}"}} for one in objects}
        return {"transfer": "basic", "objects": [{**one, "actions": upload[one["oid"]]} for one in objects]}

    def _readable(self, name: str, token: str) -> Repository:
        found = self.repositories.get(name)
        if found is None or (found.private and token != TOKEN):
            raise RefusedError(401, "RepoNotFound", "Repository not found")
        return found

    def _of_model(self, name: str, rest: list[str], body: bytes, token: str) -> Any:
        repository = self._readable(name, token)
        match rest:
            case ["preupload", _]:
                return {"files": [self._upload_mode(one["path"]) for one in json.loads(body)["files"]]}
            case ["commit", "main"]:
                if token != TOKEN:
                    raise RefusedError(403, message="You have no right to write to this repo")
                oid = repository.commit(self._changed(body))
                return {"commitUrl": f"{self.url}/{name}/commit/{oid}", "commitOid": oid}
            case [] | ["revision", _]:
                sha, files = self._revision(repository, rest[-1] if rest else "main")
                siblings = [{"rfilename": one} for one in files]
                return {"id": name, "modelId": name, "sha": sha, "siblings": siblings, "private": repository.private}
            case ["tree", revision, *_]:
                _, files = self._revision(repository, revision)
                return [self._entry(path, content) for path, content in files.items()]
        raise RefusedError(404)

    def _revision(self, repository: Repository, revision: str) -> tuple[str, Files]:
        found = repository.files(revision)
        if found is None:
            raise RefusedError(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return found

    def _upload_mode(self, path: str) -> dict[str, Any]:
        return {"path": path, "uploadMode": "lfs" if path.endswith(LARGE) else "regular", "shouldIgnore": False}

    def _changed(self, body: bytes) -> dict[str, bytes | None]:
        changed: dict[str, bytes | None] = {}
        for line in map(json.loads, body.splitlines()):
            value = line["value"]
            match line["key"]:
                case "file":
                    changed[value["path"]] = base64.b64decode(value["content"])
                case "lfsFile":
                    changed[value["path"]] = self.large[value["oid"]]
                case "deletedFile":
                    changed[value["path"]] = None
        return changed

    def _entry(self, path: str, content: bytes) -> dict[str, Any]:
        entry: dict[str, Any] = {"type": "file", "path": path, "size": len(content), "oid": sha1(content).hexdigest()}
        if path.endswith(LARGE):
            entry["lfs"] = {"oid": sha256(content).hexdigest(), "size": len(content), "pointerSize": 134}
        return entry

    def _file(self, name: str, revision: str, path: str, token: str) -> tuple[bytes, dict[str, str]]:
        repository = self._readable(name, token)
        if repository.gated and token != TOKEN:
            raise RefusedError(403, "GatedRepo", "Access to this model is restricted")
        sha, files = self._revision(repository, revision)
        if path not in files:
            raise RefusedError(404, "EntryNotFound", "Entry not found")
        return files[path], {"X-Repo-Commit": sha, "ETag": f'"{sha256(files[path]).hexdigest()}"'}


def _handler(hub: LocalHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _respond(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.headers.get("Transfer-Encoding") == "chunked":
                body = b"".join(self._chunks())
            token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
            try:
                answer = hub.answer(self.command, urlsplit(self.path).path, body, token)
            except RefusedError as refused:
                headers = {"X-Error-Code": refused.code, "X-Error-Message": refused.message}
                content = json.dumps({"error": refused.message, **refused.more}).encode()
                self._send(refused.status, content, {name: value for name, value in headers.items() if value})
                return
            if isinstance(answer, tuple):
                self._send(200, *answer)
            else:
                self._send(200, json.dumps(answer).encode(), {"Content-Type": "application/json"})

        def _chunks(self) -> Iterator[bytes]:
            while size := int(self.rfile.readline(), 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()

        def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Nothing is printed."""

    for method in ("GET", "HEAD", "POST", "PUT"):
        setattr(Handler, f"do_{method}", Handler._respond)
    return Handler


@contextmanager
def local_hub() -> Iterator[LocalHub]:
    """The hub while it runs."""
    hub = LocalHub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def use(hub: LocalHub, cache: Any, monkeypatch: pytest.MonkeyPatch, *, token: str | None = TOKEN) -> None:
    """Lets huggingface_hub talk to this hub in place of huggingface.co, and keep what it fetches in a folder."""
    pytest.importorskip("huggingface_hub", reason="sharing needs the extra hub")
    for name, value in {
        "ENDPOINT": hub.url,
        "HUGGINGFACE_CO_URL_TEMPLATE": hub.url + "/{repo_id}/resolve/{revision}/{filename}",
        "HF_HUB_CACHE": str(cache),
        "HF_TOKEN_PATH": str(cache / "no_token"),
        "HF_HUB_DISABLE_XET": True,
        "HF_HUB_OFFLINE": False,
    }.items():
        monkeypatch.setattr(f"huggingface_hub.constants.{name}", value)
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    if token is not None:
        monkeypatch.setenv("HF_TOKEN", token)
