import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from asking import of, refusal

from actionformer.formats.detections import read_results


def test_every_detection_says_what_it_is(client: Any, detections: Path, seen: Path) -> None:
    asked = client(detections, annotations=seen / "annotations.json")
    video = of(asked, "/api/videos/clip0", tiou=0.5)
    assert [one["kind"] for one in video["detections"]] == [
        "true positive",
        "duplicate",
        "wrong label",
        "localization",
        "background",
    ]
    assert [one["match"] for one in video["detections"]] == [0, 0, 0, 1, None]
    assert video["detections"][3] == {
        "segment": [4.4, 6.0], "score": 0.6, "label": 1, "level": None, "kind": "localization", "iou": 0.24, "match": 1,
    }  # fmt: skip
    assert video["actions"] == [
        {"segment": [1.0, 2.5], "label": 0, "found": True},
        {"segment": [3.5, 5.0], "label": 1, "found": False},
    ]
    lower = of(asked, "/api/videos/clip0", tiou=0.2)
    assert [one["kind"] for one in lower["detections"]][3] == "true positive"


def test_a_run_without_detections_is_searched_when_a_video_is_opened(
    client: Any, seen: Path, evaluated: Path, tmp_path: Path
) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    for name in ("config.toml", "model.json", "model.safetensors"):
        (bare / name).write_bytes((seen / "run" / name).read_bytes())
    content = json.loads((seen / "annotations.json").read_text("utf-8"))
    content["database"]["clip2"]["subset"] = "another"
    (tmp_path / "subsets.json").write_text(json.dumps(content), "utf-8")
    listed = of(client(bare, annotations=tmp_path / "subsets.json"), "/api/project")["videos"]
    assert [video["id"] for video in listed] == ["clip0", "clip1"]  # the subset that the run is tested on
    asked = client(bare)
    assert {video["detections"] for video in of(asked, "/api/project")["videos"]} == {None}
    video = of(asked, "/api/videos/clip0")
    expected = read_results(evaluated / "detections.json")["clip0"]
    np.testing.assert_allclose([one["score"] for one in video["detections"]], expected.scores, atol=1e-3)
    assert {one["level"] for one in video["detections"]} <= {0, 1, 2}
    assert video["detections"][0]["kind"] is not None


def test_what_states_no_duration_lasts_as_long_as_its_features(
    client: Any, evaluated: Path, seen: Path, videos: Path, tmp_path: Path
) -> None:
    features = shutil.copytree(seen / "features", tmp_path / "features")
    for sidecar in features.glob("*.json"):
        stated = json.loads(sidecar.read_text("utf-8"))
        sidecar.write_text(json.dumps({key: stated[key] for key in ("fps", "stride", "num_frames")}), "utf-8")
    content = json.loads((seen / "annotations.json").read_text("utf-8"))
    for entry in content["database"].values():
        del entry["duration"]
        entry["annotations"] = entry["annotations"][:1]
    (tmp_path / "short.json").write_text(json.dumps(content), "utf-8")
    given: dict[str, Any] = {"annotations": tmp_path / "short.json", "features": (features,)}
    np.save(features / "clip0.npy", np.load(features / "clip0.npy")[:20])
    covered = 0.1 * (2 * 19 + 4)  # 4 frames every 2, 10 a second
    assert of(client(evaluated, **given), "/api/videos/clip0")["duration"] == pytest.approx(covered)
    (features / "clip1.json").write_text("{", "utf-8")
    asked = client(evaluated, **given, videos=videos)
    assert of(asked, "/api/videos/clip0")["duration"] == pytest.approx(6.0)  # the file's own
    assert "clip1.json" in refusal(asked, "/api/videos/clip1/scores", 400)
    assert of(asked, "/api/videos/clip1")["duration"] == pytest.approx(6.0)  # what is broken stops that video alone
