import asyncio
import json
import shutil
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import av
import numpy as np
import pytest
from hosting import npy, rows, waited_for
from starlette.testclient import TestClient

from actionformer.formats.detections import read_results
from actionformer.inference.loading import load
from actionformer.serving.application import application
from actionformer.serving.limits import NO_RECORDINGS, Limits, RefusedError
from actionformer.serving.service import Service

FEATURES = npy(rows(60))
BYTES = {"Content-Type": "application/octet-stream"}


def spoken(answer: Any, status: int) -> str:
    assert answer.status_code == status, answer.text
    assert list(answer.json()) == ["error"]
    return str(answer.json()["error"])


def detect(client: TestClient, content: bytes = FEATURES, **question: Any) -> Any:
    return client.post("/v1/detect", params=question, content=content, headers=BYTES)


def ended(client: TestClient, job: str) -> dict[str, Any]:
    """A job, once it has ended."""
    until = time.monotonic() + 60
    while (found := client.get(f"/v1/jobs/{job}").json())["state"] not in ("done", "failed"):
        assert time.monotonic() < until, found
        time.sleep(0.02)
    return dict(found)


def test_features_are_answered_with_what_detect_finds_in_them(asked: TestClient, trained: Path, tmp_path: Path) -> None:
    answer = detect(asked, name="folder/mine.npy")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    (tmp_path / "found.json").write_bytes(answer.content)
    found = load(trained).detect(rows(60))
    (read,) = read_results(tmp_path / "found.json", found.class_names).values()
    assert list(answer.json()["results"]) == ["mine"]
    assert np.allclose(read.segments, found.segments, atol=1e-4)
    assert np.allclose(read.scores, found.scores, atol=1e-5)
    assert np.array_equal(read.labels, found.labels)
    assert len(read) > 0


def test_key_points_are_called_as_detect_calls_them(client: Callable[..., TestClient]) -> None:
    asked = client(given={"backbone": "keypoints"})
    assert list(detect(asked, name="mouse_1DLC_resnet50.npy").json()["results"]) == ["mouse_1"]


def test_only_what_is_wanted_is_told(asked: TestClient) -> None:
    (every,) = detect(asked).json()["results"].values()
    middle = sorted(one["score"] for one in every)[len(every) // 2]
    (some,) = detect(asked, classes="jump", min_score=middle).json()["results"].values()
    assert some == [one for one in every if one["label"] == "jump" and one["score"] >= middle]
    (apart,) = detect(asked, overlap="none").json()["results"].values()
    assert 0 < len(apart) < len(every)


def test_times_are_those_that_the_question_says(asked: TestClient) -> None:
    (usual,) = detect(asked).json()["results"].values()
    answer = detect(asked, fps=10.2, duration=30)
    (faster,) = answer.json()["results"].values()
    assert faster[0]["segment"][0] == pytest.approx(usual[0]["segment"][0] / 1.02, abs=0.02)
    other = spoken(detect(asked, name="mine.npy", stride=10), 422)
    assert other.startswith("mine.npy: features of fps 10, stride 10")
    assert other.endswith("or have the server started with --other-timing")


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ({"classes": "jumps"}, "no class 'jumps', did you mean 'jump'"),
        ({"min_score": 2}, "min_score: Input should be less than or equal to 1"),
        ({"fps": "nan"}, "fps: Input should be"),
        ({"fps": 0}, "fps: Input should be greater"),
        ({"nonsense": 1}, "nonsense: is not known here: leave it out"),
        ({"name": ""}, "name: String should have at least 1 character"),
    ],
)
def test_questions_that_are_none(asked: TestClient, question: dict[str, Any], words: str) -> None:
    assert words in spoken(detect(asked, **question), 422)


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        (b"", 422, "nothing was sent"),
        (b"x" * (4 << 20) + b"x", 413, "more was sent than the 4 MiB"),
        (npy(rows(500)), 413, "lasts longer than the 200 s"),
        (npy(rows(9, width=7)), 422, "mine.npy: 7 channels, expected 6: give the features that the model was made for"),
        (FEATURES[:-1], 422, "does not fit into it"),
    ],
)
def test_files_that_are_not_taken(asked: TestClient, content: bytes, status: int, words: str) -> None:
    assert words in spoken(detect(asked, content, name="mine.npy"), status)


