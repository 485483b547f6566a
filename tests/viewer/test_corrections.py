import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from actionformer.core.detections import Detections
from actionformer.core.errors import InputError
from actionformer.formats.annotations import read_annotations
from actionformer.formats.detections import write_results
from actionformer.viewer.opening import open_project
from actionformer.viewer.options import ViewerOptions

DATABASE = {
    "a": {
        "subset": "test",
        "duration": 10.0,
        "url": "kept",
        "annotations": [
            {"segment": [1.25, 2.123456789], "label": "run", "label_id": 4},
            {"segment": [3.0, 4.0], "label": "jump", "label_id": 0},
        ],
    },
    "b": {"subset": "training", "duration": 5.0, "annotations": [{"segment": [0.5, 1.0], "label": "run"}]},
}


@pytest.fixture
def found(tmp_path: Path) -> Path:
    one = Detections([[1.0, 2.0], [5.0, 6.0]], [0.9, 0.8], [1, 0], ("swim", "run"))
    write_results(tmp_path / "found.json", {"a": one})
    return tmp_path / "found.json"


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    folder = tmp_path / "given"
    folder.mkdir()
    (folder / "truth.json").write_text(json.dumps({"database": DATABASE, "taxonomy": ["kept"]}), "utf-8")
    return folder / "truth.json"


def put(asked: Any, actions: list[tuple[float, float, int]], revision: int, video: str = "a") -> Any:
    rows = [{"segment": [start, end], "label": label} for start, end, label in actions]
    return asked.put(f"/api/corrections/{video}", json={"actions": rows, "revision": revision})


def test_corrections_begin_with_the_annotations_as_they_are(client: Any, found: Path, truth: Path) -> None:
    asked = client(found, annotations=truth)
    names = asked.get("/api/project").json()["classes"]
    answer = asked.get("/api/corrections/a").json()
    assert answer["revision"] == 0
    assert [(one["segment"], names[one["label"]]) for one in answer["actions"]] == [
        ([1.25, 2.123456789], "run"),
        ([3.0, 4.0], "jump"),
    ]
    assert not (found.parent / "truth.corrected.json").exists()


def test_a_correction_is_saved_beside_and_the_original_stays(client: Any, found: Path, truth: Path) -> None:
    before = truth.read_bytes()
    asked = client(found, annotations=truth)
    names = asked.get("/api/project").json()["classes"]
    run, swim = names.index("run"), names.index("swim")
    answer = put(asked, [(6.0, 7.5, swim), (1.5, 2.0, run)], 0)
    assert answer.status_code == 200
    assert answer.json()["revision"] == 1
    assert answer.json() == asked.get("/api/corrections/a").json()
    assert truth.read_bytes() == before
    saved = read_annotations(found.parent / "truth.corrected.json")
    assert saved.videos["a"].segments.tolist() == [[1.5, 2.0], [6.0, 7.5]]
    assert [saved.class_names[label] for label in saved.videos["a"].labels] == ["run", "swim"]
    assert saved.class_names[4] == "run"  # ids of the file stay
    assert saved.videos["b"].segments.tolist() == [[0.5, 1.0]]  # and so do the other videos
    content = json.loads((found.parent / "truth.corrected.json").read_text("utf-8"))
    assert content["taxonomy"] == ["kept"]
    assert content["database"]["a"]["url"] == "kept"


def test_a_correction_of_something_older_is_refused(client: Any, found: Path, truth: Path) -> None:
    asked = client(found, annotations=truth)
    assert put(asked, [(1.0, 2.0, 0)], 0).status_code == 200
    late = put(asked, [(5.0, 6.0, 0)], 0)
    assert late.status_code == 409
    assert "load it again" in late.json()["error"]
    assert asked.get("/api/corrections/a").json()["actions"] == [{"segment": [1.0, 2.0], "label": 0}]
    assert put(asked, [], 1).json() == {"actions": [], "revision": 2, "file": "truth.corrected.json"}


