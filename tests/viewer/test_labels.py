"""Labels as the page gives them, through the server's addresses."""

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from asking import of, refusal
from starlette.testclient import TestClient

from actionformer.core.detections import Detections
from actionformer.formats.annotations import read_annotations
from actionformer.formats.detections import write_results
from actionformer.viewer.application import application
from actionformer.viewer.label import project_to_label
from actionformer.viewer.start import services_for


@pytest.fixture
def folder(videos: Path, tmp_path: Path) -> Path:
    """Two videos, one of them in a subfolder, a broken one and a hidden one."""
    (tmp_path / "videos" / "more").mkdir(parents=True)
    shutil.copy(videos / "clip0.mp4", tmp_path / "videos")
    shutil.copy(videos / "clip1.mp4", tmp_path / "videos" / "more")
    for name in ("broken.mp4", "._clip0.mp4"):
        (tmp_path / "videos" / name).write_bytes(b"no video")
    return tmp_path / "videos"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "labels.json"


@pytest.fixture
def drafts(tmp_path: Path) -> Path:
    found = Detections([[0.5, 1.5], [2.0, 3.0], [4.0, 4.5]], [0.9, 0.6, 0.1], [1, 0, 0], ("jump", "wave"))
    write_results(tmp_path / "found.json", {"clip0": found})
    return tmp_path / "found.json"


@pytest.fixture
def ask(folder: Path, out: Path) -> Iterator[Any]:
    """Starts a server about the folder and asks it; another call starts another server."""
    opened = ExitStack()

    def start(classes: tuple[str, ...] = ("wave", "jump"), **given: Any) -> TestClient:
        services = services_for(project_to_label(folder, out, classes, **given))
        opened.enter_context(closing(services))
        return opened.enter_context(closing(TestClient(application(services), base_url="http://127.0.0.1:8000")))

    with opened:
        yield start