def test_a_recording_needs_a_model_that_says_its_backbone(asked: TestClient) -> None:
    assert spoken(detect(asked, b"a video", name="it.mp4"), 422) == f"it.mp4: {NO_RECORDINGS}"
    assert asked.get("/v1/model").json()["recordings"] == NO_RECORDINGS


def test_addresses_are_taken_from_the_list_alone(asked: TestClient) -> None:
    def post(body: bytes) -> Any:
        return asked.post("/v1/detect", content=body, headers={"Content-Type": "application/json"})

    assert "--allow" in spoken(post(b'{"url": "https://elsewhere.example/it.npy"}'), 403)
    for body in (b"{", b"[]", b"{}", b'{"url": 1}', b'{"url": "a", "more": 1}', b'{"url": ""}'):
        assert 'expected {"url"' in spoken(post(body), 422)
    assert "more was sent than the 65,536 bytes of JSON" in spoken(post(b"[" * (1 << 17)), 413)
    form = asked.post("/v1/detect", files={"file": FEATURES})
    assert "send the file itself" in spoken(form, 415)
    assert "--allow" in spoken(asked.get("/v1/live", params={"source": "/etc/passwd"}), 403)


def test_states_figures_and_the_description_of_the_addresses(asked: TestClient) -> None:
    assert asked.get("/healthz").json() == asked.get("/readyz").json() == {"ok": True}
    detect(asked)
    figures = asked.get("/metrics")
    assert figures.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'actionformer_requests_total{path="/v1/detect",status="200"}' in figures.text
    assert 'actionformer_step_seconds_count{step="network"}' in figures.text
    assert "actionformer_requests_waiting 0.0" in figures.text
    model = asked.get("/v1/model").json()
    assert model["classes"] == ["jump", "run"]
    assert (model["channels"], model["limits"]["max_seconds"]) == (6, 200)
    described = asked.get("/openapi.json").json()
    assert set(described["paths"]) == {
        "/healthz", "/readyz", "/metrics", "/v1/model", "/v1/detect", "/v1/jobs", "/v1/jobs/{job}", "/v1/live",
    }  # fmt: skip
    for address in ("/docs", "/redoc", "/", "/v1", "/v1/nothing"):
        assert "no such address: see /openapi.json" in spoken(asked.get(address), 404)
    assert "takes POST" in spoken(asked.get("/v1/detect"), 405)
    assert asked.post("/v1/jobs/x").headers["allow"] == "DELETE, GET"


def test_a_job_is_asked_for_later_and_dropped(asked: TestClient) -> None:
    answer = asked.post("/v1/jobs", params={"name": "mine.npy"}, content=FEATURES, headers=BYTES)
    assert answer.status_code == 202
    job = answer.json()["id"]
    assert answer.headers["location"] == f"/v1/jobs/{job}"
    done = ended(asked, job)
    assert (done["state"], done["progress"]) == ("done", 1)
    assert done["result"] == detect(asked, name="mine.npy").json()
    assert asked.delete(f"/v1/jobs/{job}").status_code == 204
    assert "no such job" in spoken(asked.get(f"/v1/jobs/{job}"), 404)
    assert "no such job" in spoken(asked.delete(f"/v1/jobs/{job}"), 404)


def test_a_job_is_dropped_where_it_is(asked: TestClient, service: Service) -> None:
    for _ in range(4):
        job = asked.post("/v1/jobs", content=FEATURES, headers=BYTES).json()["id"]
        assert asked.delete(f"/v1/jobs/{job}").status_code == 204
    until = time.monotonic() + 60
    while service._held:
        assert time.monotonic() < until
        time.sleep(0.02)
    assert detect(asked).status_code == 200


