"""Pieces of videos over HTTP."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import av
import numpy as np
import pytest
from browsing import serving
from starlette.testclient import TestClient
from waiting import until

from actionformer.core.detections import Detections
from actionformer.formats.detections import write_results
from actionformer.viewer.media import conversions
from actionformer.viewer.media.segments import SEGMENT_SECONDS
from actionformer.viewer.options import ViewerOptions


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Videos: `old`, which no browser plays, `new`, which all play, `broken`, and `away`, a link out of the folder."""
    folder = tmp_path / "videos"
    folder.mkdir()
    for path, codec in (
        (folder / "old.avi", "mpeg4"),
        (folder / "new.mp4", "libx264"),
        (tmp_path / "away.avi", "mpeg4"),
    ):
        with av.open(str(path), "w") as file:
            stream: Any = file.add_stream(codec, rate=10)
            stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
            for i in range(40):
                image = np.full((64, 64, 3), 5 * i, np.uint8)
                file.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
            file.mux(stream.encode())
    (folder / "broken.avi").write_bytes(b"nothing of the kind")
    (folder / "away.avi").symlink_to(tmp_path / "away.avi")
    return folder


@pytest.fixture
def given(folder: Path, tmp_path: Path) -> ViewerOptions:
    found = Detections([[0.0, 4.0]], [0.5], [0], ("left",))
    write_results(tmp_path / "found.json", dict.fromkeys(("old", "new", "broken", "away", "absent"), found))
    return ViewerOptions(tmp_path / "found.json", videos=folder)


@pytest.fixture
def asked(client: Any, given: ViewerOptions) -> TestClient:
    return client(given.source, videos=given.videos)  # type: ignore[no-any-return]


def test_an_answer_says_how_a_video_is_played(asked: TestClient) -> None:
    video = asked.get("/api/videos/old").json()
    assert (video["playable"], video["conversion"]) == (True, "transcode")
    kind = 'video/mp4; codecs="avc1.64002a"'
    assert video["media_segments"] == {"type": kind, "seconds": SEGMENT_SECONDS, "duration": pytest.approx(4, abs=0.11)}
    assert asked.get("/api/videos/new").json()["media_segments"] is None
    broken = asked.get("/api/videos/broken").json()
    assert (broken["playable"], broken["media_segments"]) == (False, None)


def test_a_segment_is_a_whole_answer_that_browsers_do_not_keep(asked: TestClient) -> None:
    first, second = (asked.get(f"/api/videos/old/media/{number}") for number in (0, 1))
    for answer in (first, second):
        assert answer.status_code == 200
        assert answer.content[4:8] == b"ftyp"
        assert answer.headers["content-length"] == str(len(answer.content))
        assert answer.headers["content-type"] == 'video/mp4; codecs="avc1.64002a"'
        assert answer.headers["cache-control"] == "no-cache"
    assert first.content != second.content
    head = asked.head("/api/videos/old/media/0")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == first.headers["content-length"]
    assert asked.get("/api/videos/new/media").headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("old/media/2", 404, "no picture from 6.4 s on: old.avi ends before that"),
        ("old/media/99999999999999999999999", 404, "ends before that"),
        ("new/media/0", 404, "played as a whole"),
        ("nobody/media/0", 404, "no video of this name"),
        ("absent/media/0", 415, "no file absent.*"),
        ("away/media/0", 415, "leads out of the folder"),
        ("broken/media/0", 415, "not a readable video"),
        ("old/media", 415, "only in segments"),
    ],
)
def test_what_there_is_not_is_said(asked: TestClient, path: str, status: int, words: str) -> None:
    answer = asked.get(f"/api/videos/{path}")
    assert answer.status_code == status
    assert words in answer.json()["error"]


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[list[int], threading.Event]]:
    """The segments whose encoding was begun, and what lets it end."""
    begun: list[int] = []
    going = threading.Event()

    def encode(path: Path, number: int, sound: bool) -> bytes:
        begun.append(number)
        assert going.wait(20)
        return b"segment"

    monkeypatch.setattr(conversions, "encode_segment", encode)
    monkeypatch.setattr(conversions, "SEGMENT_SECONDS", 0.1)
    yield begun, going
    going.set()


def test_two_are_encoded_at_once_and_none_for_those_who_went_away(
    given: ViewerOptions, slow: tuple[list[int], threading.Event]
) -> None:
    begun, going = slow
    with serving(given) as url, ThreadPoolExecutor(2) as pool:
        place = urlsplit(url).netloc

        def read(number: int) -> bytes:
            with closing(HTTPConnection(place, timeout=30)) as connection:
                connection.request("GET", f"/api/videos/old/media/{number}")
                return connection.getresponse().read()

        patient = [pool.submit(read, number) for number in (0, 1)]
        until(lambda: len(begun) == 2)
        gone = [HTTPConnection(place, timeout=30) for _ in range(20)]
        for number, connection in enumerate(gone, start=2):
            connection.request("GET", f"/api/videos/old/media/{number}")
        with closing(HTTPConnection(place, timeout=30)) as other:  # what is asked meanwhile is answered
            other.request("GET", "/api/project")
            assert other.getresponse().status == 200
        for connection in gone:
            connection.close()
        time.sleep(0.2)
        assert sorted(begun) == [0, 1]
        going.set()
        assert [one.result() for one in patient] == [b"segment", b"segment"]
        assert read(30) == b"segment"
    assert sorted(begun) == [0, 1, 30]
