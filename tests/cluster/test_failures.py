"""The file of the videos that were set aside."""

import json
from pathlib import Path

import pytest

from actionformer.cluster.failures import Failures
from actionformer.cluster.manifest import read_manifest
from actionformer.core.errors import InputError
from actionformer.extraction.inputs import files_of
from actionformer.video.pictures import PICTURES


def test_a_line_for_each_as_it_comes_and_none_of_earlier_calls(tmp_path: Path) -> None:
    path = tmp_path / "out" / "failed.jsonl"
    failures = Failures(path)
    assert not path.parent.exists()
    failures.add("a", "s3://b/a.mp4", "no video", 2)
    line = {"video": "a", "source": "s3://b/a.mp4", "error": "no video", "attempts": 2}
    assert [json.loads(one) for one in path.read_text().splitlines()] == [line]
    failures.add("c", "c.mp4", "a name with a\nline break", 1)
    assert len(path.read_text().splitlines()) == 2
    assert failures.reasons == {"s3://b/a.mp4": "no video", "c.mp4": "a name with a\nline break"}
    assert Failures(path).reasons == {}
    assert not path.exists()


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(InputError, match=r"failed\.jsonl: cannot"):
        Failures(tmp_path / "out" / "failed.jsonl").add("a", "a.mp4", "no video", 2)


def test_it_can_be_given_back_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    failures = Failures(Path("out/failed.jsonl"))
    failures.add("a", "videos/a.mp4", "no video", 2)
    failures.add("b", "s3://bucket/b.mp4", "no video", 2)
    again = read_manifest(["out/failed.jsonl"], files_of(PICTURES), PICTURES)
    assert again == {"a": str(tmp_path / "videos" / "a.mp4"), "b": "s3://bucket/b.mp4"}
    assert list(failures.reasons) == ["videos/a.mp4", "s3://bucket/b.mp4"]