def put(client: TestClient, video: str, *actions: tuple[float, float, int], status: int = 200, **said: Any) -> Any:
    """Saves what a page says of a video, by default one that has just loaded it."""
    rows = [{"segment": [start, end], "label": label} for start, end, label in actions]
    revision = client.get(f"/api/labels/{video}").json().get("revision", 0)
    body = {"actions": rows, "decided": [], "done": False, "revision": revision} | said
    answer = client.put(f"/api/labels/{video}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_a_folder_of_videos_becomes_annotations(ask: Any, out: Path) -> None:
    client = ask()
    project = of(client, "/api/project")
    assert project["labelling"]
    assert project["classes"] == ["wave", "jump"]
    assert [video["id"] for video in project["videos"]] == ["broken", "clip0", "more/clip1"]
    assert not out.exists()
    first = put(client, "clip0", (1.0, 2.00004, 0))
    assert (first["file"], first["actions"]) == ("labels.json", [{"segment": [1, 2], "label": 0}])
    put(client, "more~2Fclip1", done=True)
    read = read_annotations(out)
    assert read.videos["clip0"].fps == 10
    assert read.videos["clip0"].duration == pytest.approx(of(client, "/api/videos/clip0")["duration"])
    assert len(read.videos["more/clip1"].labels) == 0
    rows = {video["id"]: video for video in of(client, "/api/project")["videos"]}
    assert (rows["clip0"]["actions"], rows["clip0"]["done"]) == (1, False)
    assert (rows["more/clip1"]["actions"], rows["more/clip1"]["done"]) == (0, True)
    again = ask(classes=())
    assert of(again, "/api/project")["classes"] == ["wave", "jump"]
    assert of(again, "/api/labels/clip0") == first


def test_a_video_that_cannot_be_opened_is_said_and_not_labelled(ask: Any, folder: Path) -> None:
    client = ask()
    lengths = of(client, "/api/lengths")
    assert lengths["broken"]["why_not"].startswith("broken.mp4: not a readable video")
    assert lengths["clip0"]["duration"] > 0
    assert "cannot be labelled: broken.mp4" in refusal(client, "/api/labels/broken", 404)
    assert "broken.mp4" in put(client, "broken", done=True, status=404)["error"]


def test_of_two_who_label_one_video_the_second_is_told(ask: Any) -> None:
    one, other = ask(), ask()
    begun = of(other, "/api/labels/clip0")["revision"]
    put(one, "clip0", (1.0, 2.0, 0), revision=begun)
    assert "labelled elsewhere" in put(other, "clip0", (3.0, 4.0, 1), revision=begun, status=409)["error"]
    put(other, "clip0", (3.0, 4.0, 1), done=True)
    assert of(one, "/api/progress")["videos"]["clip0"] == {"actions": 1, "drafts": 0, "done": True}


def test_classes_are_added_and_renamed_and_numbers_stay(ask: Any, out: Path) -> None:
    client, other = ask(), ask()
    assert client.post("/api/classes", json={"name": " 跳ぶ 👋 "}).json() == {
        "label": 2,
        "classes": ["wave", "jump", "跳ぶ 👋"],
    }
    revision = put(client, "clip0", (1.0, 2.0, 0), (3.0, 4.0, 2))["revision"]
    names = ["<b>Wink</b>", "jump", "跳ぶ 👋"]
    assert client.put("/api/classes/0", json={"name": "<b>Wink</b>"}).json() == {"classes": names}
    assert of(client, "/api/labels/clip0")["actions"][0]["label"] == 0
    assert set(read_annotations(out).class_names) == {"<b>Wink</b>", "跳ぶ 👋"}
    assert of(other, "/api/progress")["classes"] == names  # and another server on the file keeps its numbers too
    put(client, "clip0", revision=revision)  # what was begun before goes on
    assert of(ask(), "/api/project")["classes"] == names  # with no video left, and though --classes has the old name
    for address, name in (("", "jump"), ("/0", "jump"), ("", "   "), ("/9", "new")):
        ask_it = client.put if address else client.post
        assert ask_it(f"/api/classes{address}", json={"name": name}).status_code == 400


def test_what_others_write_into_the_file_is_taken_up(ask: Any, out: Path) -> None:
    client = ask()
    before = put(client, "clip0", (1.0, 2.0, 1))["revision"]
    content = json.loads(out.read_text("utf-8"))
    content["database"]["clip0"]["annotations"].append({"segment": [3, 4], "label": "swim"})
    content["url"] = "kept"
    out.write_text(json.dumps(content), "utf-8")
    answer = of(client, "/api/labels/clip0")
    assert answer["classes"] == ["wave", "jump", "swim"]
    assert [action["label"] for action in answer["actions"]] == [1, 2]
    put(client, "clip0", (1.0, 2.0, 1), revision=before, status=409)  # of who has not seen it
    put(client, "clip0", (1.0, 2.0, 1))
    assert json.loads(out.read_text("utf-8"))["url"] == "kept"
    out.write_text("[", "utf-8")
    assert "labels.json" in put(client, "clip0", status=400)["error"]
    assert out.read_text("utf-8") == "["  # what cannot be read is not overwritten


def test_drafts_are_written_only_when_they_are_accepted(ask: Any, out: Path, drafts: Path) -> None:
    client = ask(drafts=drafts)
    video = of(client, "/api/videos/clip0")
    assert [draft["label"] for draft in video["detections"]] == [0, 1, 1]  # as the page's classes are numbered
    rows = {row["id"]: row["drafts"] for row in of(client, "/api/project")["videos"]}
    assert rows == {"broken": 0, "clip0": 2, "more/clip1": 0}  # one scores less than is shown at first
    put(client, "clip0", (0.5, 1.5, 0), decided=[0, 1])
    assert len(read_annotations(out).videos["clip0"].labels) == 1
    assert of(ask(drafts=drafts), "/api/labels/clip0")["decided"] == [0, 1]
    assert of(ask(), "/api/labels/clip0")["decided"] == []
    without = ask()
    put(without, "clip0", (0.5, 1.5, 0))  # who is offered no drafts forgets no decision
    assert of(ask(drafts=drafts), "/api/labels/clip0")["decided"] == [0, 1]
    assert put(client, "clip0", decided=[7], status=400)["error"] == "there is no draft 7"


def test_drafts_are_of_a_class_by_the_name_that_it_has_now(ask: Any, out: Path, drafts: Path) -> None:
    client = ask(drafts=drafts)
    put(client, "clip0", (0.5, 1.5, 0), decided=[0])
    for name in ("wink", "blink"):
        client.put("/api/classes/0", json={"name": name})
    put(client, "clip0", (0.5, 1.5, 0), decided=[0, 2])
    again = ask(drafts=drafts)
    assert of(again, "/api/project")["classes"] == ["blink", "jump"]
    assert [draft["label"] for draft in of(again, "/api/videos/clip0")["detections"]] == [0, 1, 1]
    assert of(again, "/api/labels/clip0")["decided"] == [0, 2]
    again.post("/api/classes", json={"name": "wave"})
    assert (
        of(ask(drafts=drafts), "/api/videos/clip0")["detections"][0]["label"] == 2
    )  # a class that is there comes first


def test_what_is_no_labelling_is_refused(client: Any, detections: Path) -> None:
    asked = client(detections)
    assert not of(asked, "/api/project")["labelling"]
    assert "actionformer label" in refusal(asked, "/api/labels/clip0", 404)