def test_a_job_that_fails_says_why(asked: TestClient) -> None:
    job = asked.post("/v1/jobs", content=FEATURES[:-1], headers=BYTES).json()["id"]
    failed = ended(asked, job)
    assert failed["state"] == "failed"
    assert "does not fit into it" in failed["error"]
    asked.delete(f"/v1/jobs/{job}")


def test_no_more_jobs_are_kept_than_can_be(asked: TestClient, service: Service) -> None:
    jobs = [asked.post("/v1/jobs", content=FEATURES, headers=BYTES).json()["id"] for _ in range(4)]
    for job in jobs:
        ended(asked, job)
    jobs.append(asked.post("/v1/jobs", content=FEATURES, headers=BYTES).json()["id"])
    assert "no longer kept" in spoken(asked.get(f"/v1/jobs/{jobs[0]}"), 404)
    assert len(service.jobs) == 4
    ended(asked, jobs[-1])


def test_foreign_names_and_pages_are_refused(asked: TestClient) -> None:
    assert "127.0.0.1" in spoken(asked.get("/healthz", headers={"Host": "evil.example"}), 421)
    assert "another origin" in spoken(asked.get("/v1/model", headers={"Origin": "http://evil.example"}), 403)
    assert "another origin" in spoken(asked.get("/v1/model", headers={"Sec-Fetch-Site": "cross-site"}), 403)