def test_corrections_go_on_where_they_were_left(client: Any, found: Path, truth: Path) -> None:
    put(client(found, annotations=truth), [(1.0, 2.0, 0)], 0)
    again = client(found, annotations=truth)
    kept = again.get("/api/corrections/a").json()
    assert (kept["actions"], kept["revision"]) == ([{"segment": [1.0, 2.0], "label": 0}], 1)
    assert [video["corrected"] for video in again.get("/api/project").json()["videos"]] == [True]


def test_without_annotations_a_file_of_them_begins(client: Any, found: Path, tmp_path: Path) -> None:
    out = tmp_path / "mine" / "new.json"
    asked = client(found, corrections=out)
    assert asked.get("/api/corrections/a").json() == {"actions": [], "revision": 0, "file": "new.json"}
    assert put(asked, [(1.0, 2.0, 1)], 0).status_code == 200
    saved = read_annotations(out)
    assert (saved.videos["a"].subset, saved.videos["a"].duration) == ("training", 6.0)
    assert saved.class_names == ("swim",)


@pytest.mark.parametrize(
    ("actions", "words"),
    [
        ([(2.0, 2.0, 0)], "run at 2 s: expected a start"),
        ([(3.0, 2.0, 0)], "found 3 and 2"),
        ([(-1.0, 2.0, 0)], "at 0 or later"),
        ([(1.0, 2.0, 9)], "no class 9"),
    ],
)
def test_actions_that_cannot_be_are_refused(
    client: Any, found: Path, truth: Path, actions: list[tuple[float, float, int]], words: str
) -> None:
    asked = client(found, annotations=truth)
    answer = put(asked, actions, 0)
    assert answer.status_code == 400
    assert words in answer.json()["error"]
    assert asked.get("/api/corrections/a").json()["revision"] == 0
    assert put(asked, [], 0, video="b").status_code == 404  # it is not among what is evaluated
    wrong = asked.put("/api/corrections/a", content='{"actions": [{"segment": [1, NaN], "label": 0}], "revision": 0}')
    assert wrong.status_code == 422


def test_the_annotations_themselves_are_never_written(found: Path, truth: Path) -> None:
    with pytest.raises(InputError, match="is the annotation file itself"):
        open_project(ViewerOptions(found, annotations=truth, corrections=truth))


