import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from rich.console import Console
from starlette.testclient import TestClient

from actionformer.core.detections import Detections
from actionformer.core.errors import InputError
from actionformer.formats.detections import write_results
from actionformer.viewer.application import MOST_ACTIONS, application
from actionformer.viewer.facts import ProjectFacts
from actionformer.viewer.guard import MOST_BODY
from actionformer.viewer.opening import open_project
from actionformer.viewer.options import ViewerOptions
from actionformer.viewer.page_files import PLOTLY, escaped_id, static_files
from actionformer.viewer.server import _Server, serve
from actionformer.viewer.services import Services
from actionformer.viewer.start import services_for
from actionformer.web import is_local, name_of

TRAVERSALS = [
    "../secret.txt",
    "..%2fsecret.txt",
    "%2e%2e/secret.txt",
    "%2e%2e%2fsecret.txt",
    "..%252fsecret.txt",
    "....//secret.txt",
    "..\\secret.txt",
    "..%5csecret.txt",
    "%c0%ae%c0%ae/secret.txt",
    "%uff0e%uff0e/secret.txt",
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "secret.txt%00.mp4",
    "",
    "clip0/../../secret.txt",
]


def spoken(answer: Any, status: int) -> str:
    assert answer.status_code == status, answer.text
    return str(answer.json()["error"])


@pytest.fixture
def media(asked: TestClient, videos: Path) -> tuple[str, bytes]:
    """The address of a video, and its bytes."""
    return "/api/videos/clip0/media", (videos / "clip0.mp4").read_bytes()


@pytest.mark.parametrize(
    ("asked_for", "expected"),
    [("bytes=0-99", slice(0, 100)), ("bytes=100-", slice(100, None)), ("bytes=-50", slice(-50, None))],
)
def test_a_part_of_a_video(asked: TestClient, media: tuple[str, bytes], asked_for: str, expected: slice) -> None:
    address, content = media
    answer = asked.get(address, headers={"Range": asked_for})
    assert answer.status_code == 206
    assert answer.content == content[expected]
    start, stop, _ = expected.indices(len(content))
    assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{len(content)}"
    assert answer.headers["content-type"] == "video/mp4"


def test_a_whole_video_says_that_parts_can_be_had(asked: TestClient, media: tuple[str, bytes]) -> None:
    address, content = media
    answer = asked.get(address)
    assert (answer.status_code, answer.content) == (200, content)
    assert answer.headers["accept-ranges"] == "bytes"
    head = asked.head(address)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(content))


def test_a_part_is_given_only_of_the_file_that_was_begun(asked: TestClient, media: tuple[str, bytes]) -> None:
    address, content = media
    tag = asked.get(address).headers["etag"]
    same = asked.get(address, headers={"Range": "bytes=0-9", "If-Range": tag})
    other = asked.get(address, headers={"Range": "bytes=0-9", "If-Range": '"another"'})
    assert (same.status_code, same.content) == (206, content[:10])
    assert (other.status_code, other.content) == (200, content)


def test_a_part_beyond_the_end_is_refused(asked: TestClient, media: tuple[str, bytes]) -> None:
    address, content = media
    answer = asked.get(address, headers={"Range": f"bytes={len(content)}-"})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{len(content)}"


def test_several_parts_come_in_one_answer(asked: TestClient, media: tuple[str, bytes]) -> None:
    address, content = media
    answer = asked.get(address, headers={"Range": "bytes=0-9,100-109"})
    assert answer.headers["content-type"].startswith("multipart/byteranges")
    assert content[:10] in answer.content
    assert content[100:110] in answer.content


@pytest.mark.parametrize("name", TRAVERSALS)
@pytest.mark.parametrize("place", ["/static/", "/api/videos/", "/api/corrections/"])
def test_no_name_leads_out_of_the_folders(asked: TestClient, videos: Path, place: str, name: str) -> None:
    secret = videos.parent / "secret.txt"
    secret.write_text("secret", "utf-8")
    for address in (place + name, f"{place}{name}/media"):
        answer = asked.get(address)
        assert answer.status_code in (404, 405, 400), address
        assert "secret\n" not in answer.text
        assert answer.text != "secret"
        assert "root:" not in answer.text


