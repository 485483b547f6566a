"""What to label next."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from actionformer.formats.detections import read_results
from actionformer.recipes.suggest import suggest
from actionformer.viewer.label import project_to_label


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first of the three videos is labelled."""
    path = tmp_path_factory.mktemp("labelled") / "annotations.json"
    path.write_text(json.dumps({"database": {"clip0": {"subset": "training", "annotations": []}}}), "utf-8")
    return path


def test_the_least_sure_videos_come_first_and_labelled_ones_are_left_out(
    call: Any, seen: Path, videos: Path, labelled: Path, tmp_path: Path
) -> None:
    out = tmp_path / "suggestions.json"
    result = call("suggest", seen / "run", videos, "--annotations", labelled, "--out", out)
    assert result.code == 0
    assert "1 labelled video left out" in result.out
    assert "is not calibrated" in result.err
    content = json.loads(out.read_text("utf-8"))
    worths = [one["worth"] for one in content["suggestions"]]
    assert worths == sorted(worths, reverse=True)
    assert {one["video"] for one in content["suggestions"]} == {"clip1", "clip2"} == set(read_results(out))
    for one in content["suggestions"]:
        assert one["worth"] == pytest.approx(sum(span["worth"] for span in one["spans"]))
    assert set(project_to_label(videos, tmp_path / "new.json", drafts=out).detections) == {"clip1", "clip2"}


def test_of_several_runs_every_span_has_the_word_of_each(
    seen: Path, videos: Path, labelled: Path, tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    other = shutil.copytree(seen / "run", tmp_path / "run")
    features = seen / "features" / "clip1.npy"
    alone, both = suggest(seen / "run", [features]), suggest(seen / "run", [features], also=[other])
    assert [span.probabilities for span in both.videos[0].drafts] == [
        span.probabilities * 2 for span in alone.videos[0].drafts
    ]
    assert all(span.disagreement == pytest.approx(0, abs=1e-12) for span in both.videos[0].drafts)


def test_a_file_that_cannot_be_looked_at_is_told_at_the_end(
    call: Any, seen: Path, videos: Path, tmp_path: Path
) -> None:
    shutil.copy(videos / "clip0.mp4", tmp_path)
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    result = call("suggest", seen / "run", tmp_path)
    assert result.code == 1
    assert "clip0" in result.out
    assert "broken.mp4" in result.err


def test_where_all_is_labelled_nothing_is_left(refused: Any, seen: Path, videos: Path, labelled: Path) -> None:
    assert "nothing is left" in refused("suggest", seen / "run", videos / "clip0.mp4", "--annotations", labelled)
