"""Detection on a cluster without one: its stages are called in this process."""

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

from actionformer.cluster import detect
from actionformer.cluster.detect import WAITING, detect_on_cluster
from actionformer.cluster.pipeline import Step
from actionformer.cluster.stages import Decode, Detect, Row
from actionformer.core.errors import InputError
from actionformer.core.locks import alone
from actionformer.recipes.detect import detect as detect_here


@contextmanager
def in_this_process(rows: Sequence[Row], steps: Sequence[Step], **_: Any) -> Iterator[Iterator[Row]]:
    def through() -> Iterator[Row]:
        stages = [step.stage(**step.arguments) for step in steps]
        for row in rows:
            for stage in stages:
                row = stage(row)
            yield row

    yield through()


@contextmanager
def dying_before_detection(rows: Sequence[Row], steps: Sequence[Step], **_: Any) -> Iterator[Iterator[Row]]:
    """All features are made, and then the cluster is gone."""

    def through() -> Iterator[Row]:
        with in_this_process(rows, [step for step in steps if step.stage is not Detect]) as made:
            list(made)
        raise InputError("the cluster stopped")
        yield {}

    yield through()


@pytest.fixture(autouse=True)
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(detect, "results_of", in_this_process)
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def cameras(tmp_path: Path, videos: Path) -> list[str]:
    """Addresses of two videos of one name."""
    pytest.importorskip("fsspec")
    for number in (1, 2):
        (tmp_path / f"cam{number}").mkdir()
        shutil.copy(videos / f"clip{number}.mp4", tmp_path / f"cam{number}" / "0001.mp4")
    return [f"file://{tmp_path}/cam{number}/0001.mp4" for number in (1, 2)]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "found.jsonl"


@pytest.fixture
def left(seen: Path, cameras: list[str], out: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The features that a job about the first camera has left."""
    with monkeypatch.context() as dying:
        dying.setattr(detect, "results_of", dying_before_detection)
        with pytest.raises(InputError, match="the cluster stopped"):
            detect_on_cluster(seen / "run", cameras[:1], out=out, cluster="local")
    folder = out.with_name("found.jsonl.features")
    assert sorted(path.name for path in folder.iterdir()) == [WAITING, "0001.json", "0001.npy"]
    return folder


def found(path: Path) -> list[Any]:
    return [json.loads(line)["detections"] for line in path.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("wrong", [{"attempts": 0}, {"batch_size": 0}, {"gpus_per_worker": 1.5}])
def test_numbers_that_cannot_be_are_said_of_feature_files_too(
    trained: Path, features: Path, out: Path, wrong: dict[str, Any]
) -> None:
    with pytest.raises(InputError, match=f"{next(iter(wrong))} must be"):
        detect_on_cluster(trained, [features], out=out, cluster="local", **wrong)


def test_a_model_of_the_hub_is_the_folder_that_it_is_in(
    trained: Path, features: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detect, "model_folder", {"hf://ann/jumps": trained}.__getitem__)
    done = detect_on_cluster("hf://ann/jumps", [features / "video0.npy"], out=out, cluster="local")
    assert done is not None
    assert (done.videos, len(found(out))) == (1, 1)


def test_features_that_wait_are_taken_by_resume_and_made_anew_by_overwrite(
    seen: Path, cameras: list[str], left: Path, out: Path, tmp_path: Path
) -> None:
    done = detect_on_cluster(seen / "run", cameras[1:], out=out, cluster="local", resume=True)
    assert done is not None
    assert "holds features of another video than" in done.failed[cameras[1]]
    out.unlink()

    left.mkdir()
    (left / WAITING).touch()
    (left / "0001.npy").write_text("of an earlier job")
    detect_on_cluster(seen / "run", cameras[1:], out=out, cluster="local", overwrite=True)
    detect_here(seen / "run", [tmp_path / "cam2" / "0001.mp4"], out=tmp_path / "plain.jsonl")
    assert found(out) == found(tmp_path / "plain.jsonl") != []
    assert not left.exists()


def test_resume_takes_what_waits_and_removes_it_while_nobody_else_can_write(
    seen: Path, cameras: list[str], left: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    removed, remove = [], shutil.rmtree

    def remove_locked(folder: Path, **how: Any) -> None:
        with pytest.raises(InputError, match="another process writes it"):
            alone(out)
        removed.append(folder)
        remove(folder, **how)

    monkeypatch.setattr("actionformer.cluster.detect.shutil.rmtree", remove_locked)
    monkeypatch.setattr(
        detect, "making_steps", lambda making, *_, **__: [Step(Decode, {"making": making})]
    )  # no Encode
    done = detect_on_cluster(seen / "run", cameras[:1], out=out, cluster="local", resume=True)
    assert done is not None
    assert (done.videos, done.failed, removed, left.exists()) == (1, {}, [left], False)


def test_a_folder_that_no_job_has_made_is_left_alone(
    trained: Path, seen: Path, features: Path, videos: Path, out: Path
) -> None:
    folder = shutil.copytree(features, out.with_name("found.jsonl.features"))
    before = sorted(folder.iterdir())
    with pytest.raises(InputError, match=r"found\.jsonl\.features: features would wait here, but something else is"):
        detect_on_cluster(seen / "run", [videos], out=out, cluster="local", overwrite=True)
    done = detect_on_cluster(trained, [features / "video0.npy"], out=out, cluster="local")  # none wait
    assert done is not None
    assert done.videos == 1
    assert sorted(folder.iterdir()) == before