def test_figures_are_counted_where_requests_come_and_go(asked: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actionformer.serving.metrics.Metrics.text", lambda _: str(threading.get_ident()).encode())
    assert asked.portal is not None
    loop = asked.portal.call(threading.get_ident)
    assert asked.get("/metrics").text == str(loop)  # in another thread a set of requests may change meanwhile


def test_an_error_of_its_own_is_said_too(asked: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actionformer.serving.metrics.Metrics.text", lambda _: 1 / 0)
    patient = TestClient(asked.app, base_url="http://127.0.0.1", raise_server_exceptions=False)
    assert "the server failed" in spoken(patient.get("/metrics"), 500)


# --- servers of their own


@pytest.fixture
def client(trained: Path, setup: Any, limits: Limits, tmp_path: Path) -> Iterator[Callable[..., TestClient]]:
    """A server with other limits; `token` is its own."""
    opened: list[TestClient] = []

    def open_client(run: Path = trained, token: str | None = None, given: Any = None, **changes: Any) -> TestClient:
        made = setup(run, tmp_path, replace(limits, **changes), **(given or {}))
        app = application(Service(made), token)
        opened.append(TestClient(app, base_url="http://127.0.0.1" if token is None else "http://box"))
        return opened[-1].__enter__()

    yield open_client
    for one in opened:
        one.__exit__(None, None, None)


def test_with_a_token_only_states_are_told_without_it(client: Callable[..., TestClient]) -> None:
    asked = client(token="a-token")
    for path in ("/healthz", "/readyz"):
        assert asked.get(path).status_code == 200
    for shown in ({}, {"Authorization": "Bearer a-toke"}, {"Authorization": "a-token"}):
        answer = asked.get("/v1/model", headers=shown)
        assert "Authorization: Bearer" in spoken(answer, 401)
        assert answer.headers["www-authenticate"] == "Bearer"
        assert spoken(asked.post("/v1/detect", content=FEATURES, headers=shown), 401)
    assert asked.get("/v1/model", headers={"Authorization": "Bearer a-token"}).status_code == 200
    assert asked.get("/v1/model", headers={"Authorization": "bearer a-token"}).status_code == 200  # as HTTP has it
    described = asked.get("/openapi.json", headers={"Authorization": "Bearer a-token"}).json()["paths"]
    asks = {path: any("security" in one for one in methods.values()) for path, methods in described.items()}
    assert {path for path, secured in asks.items() if not secured} == {"/healthz", "/readyz"}


def test_a_full_queue_says_when_to_come_again(client: Callable[..., TestClient]) -> None:
    asked = client(queue=1)
    job = asked.post("/v1/jobs", content=FEATURES, headers=BYTES).json()["id"]
    answers = [asked.post("/v1/jobs", content=FEATURES, headers=BYTES) for _ in range(20)]
    refused = [one for one in answers if one.status_code == 429]
    assert refused
    assert int(refused[0].headers["retry-after"]) >= 1
    assert "send it again in" in spoken(refused[0], 429)
    assert ended(asked, job)["state"] == "done"


def test_a_server_that_ends_hands_back_what_waits(trained: Path, setup: Any, limits: Limits, tmp_path: Path) -> None:
    service = Service(setup(trained, tmp_path, limits))
    with TestClient(application(service), base_url="http://127.0.0.1") as asked:
        portal = asked.portal
        assert portal is not None
        jobs = [asked.post("/v1/jobs", content=FEATURES, headers=BYTES).json()["id"] for _ in range(4)]
        ending = portal.start_task_soon(service.drain)
        states = [ended(asked, job) for job in jobs]
        assert spoken(asked.get("/readyz"), 503)
        assert asked.get("/healthz").status_code == 200
        late = asked.post("/v1/detect", content=FEATURES, headers=BYTES)
        assert (spoken(late, 503), late.headers["retry-after"]) == (
            "the server is ending: send it again in a moment",
            "5",
        )
        ending.result(timeout=20)
    assert states[0]["state"] == "done"  # it ran
    assert [one["error"] for one in states if one["state"] == "failed"]
    assert not list(tmp_path.iterdir())


def test_a_job_that_is_handed_back_has_failed_at_once(
    trained: Path, setup: Any, limits: Limits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its task takes a moment to end, in which it was told as `reading`, with the error of its end."""
    service = Service(setup(trained, tmp_path, limits))
    with TestClient(application(service), base_url="http://127.0.0.1") as asked:
        assert asked.portal is not None
        asking = asyncio.Event()

        async def hang(*_: object) -> None:
            asking.set()
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(60)
            await asyncio.sleep(0.5)

        monkeypatch.setattr(service._workers, "ask", hang)
        job = asked.post("/v1/jobs", content=FEATURES, headers=BYTES).json()["id"]
        asked.portal.call(asking.wait)
        asked.portal.call(lambda: service.jobs.of(job).hand_back(RefusedError(503, "it ends")))
        told = asked.get(f"/v1/jobs/{job}").json()
        assert (told["state"], told["error"]) == ("failed", "it ends")


def write_large(file: Path) -> bytes:
    """A video of a single grey picture, which is larger than the server takes."""
    with av.open(str(file), "w") as container:
        stream = container.add_stream("mpeg4", rate=1)
        stream.width, stream.height, stream.pix_fmt = 1280, 960, "yuv420p"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((960, 1280, 3), 99, np.uint8))))
        container.mux(stream.encode())
    return file.read_bytes()


def test_a_video_is_answered_with_what_detect_finds_in_it(
    client: Callable[..., TestClient], seen: Path, videos: Path, tmp_path: Path
) -> None:
    asked = client(seen / "run")
    content = (videos / "clip0.mp4").read_bytes()
    answer = detect(asked, content, name="clip0.mp4")
    assert answer.status_code == 200, answer.text
    expected = load(seen / "run").detect_video(videos / "clip0.mp4").to_dict()
    for found, other in zip(answer.json()["results"]["clip0"], expected, strict=True):
        assert found["label"] == other["label"]
        assert found["segment"] == pytest.approx(other["segment"], abs=1e-3)
    assert asked.get("/v1/model").json()["recordings"] is None
    assert "not a readable video" in spoken(detect(asked, b"no video", name="clip0.mp4"), 422)
    large = write_large(tmp_path / "large.mp4")
    assert "1280 x 960 pixels" in spoken(detect(asked, large, name="large.mp4"), 413)


def test_a_model_of_the_hub_is_fetched_once(trained: Path, setup: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("actionformer.inference.loading.model_folder", lambda _: trained)
    assert setup("hf://ann/jumps", tmp_path).run == str(trained)


@pytest.mark.slow
def test_another_engine_finds_the_same(trained: Path, setup: Any, tmp_path: Path, asked: TestClient) -> None:
    for package in ("onnxruntime", "onnxscript"):
        pytest.importorskip(package, reason="the engine needs the extra export")
    made = setup(trained, tmp_path, engine="onnxruntime")
    assert made.detector.runner.engine._call is not None  # made before the first request, which may not wait for it
    with TestClient(application(Service(made)), base_url="http://127.0.0.1") as other:
        answer = detect(other).json()
    assert made.detector.runner.engine.name == "onnxruntime"
    assert "warnings" not in answer
    (found,) = answer["results"].values()
    (usual,) = detect(asked).json()["results"].values()
    assert len(found) == len(usual) > 0
    assert np.allclose([one["score"] for one in found], [one["score"] for one in usual], atol=1e-4)


def test_what_is_said_before_a_live_source_begins_comes_after_it(
    client: Callable[..., TestClient], seen: Path, videos: Path, tmp_path: Path
) -> None:
    centred = shutil.copytree(seen / "run", tmp_path / "centred")
    settings = (centred / "config.toml").read_text("utf-8")
    (centred / "config.toml").write_text(settings.replace("center_videos = false", "center_videos = true"), "utf-8")
    asked = client(centred, given={"allow": (f"{videos}/",)}, patience=1)
    question: dict[str, Any] = {"source": str(videos / "clip0.mp4"), "max_action_seconds": 5}
    with asked.stream("GET", "/v1/live", params=question) as answer:
        assert answer.status_code == 200
        told = "".join(answer.iter_text())
    begun, warning, *_ = told.split("\n\n")
    assert begun.startswith("event: begun\n")
    assert warning.startswith("event: warning\n")
    assert "less its mean" in warning


def test_a_client_hears_nothing_of_a_backbone_that_the_operator_alone_can_mend(
    client: Callable[..., TestClient], seen: Path, videos: Path
) -> None:
    asked = client(seen / "run", given={"allow": (f"{videos}/",), "weights": ("/srv/secret.pth",)})
    live = asked.get("/v1/live", params={"source": str(videos / "clip0.mp4")})
    assert spoken(live, 422) == asked.get("/v1/model").json()["recordings"] == NO_RECORDINGS


def test_a_source_whose_client_leaves_before_it_begins_is_given_up() -> None:
    closed: list[bool] = []
    sent: list[Any] = []

    async def follow(_: object) -> AsyncIterator[dict[str, Any]]:
        try:
            await asyncio.sleep(60)  # loads its backbone
            yield {"begun": {}}
        finally:
            closed.append(True)

    coming = iter([{"type": "http.request"}, {"type": "http.disconnect"}])

    async def receive() -> Any:
        return next(coming)

    async def send(message: Any) -> None:
        sent.append(message)

    async def ask() -> None:
        scope = {"type": "http", "method": "GET", "path": "/v1/live", "query_string": b"source=x"}
        headers = [(b"host", b"localhost")]
        await application(Mock(follow=follow))({**scope, "http_version": "1.1", "headers": headers}, receive, send)

    waited_for(ask())
    assert closed == [True]
    assert sent[0]["status"] == 499


def test_a_live_source_tells_its_actions_as_events(client: Callable[..., TestClient], seen: Path, videos: Path) -> None:
    asked = client(seen / "run", given={"allow": (f"{videos}/",)}, patience=1)
    question: dict[str, Any] = {"source": str(videos / "clip0.mp4"), "max_action_seconds": 5}
    with asked.stream("GET", "/v1/live", params=question) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        events = [part.split("\n", 1) for part in "".join(answer.iter_text()).strip().split("\n\n")]
    kinds = [kind.removeprefix("event: ") for kind, _ in events]
    assert kinds[0] == "begun"
    assert kinds[-1] == "end"
    first = json.loads(events[kinds.index("action")][1].removeprefix("data: "))
    assert first.keys() >= {"label", "start", "end", "score"}
    assert "no class" in spoken(asked.get("/v1/live", params={**question, "classes": "x"}), 422)
    missing = asked.get("/v1/live", params={"source": str(videos / "none.mp4")})
    assert "no such file" in spoken(missing, 422)