def test_a_file_that_cannot_be_written_is_said(client: Any, found: Path, truth: Path, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    asked = client(found, annotations=truth, corrections=tmp_path / "folder")
    answer = put(asked, [(1.0, 2.0, 0)], 0)
    assert answer.status_code == 400
    assert "cannot write" in answer.json()["error"]
    assert asked.get("/api/corrections/a").json()["revision"] == 0


def test_a_video_can_be_judged_by_its_corrected_annotations(client: Any, found: Path, truth: Path) -> None:
    asked = client(found, annotations=truth)
    names = asked.get("/api/project").json()["classes"]

    def judged(**how: Any) -> tuple[bool, list[str], list[tuple[list[float], bool]]]:
        answer = asked.get("/api/videos/a", params={"tiou": 0.5, **how}).json()
        actions = [(one["segment"], one["found"]) for one in answer["actions"]]
        return answer["corrected"], [one["kind"] for one in answer["detections"]], actions

    as_annotated = (["true positive", "background"], [([1.25, 2.1235], True), ([3.0, 4.0], False)])
    assert judged() == (False, *as_annotated)
    assert judged(corrected=True) == (False, *as_annotated)  # nothing was corrected
    swim = names.index("swim")
    put(asked, [(1.0, 2.0, swim), (5.2, 6.0, swim)], 0)
    assert judged(corrected=True) == (True, ["wrong label", "true positive"], [([1.0, 2.0], False), ([5.2, 6.0], True)])
    assert judged() == (True, *as_annotated)


def test_without_annotations_what_is_added_is_the_ground_truth(client: Any, found: Path) -> None:
    asked = client(found)
    assert put(asked, [(1.0, 2.0, 0)], 0).status_code == 200
    plain, corrected = (asked.get("/api/videos/a", params={"corrected": how}).json() for how in (False, True))
    assert [one["kind"] for one in plain["detections"]] == [None, None]
    assert [one["kind"] for one in corrected["detections"]] == ["true positive", "background"]


def test_two_viewers_write_one_file_and_lose_nothing(client: Any, truth: Path, tmp_path: Path) -> None:
    one = Detections([[1.0, 2.0]], [0.9], [0], ("run",))
    write_results(tmp_path / "both.json", {"a": one, "b": one})
    first, second = (client(tmp_path / "both.json", annotations=truth) for _ in range(2))
    assert put(first, [(1.0, 2.0, 0)], 0, "a").status_code == 200
    assert put(second, [(3.0, 4.0, 0)], 0, "b").status_code == 200
    corrected = read_annotations(truth.parent.parent / "truth.corrected.json")
    assert corrected.videos["a"].segments.tolist() == [[1.0, 2.0]]
    assert corrected.videos["b"].segments.tolist() == [[3.0, 4.0]]
    assert put(second, [], 0, "a").status_code == 409
    assert second.get("/api/corrections/a").json()["revision"] == 1


def test_saves_of_two_viewers_at_the_same_moment_are_all_kept(client: Any, tmp_path: Path) -> None:
    one = Detections([[1.0, 2.0]], [0.9], [0], ("run",))
    write_results(tmp_path / "both.json", {"a": one, "b": one})

    asked = [client(tmp_path / "both.json", corrections=tmp_path / "corrected.json") for _ in range(2)]

    def correct(viewer: Any, video: str) -> list[int]:
        return [put(viewer, [(0.0, float(i + 1), 0)], i, video).status_code for i in range(15)]

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(correct, asked, ["a", "b"])) == [[200] * 15] * 2
    content = json.loads((tmp_path / "corrected.json").read_text("utf-8"))
    assert [content["database"][video]["revision"] for video in ("a", "b")] == [15, 15]


def test_a_file_that_was_broken_by_hand_is_not_written_over(client: Any, found: Path, truth: Path) -> None:
    asked = client(found, annotations=truth)
    assert put(asked, [(1.0, 2.0, 0)], 0).status_code == 200
    corrected = truth.parent.parent / "truth.corrected.json"
    corrected.write_text("{", "utf-8")
    answer = put(asked, [], 1)
    assert answer.status_code == 400
    assert "truth.corrected.json" in answer.json()["error"]
    assert corrected.read_text("utf-8") == "{"
    assert asked.get("/api/videos/a").json()["corrected"] is False  # the rest goes on
    corrected.unlink()
    assert put(asked, [], 1).status_code == 200  # what was saved is still known


def test_actions_that_are_not_touched_keep_all_that_their_rows_hold(client: Any, found: Path, tmp_path: Path) -> None:
    rows = [
        {"segment": [1.0, 2.0], "label": "run", "note": "kept", "segment(frames)": [25, 50]},
        {"segment": [4.0, 4.0], "label": "run"},  # no length: nothing new may have that, what is there stays
        {"segment": [6.0, 7.0], "label": "run", "note": "gone with its place"},
    ]
    video = {"subset": "test", "duration": 10.0, "annotations": rows}
    (tmp_path / "rows.json").write_text(json.dumps({"database": {"a": video}}), "utf-8")
    asked = client(found, annotations=tmp_path / "rows.json")
    run = asked.get("/api/project").json()["classes"].index("run")
    assert put(asked, [(6.5, 7.0, run), (1.0, 2.0, run), (4.0, 4.0, run)], 0).status_code == 200
    content = json.loads((tmp_path / "rows.corrected.json").read_text("utf-8"))
    assert content["database"]["a"]["annotations"] == [*rows[:2], {"segment": [6.5, 7.0], "label": "run"}]