def test_an_id_of_the_files_that_is_a_path_leads_nowhere(client: Any, videos: Path, tmp_path: Path) -> None:
    (videos.parent / "outside.mp4").write_bytes((videos / "clip0.mp4").read_bytes())
    found = Detections([[0.0, 1.0]], [0.5], [0], ("left",))
    ids = ["../outside", str(videos.parent / "outside"), "clip0/../../outside"]
    write_results(tmp_path / "found.json", dict.fromkeys(ids, found))
    asked = client(tmp_path / "found.json", videos=videos)
    for name in ids:
        shown = asked.get(f"/api/videos/{escaped_id(name)}")
        assert shown.status_code == 200, name
        assert shown.json()["playable"] is False
        media = asked.get(f"/api/videos/{escaped_id(name)}/media")
        assert "no file" in spoken(media, 415)


HOSTILE = [
    "a/media",
    "a",
    "a/media/0",
    "a/scores",
    "..",
    ".",
    ".hidden",
    "a\nb",
    "a#b?c%2Fd",
    "%2e%2e",
    "<b>\u2028",
    "a b+c",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_any_text_is_an_id(client: Any, tmp_path: Path, name: str) -> None:
    found = {one: Detections([[float(i), i + 1.0]], [0.5], [0], ("x",)) for i, one in enumerate(HOSTILE)}
    write_results(tmp_path / "found.json", found)
    database = {one: {"subset": "x", "duration": 99.0} for one in HOSTILE}
    (tmp_path / "annotations.json").write_text(json.dumps({"database": database}), "utf-8")
    asked = client(tmp_path / "found.json", annotations=tmp_path / "annotations.json")
    start = float(HOSTILE.index(name))
    shown = asked.get(f"/api/videos/{escaped_id(name)}?tiou=0.5").json()
    assert (shown["id"], shown["detections"][0]["segment"][0]) == (name, start)
    corrections = f"/api/corrections/{escaped_id(name)}"
    action = {"segment": [start, start + 2.0], "label": 0}
    assert asked.put(corrections, json={"actions": [action], "revision": 0}).status_code == 200
    assert asked.get(corrections).json()["actions"] == [action]
    assert "--videos" in spoken(asked.get(f"/api/videos/{escaped_id(name)}/media"), 404)
    assert "give a run directory" in spoken(asked.get(f"/api/videos/{escaped_id(name)}/scores"), 404)


def test_links_out_of_the_folder_are_not_followed(client: Any, videos: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    os.symlink(videos / "clip0.mp4", folder / "clip0.mp4")
    (folder / "real.mp4").write_bytes((videos / "clip1.mp4").read_bytes())
    os.symlink(folder / "real.mp4", folder / "clip1.mp4")
    found = Detections([[0.0, 1.0]], [0.5], [0], ("left",))
    write_results(tmp_path / "found.json", {"clip0": found, "clip1": found})
    asked = client(tmp_path / "found.json", videos=folder)
    assert "leads out of the folder" in spoken(asked.get("/api/videos/clip0/media"), 415)
    assert "leads out" in asked.get("/api/videos/clip0").json()["why_not_playable"]
    assert asked.get("/api/videos/clip1/media").status_code == 200  # a link within the folder


def test_videos_are_found_in_subfolders_and_two_of_one_name_are_told(client: Any, videos: Path, tmp_path: Path) -> None:
    for place in ("folder/run/clip0.mp4", "folder/jump/clip1.mp4", "folder/run/clip1.mp4"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_bytes((videos / "clip0.mp4").read_bytes())
    found = Detections([[0.0, 1.0]], [0.5], [0], ("left",))
    write_results(tmp_path / "found.json", {"clip0": found, "clip1": found})
    asked = client(tmp_path / "found.json", videos=tmp_path / "folder")
    assert asked.get("/api/videos/clip0/media").status_code == 200
    twice = spoken(asked.get("/api/videos/clip1/media"), 415)
    assert "jump/clip1.mp4 and run/clip1.mp4" in twice


def test_features_behind_a_link_are_not_read(client: Any, evaluated: Path, seen: Path, tmp_path: Path) -> None:
    folder = tmp_path / "features"
    folder.mkdir()
    os.symlink(seen / "features" / "clip0.npy", folder / "clip0.npy")
    asked = client(evaluated, features=(folder,))
    assert "leads out of the folder of features" in spoken(asked.get("/api/videos/clip0/scores"), 404)
    assert "no features of this video" in spoken(asked.get("/api/videos/clip1/scores"), 404)


def test_names_are_data_whatever_they_hold(client: Any, tmp_path: Path) -> None:
    name = "</script><img src=x onerror=alert(1)>"
    found = Detections([[0.0, 1.0]], [0.5], [0], (name,))
    write_results(tmp_path / "found.json", {name: found})
    asked = client(tmp_path / "found.json")
    answer = asked.get("/api/project")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.json()["classes"] == [name]
    assert answer.json()["videos"][0]["id"] == name
    assert "<img" not in asked.get("/").text
    unknown = asked.get("/api/videos/<script>alert(1)</script>")
    assert "script" not in spoken(unknown, 404)


def test_the_page_and_its_parts(asked: TestClient) -> None:
    page = asked.get("/")
    assert page.headers["content-type"].startswith("text/html")
    policy = page.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "default-src 'none'" in policy
    files = static_files()
    for name in [*files, PLOTLY]:
        answer = asked.get(f"/static/{name}")
        assert answer.status_code == 200, name
        assert answer.content == files[name].read_bytes()
    assert asked.get(f"/static/{PLOTLY}").headers["content-type"].startswith("text/javascript")
    for address in ("/docs", "/redoc", "/openapi.json", "/static/__init__.py"):
        assert spoken(asked.get(address), 404)


def test_a_foreign_name_of_this_machine_is_refused(asked: TestClient) -> None:
    for host in ("evil.example", "evil.example:8000", "127.0.0.1.evil.example", "localhost.evil.example:80", ""):
        assert spoken(asked.get("/api/project", headers={"Host": host}), 421)
    for host in ("localhost:8000", "127.0.0.1", "[::1]:8000"):
        assert asked.get("/api/project", headers={"Host": host}).status_code == 200


def test_a_foreign_page_changes_nothing(asked: TestClient) -> None:
    wanted = {"start": 0, "stop": 1}
    address = "/api/videos/clip0/suppression"
    foreign = asked.post(address, json=wanted, headers={"Origin": "http://evil.example"})
    assert spoken(foreign, 403)
    assert asked.post(address, json=wanted, headers={"Origin": "http://127.0.0.1:8000"}).status_code == 200
    plain = asked.post(address, content=json.dumps(wanted), headers={"Content-Type": "text/plain"})
    assert plain.status_code == 422  # what a form can send is not understood


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_foreign_pages_may_lead_to_the_page_but_ask_nothing(asked: TestClient, site: str) -> None:
    from_there = {"Sec-Fetch-Site": site}
    assert asked.get("/", headers=from_there).status_code == 200
    for address in ("/api/project", "/api/videos/clip0/media", "/static/main.js"):
        assert "another origin" in spoken(asked.get(address, headers=from_there), 403)
    assert asked.get("/api/project", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True), ("127.0.0.2:80", True), ("[::1]:8000", True), ("LOCALHOST:1", True),
        ("[::1].evil.example", False), ("localhost.evil.example", False), ("10.0.0.1", False), ("", False),
    ],
)  # fmt: skip
def test_hosts_that_are_this_machine(host: str, local: bool) -> None:
    assert is_local(name_of(host)) is local


def test_numbers_beyond_all_measure_are_refused_in_words(asked: TestClient) -> None:
    for address in ("scores?start=1e308", "moment?time=1e308", "candidates?start=0&stop=1e300"):
        assert "less than" in spoken(asked.get(f"/api/videos/clip0/{address}"), 422)
    suppression = "/api/videos/clip0/suppression"
    for changes, status in (({"sigma": 1e-300}, 400), ({"start": -1e300}, 422)):
        assert spoken(asked.post(suppression, json={"start": 0, "stop": 1} | changes), status)
    broken = asked.post(suppression, content="{", headers={"Content-Type": "application/json"})
    assert spoken(broken, 422) == "JSON decode error"


def test_an_address_that_cannot_be_listened_at_and_an_empty_token_are_refused(evaluated: Path) -> None:
    services = services_for(open_project(ViewerOptions(evaluated)))
    with closing(services):
        for given, words in (({"port": 70000}, "port 70000"), ({"token": ""}, "a token consists of")):
            with pytest.raises(InputError, match=words):
                serve(services, **given, browser=False, console=Console(quiet=True))


def test_asked_twice_to_end_it_ends_at_once(evaluated: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    codes: list[int] = []
    monkeypatch.setattr("os._exit", codes.append)
    services = services_for(open_project(ViewerOptions(evaluated)))
    server = _Server(uvicorn.Config(application(services)), services)
    server.handle_exit(signal.SIGINT, None)
    assert (codes, server.should_exit, len(list(tmp_path.iterdir()))) == ([], True, 1)
    server.handle_exit(signal.SIGINT, None)
    assert (codes, list(tmp_path.iterdir())) == ([130], [])


def test_with_a_token_nothing_is_told_without_it(client: Any, evaluated: Path, videos: Path) -> None:
    asked = client(evaluated, videos=videos, token="a-token", address="http://box:8000")
    for address in ("/", "/api/project", "/static/index.html", "/api/videos/clip0/media", "/nonsense"):
        assert "token" in spoken(asked.get(address), 401)
        assert spoken(asked.get(address, params={"token": "a-toke"}), 401)
    asked.cookies.set("actionformer-view-8000", "wrong")
    assert spoken(asked.get("/"), 401)
    asked.cookies.clear()
    assert asked.get("/api/project", params={"token": "a-token"}).status_code == 200
    welcome = asked.get("/", params={"token": "a-token", "view": "run"}, follow_redirects=False)
    assert (welcome.status_code, welcome.headers["location"]) == (303, "/?view=run")
    cookie = welcome.headers["set-cookie"].lower()
    assert cookie.startswith("actionformer-view-8000=")  # another viewer on this host has another
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert asked.get("/api/project").status_code == 200  # by the cookie
    others = 'prefs={"a":1}; b=hello world; bare; actionformer-view-8000=a-token'  # of other servers at this host
    asked.cookies.clear()
    assert asked.get("/api/project", headers={"Cookie": others}).status_code == 200


def test_an_error_of_its_own_is_said_too(client: Any, evaluated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = client(evaluated)
    monkeypatch.setattr(ProjectFacts, "all", lambda self: 1 / 0)
    patient = TestClient(asked.app, base_url="http://127.0.0.1", raise_server_exceptions=False)
    assert "the viewer failed" in spoken(patient.get("/api/project"), 500)


@contextmanager
def running(services: Services) -> Iterator[int]:
    """A real server on a free port, which is told."""
    server = uvicorn.Server(uvicorn.Config(application(services), port=0, log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


@pytest.mark.parametrize("stated", [True, False], ids=["stated length", "chunks"])
def test_a_body_is_limited_before_it_is_read(tmp_path: Path, stated: bool) -> None:
    write_results(tmp_path / "found.json", {"v": Detections([[0.0, 1.0]], [0.5], [0], ("left",))})
    services = services_for(open_project(ViewerOptions(tmp_path / "found.json")))
    chunk = f"{1 << 20:x}".encode() + b"\r\n" + bytes(1 << 20) + b"\r\n"
    length = b"Content-Length: 314572800" if stated else b"Transfer-Encoding: chunked"
    with closing(services), running(services) as port, socket.create_connection(("127.0.0.1", port), 20) as sent:
        head = b"PUT /api/corrections/v HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        sent.sendall(head + length + b"\r\n\r\n")
        if not stated:
            for _ in range(MOST_BODY >> 20):
                sent.sendall(chunk)
            sent.sendall(b"1\r\n ")  # one byte more; none of this ends the body
        answer = HTTPResponse(sent)
        answer.begin()
        assert answer.status == 413
        assert "too much was sent at once" in json.loads(answer.read())["error"]


def test_as_much_as_can_be_corrected_may_be_sent() -> None:
    action = {"segment": [12345.678901234567, 12346.678901234567], "label": 9999}
    assert MOST_ACTIONS * (len(json.dumps(action)) + 2) < MOST_BODY


def test_fifty_readers_at_once_get_what_they_asked_for(tmp_path: Path) -> None:
    content = os.urandom(1 << 20)
    folder = tmp_path / "videos"
    folder.mkdir()
    (folder / "v.mp4").write_bytes(content)
    write_results(tmp_path / "found.json", {"v": Detections([[0.0, 1.0]], [0.5], [0], ("left",))})
    services = services_for(open_project(ViewerOptions(tmp_path / "found.json", videos=folder)))
    services.playback.conversions.playable = lambda path: (path, "video/mp4")

    def read(port: int, reader: int) -> bool:
        with closing(HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
            for turn in range(4):
                start = (reader * 20011 + turn * 300007) % (len(content) - 70000)
                connection.request("GET", "/api/videos/v/media", headers={"Range": f"bytes={start}-{start + 69999}"})
                answer = connection.getresponse()
                if answer.status != 206 or answer.read() != content[start : start + 70000]:
                    return False
        return True

    with closing(services), running(services) as port, ThreadPoolExecutor(50) as pool:
        assert all(pool.map(lambda reader: read(port, reader), range(50)))


def test_names_in_another_form_of_unicode_are_one(client: Any, videos: Path, tmp_path: Path) -> None:
    composed, decomposed = "m\u00fcde", "mu\u0308de"
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / f"{decomposed}.mp4").write_bytes((videos / "clip0.mp4").read_bytes())
    write_results(tmp_path / "found.json", {decomposed: Detections([[0.0, 1.0]], [0.5], [0], (decomposed,))})
    action = {"segment": [0.0, 1.0], "label": composed}
    database = {composed: {"subset": "x", "duration": 6.0, "annotations": [action]}}
    (tmp_path / "annotations.json").write_text(json.dumps({"database": database}), "utf-8")
    asked = client(
        tmp_path / "found.json",
        annotations=tmp_path / "annotations.json",
        videos=tmp_path / "videos",
        compare=tmp_path / "found.json",
    )
    project = asked.get("/api/project").json()
    assert [video["id"] for video in project["videos"]] == [composed]
    assert project["classes"] == [composed]
    shown = asked.get(f"/api/videos/{escaped_id(composed)}?tiou=0.5").json()
    assert shown["playable"]
    assert [one["kind"] for one in shown["detections"]] == ["true positive"]
    assert asked.get("/api/run?tiou=0.5").json()["map"]["0.5"] == 1.0
    assert asked.get("/api/compare").json()["map"]["0.5"] == [1.0, 1.0]


def test_ids_below_the_folder_of_videos(client: Any, videos: Path, tmp_path: Path) -> None:
    for number, place in enumerate(("run/clip.mp4", "jump/clip.mp4")):
        (tmp_path / "videos" / place).parent.mkdir(parents=True)
        (tmp_path / "videos" / place).write_bytes((videos / f"clip{number}.mp4").read_bytes())
    found = Detections([[0.0, 1.0]], [0.5], [0], ("left",))
    write_results(tmp_path / "found.json", {"run/clip": found, "jump/clip": found})
    asked = client(tmp_path / "found.json", videos=tmp_path / "videos")
    for number, name in enumerate(("run/clip", "jump/clip")):
        media = asked.get(f"/api/videos/{escaped_id(name)}/media")
        assert media.content == (videos / f"clip{number}.mp4").read_bytes()
