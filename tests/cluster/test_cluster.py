"""Jobs on a cluster of this machine, through Ray: what they make is what the same verbs make without one."""

import json
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from commands import Command
from moving import FPS

from actionformer.cluster.pipeline import Step, connected, through
from actionformer.cluster.stages import GIVEN, Detect
from actionformer.core.errors import InputError
from actionformer.features import UNKNOWN
from actionformer.inference.loading import load

pytest.importorskip("ray", reason="pip install 'actionformer-tal[cluster]'")
pytestmark = pytest.mark.slow
LAYOUT = ["--fps", FPS, "--num-frames", "4", "--stride", "2"]


@pytest.fixture(scope="module")
def cluster() -> Iterator[list[str]]:
    """A cluster that all tests of this file share; calls in this process find it."""
    with connected("local"):
        yield ["--cluster", "local", "--workers", "1"]


@pytest.fixture
def archive(tmp_path: Path, videos: Path) -> Path:
    """A list of three videos, a broken one and one that is not there."""
    folder = shutil.copytree(videos, tmp_path / "archive")
    (folder / "bad.mp4").write_bytes((folder / "clip0.mp4").read_bytes()[:300])
    (folder / "list.txt").write_text("clip0.mp4\nbad.mp4\nclip1.mp4\ngone.mp4\nclip2.mp4\n")
    return folder / "list.txt"


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "failed.jsonl"}


def test_features_are_those_of_extract_and_a_second_call_does_the_rest(
    call: Command, cluster: list[str], archive: Path, tmp_path: Path
) -> None:
    words = ["extract", archive, "--backbone", "motion", "--out", tmp_path / "here", *LAYOUT, *cluster]
    done = call(*words)
    assert done.code == 1, done.err
    assert done.out == f"features: 3 new, 0 kept in {tmp_path / 'here'}\n"
    assert f"2 videos set aside, {tmp_path / 'here' / 'failed.jsonl'} has all of them" in done.err
    failed = {one["video"]: one for one in lines(tmp_path / "here" / "failed.jsonl")}
    assert failed.keys() == {"bad", "gone"}
    assert failed["gone"]["source"] == str(archive.parent / "gone.mp4")
    assert failed["gone"]["attempts"] == 2
    assert failed["gone"]["error"] == "no such video file"
    call(
        "extract",
        *sorted(archive.parent.glob("clip*.mp4")),
        "--backbone",
        "motion",
        "--out",
        tmp_path / "plain",
        *LAYOUT,
    )
    assert content(tmp_path / "here") == content(tmp_path / "plain")

    (tmp_path / "here" / "clip1.npy").unlink()
    shutil.copy(archive.parent / "clip2.mp4", archive.parent / "gone.mp4")
    (archive.parent / "bad.mp4").unlink()
    archive.write_text("".join(f"clip{number}.mp4\n" for number in range(3)) + "gone.mp4\n")
    done = call(*words)
    assert (done.code, done.out) == (0, f"features: 2 new, 2 kept in {tmp_path / 'here'}\n")
    assert not (tmp_path / "here" / "failed.jsonl").exists()


def test_detections_are_those_of_detect_and_a_job_goes_on_wherever_it_was_begun(
    call: Command, cluster: list[str], seen: Path, archive: Path, tmp_path: Path
) -> None:
    out, plain = tmp_path / "found.jsonl", tmp_path / "plain.jsonl"
    clips = sorted(archive.parent.glob("clip*.mp4"))
    assert call("detect", seen / "run", *clips, "--out", plain).code == 0
    done = call("detect", seen / "run", archive, "--out", out, *cluster)
    assert done.code == 1, done.err
    assert {one["video"] for one in lines(tmp_path / "found.jsonl.failed.jsonl")} == {"bad", "gone"}
    assert sorted(lines(out), key=str) == sorted(lines(plain), key=str)
    assert "2 failed, --resume tries them again" in done.err
    assert not (tmp_path / "found.jsonl.features").exists()

    whole = out.read_bytes().splitlines(keepends=True)
    out.write_bytes(whole[0] + whole[1] + whole[2][:20])  # as a kill leaves it
    done = call("detect", seen / "run", *clips, "--out", out, "--resume", *cluster)
    assert done.code == 0, done.err
    assert "2 of them done before" in done.err
    assert sorted(out.read_bytes().splitlines(keepends=True)) == sorted(whole)
    assert call("detect", seen / "run", *clips, "--out", out, "--resume").code == 0  # by a call without a cluster too


def test_a_stage_that_cannot_begin_ends_the_job_with_its_reason(cluster: list[str], tmp_path: Path) -> None:
    row = {"video": "a", "source": "a.npy", "features": "a.npy", "state": GIVEN}
    absent = {"detector": partial(load, tmp_path / "absent"), "timing": UNKNOWN, "attempts": 1}
    with pytest.raises(InputError, match=r"the cluster stopped: .*absent"):
        list(through([row], [Step(Detect, absent)], 1))
