"""What a program is told while features are extracted and looked at."""

from pathlib import Path

import pytest
from moving import write_moving

from actionformer.core.progress import Progress
from actionformer.core.run_files import PARTS
from actionformer.recipes.detect import detect
from actionformer.recipes.extract import extract


def test_clips_and_videos_are_counted(tmp_path: Path) -> None:
    (tmp_path / "videos").mkdir()
    for name in ("one", "two"):
        write_moving(tmp_path / "videos" / f"{name}.mp4", 0)
    told: list[Progress] = []
    (tmp_path / "videos" / "three.mp4").write_bytes(b"no video")
    result = extract(tmp_path / "videos", "motion", tmp_path / "features", workers=0, on_progress=told.append)
    ended = {Path(one.file).stem: one for one in told if one.unit == "video"}
    assert [one.done for one in told if one.unit == "video"] == [1, 2, 3]
    assert {one.total for one in ended.values()} == {3}
    assert {name for name, one in ended.items() if one.failed} == {"three"}
    assert len(result.written) == 2
    for name in ("one", "two"):
        clips = [one for one in told if one.unit == "clip" and Path(one.file).stem == name]
        assert [one.done for one in clips] == sorted(one.done for one in clips)
        assert clips[-1].done == clips[-1].total


def test_detection_tells_the_same(seen: Path, videos: Path, tmp_path: Path) -> None:
    told: list[Progress] = []
    files = [videos / "clip0.mp4", videos / "clip1.mp4"]
    detect(seen / "run", files, out=tmp_path / "found.jsonl", workers=0, on_progress=told.append)
    assert [(one.done, one.total) for one in told if one.unit == "video"] == [(1, 2), (2, 2)]
    assert {one.file for one in told} == {str(file) for file in files}
    assert any(one.unit == "clip" for one in told)


def test_what_the_function_raises_ends_the_call(trained: Path, features: Path, tmp_path: Path) -> None:
    def stop(progress: Progress) -> None:
        raise KeyboardInterrupt

    files = [features / "video4.npy", features / "video5.npy"]
    with pytest.raises(KeyboardInterrupt):
        detect(trained, files, out=tmp_path / "found.jsonl", on_progress=stop)
    told: list[Progress] = []
    detect(trained, files, out=tmp_path / "found.jsonl", resume=True, on_progress=told.append)
    assert [one.done for one in told] == [2]


def test_nothing_goes_on_once_the_call_is_ended(tmp_path: Path) -> None:
    """Also where the error is kept, as notebooks keep the last one with all that it came through."""
    (tmp_path / "videos").mkdir()
    for name in ("one", "two"):
        write_moving(tmp_path / "videos" / f"{name}.mp4", 0)

    def stop(progress: Progress) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError) as kept:
        extract(tmp_path / "videos", "motion", tmp_path / "features", workers=0, on_progress=stop)
    assert not list((tmp_path / "features").glob(PARTS))
    assert kept.value.__traceback__ is not None
