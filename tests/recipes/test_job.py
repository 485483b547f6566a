"""Detection in many files: results come as they are found, no kill loses them, and a later call goes on."""

import json
import os
import shutil
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import Command, Refused

from actionformer import InputError, load, read_results, score
from actionformer.core.detections import Detections
from actionformer.recipes.job import shard_of
from actionformer.recipes.record import Record

HERE = Path(__file__).resolve().parent
VIDEOS = 40


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory, features: Path) -> Path:
    """Many tiny feature files."""
    folder = tmp_path_factory.mktemp("many")
    rng = np.random.default_rng(3)
    some = [np.load(features / f"video{i}.npy") for i in range(6)]
    for i in range(VIDEOS):
        array = some[i % 6] + rng.standard_normal(some[i % 6].shape).astype(np.float32) * 0.3
        np.save(folder / f"v{i:03d}.npy", array)
        (folder / f"v{i:03d}.json").write_text('{"fps": 10, "stride": 5, "num_frames": 10}', "utf-8")
    return folder


@pytest.fixture
def few(tmp_path: Path, features: Path) -> Path:
    """Six feature files that a test may change."""
    return shutil.copytree(features, tmp_path / "few")


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_a_line_a_video(call: Command, trained: Path, features: Path, tmp_path: Path) -> None:
    result = call("detect", trained, features, "--out", tmp_path / "a.jsonl")
    assert result.code == 0
    rows = lines(tmp_path / "a.jsonl")
    assert [row["video"] for row in rows] == [f"video{i}" for i in range(6)]
    assert all(row.keys() == {"video", "source", "detections"} for row in rows)
    assert rows[0]["source"] == str(features / "video0.npy")
    found = load(trained).detect(features / "video0.npy")
    assert rows[0]["detections"] == found.to_dict()
    total = sum(len(row["detections"]) for row in rows)
    assert result.err == f"6 videos, {total:,} detections -> {tmp_path / 'a.jsonl'}\n"
    assert read_results(tmp_path / "a.jsonl")["video0"].segments.tolist() == found.segments.tolist()
    printed = call("detect", trained, features, "--format", "jsonl")
    assert printed.out == (tmp_path / "a.jsonl").read_text("utf-8")


@pytest.mark.slow
def test_killed_at_any_time_and_continued(
    call: Command, trained: Path, many: Path, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    command = [sys.executable, str(HERE / "kill_jobs.py"), str(trained), str(many), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    kills = json.loads(done.stdout.splitlines()[-1])
    record_property("kills of jobs", kills)
    assert kills["line.jsonl"] == kills["line.csv"] == 3
    for ending in ("jsonl", "json", "csv"):
        assert call("detect", trained, many, "--out", tmp_path / f"whole.{ending}").code == 0
    for name in kills:
        assert (tmp_path / name).read_bytes() == (tmp_path / f"whole{Path(name).suffix}").read_bytes(), name
    left = sorted(path.name for path in tmp_path.iterdir() if not path.name.startswith(("time", "line", "whole")))
    assert left == []
    assert not list(tmp_path.glob("*unfinished*"))


def test_what_a_stopped_job_leaves_is_readable(
    call: Command, refused: Refused, trained: Path, few: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    added = Record.add

    def stopped(record: Record, video: str, source: Path, found: Detections) -> None:
        if video == "video3":
            raise KeyboardInterrupt
        added(record, video, source, found)

    with monkeypatch.context() as patch:
        patch.setattr(Record, "add", stopped)
        result = call("detect", trained, few, "--out", tmp_path / "a.json")
    assert (result.code, result.err) == (130, "stopped: 3 of 6 videos are done, --resume goes on\n")
    assert not (tmp_path / "a.json").exists()
    left = tmp_path / "a.json.unfinished.jsonl"
    assert list(read_results(left)) == ["video0", "video1", "video2"]
    assert "an unfinished job is there (a.json.unfinished.jsonl); --resume continues it" in refused(
        "detect", trained, few, "--out", tmp_path / "a.json"
    )
    result = call("detect", trained, few, "--out", tmp_path / "a.json", "--resume")
    assert (result.code, "3 of them done before" in result.err) == (0, True)
    assert call("detect", trained, few, "--out", tmp_path / "b.json").code == 0
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "b.json", "few"]


def test_a_job_is_continued_as_it_was_begun(
    call: Command, refused: Refused, trained: Path, run: Path, few: Path, tmp_path: Path
) -> None:
    out = ("--out", tmp_path / "a.jsonl")
    assert call("detect", trained, few, *out).code == 0
    before = (tmp_path / "a.jsonl").read_bytes()
    for options, named in (
        (("--min-score", 0.1), "min_score 0.0, now 0.1"),
        (("--classes", "jump"), "classes none, now ['jump']"),
        (("--fps", 20), "fps none, now 20.0"),
        (("--max-action-seconds", 9), "live.max_action_seconds none, now 9.0"),
        (("--shard", "1/2"), "shard none, now 1/2"),
    ):
        message = refused("detect", trained, few, *out, "--resume", *options)
        assert f"a.jsonl: was begun with {named}" in message
    weights = (run / "model.safetensors").read_bytes()
    (run / "model.safetensors").write_bytes(weights[:-4] + b"\0\0\0\1")
    assert "was begun with model" in refused("detect", run, few, *out, "--resume")
    (tmp_path / "a.jsonl.job").unlink()
    assert "cannot be continued" in refused("detect", trained, few, *out, "--resume")
    assert (tmp_path / "a.jsonl").read_bytes() == before


def test_results_of_files_that_have_changed_are_not_continued(
    call: Command, refused: Refused, trained: Path, few: Path, tmp_path: Path
) -> None:
    job = ("detect", trained, few, "--out", tmp_path / "a.jsonl")
    (few / "video5.npy").rename(tmp_path / "later.npy")
    assert call(*job).code == 0
    done = (tmp_path / "a.jsonl").read_bytes()
    features, sidecar = (few / "video1.npy").read_bytes(), (few / "video1.json").read_text("utf-8")
    np.save(few / "video1.npy", np.load(few / "video1.npy") + np.float32(0.01))
    assert "a.jsonl: the detections of 'video1' are of another file than" in refused(*job, "--resume")
    (few / "video1.npy").write_bytes(features)
    (few / "video1.json").write_text(sidecar.replace("10", "11"), "utf-8")
    assert "'video1' are of another file than" in refused(*job, "--resume")
    (few / "video1.json").write_text(sidecar, "utf-8")
    assert (tmp_path / "a.jsonl").read_bytes() == done
    moved = few.rename(tmp_path / "moved")  # the same content elsewhere is the same
    (tmp_path / "later.npy").rename(moved / "video5.npy")
    again = ("detect", trained, moved, "--out", tmp_path / "a.jsonl", "--resume")
    assert "5 of them done before" in call(*again).err
    np.save(moved / "video0.npy", np.load(moved / "video0.npy") + np.float32(0.01))  # known from the first call
    assert "'video0' are of another file than" in refused(*again)


def test_a_video_that_has_two_results(
    call: Command, refused: Refused, trained: Path, few: Path, tmp_path: Path
) -> None:
    job = ("detect", trained, few, "--out", tmp_path / "a.jsonl")
    assert call(*job).code == 0
    text = (tmp_path / "a.jsonl").read_text("utf-8")
    (tmp_path / "a.jsonl").write_text(text + text.splitlines()[0] + "\n", "utf-8")
    assert "line 7: video 'video0' has an earlier line" in refused(*job, "--resume")


def test_new_videos_are_added_and_failed_ones_tried_again(
    call: Command, trained: Path, few: Path, tmp_path: Path
) -> None:
    whole = (few / "video2.npy").read_bytes()
    np.save(few / "video2.npy", np.zeros((5, 7), dtype=np.float32))
    (few / "video5.npy").rename(tmp_path / "later.npy")
    result = call("detect", trained, few, "--out", tmp_path / "a.jsonl")
    assert result.code == 1
    assert "video2.npy" in result.err
    assert "1 failed, --resume tries them again" in result.err
    assert "7 channels" in (tmp_path / "a.jsonl.job").read_text("utf-8")
    assert [row["video"] for row in lines(tmp_path / "a.jsonl")] == ["video0", "video1", "video3", "video4"]
    (few / "video2.npy").write_bytes(whole)
    (tmp_path / "later.npy").rename(few / "video5.npy")
    assert call("detect", trained, few, "--out", tmp_path / "a.jsonl", "--resume").code == 0
    names = [row["video"] for row in lines(tmp_path / "a.jsonl")]
    assert names == ["video0", "video1", "video3", "video4", "video2", "video5"]
    assert "failed" not in (tmp_path / "a.jsonl.job").read_text("utf-8")


def test_json_with_failures_can_be_completed(call: Command, trained: Path, few: Path, tmp_path: Path) -> None:
    whole = (few / "video2.npy").read_bytes()
    (few / "video2.npy").write_bytes(b"nothing")
    assert call("detect", trained, few, "--out", tmp_path / "a.json").code == 1
    assert list(read_results(tmp_path / "a.json")) == [f"video{i}" for i in (0, 1, 3, 4, 5)]
    (few / "video2.npy").write_bytes(whole)
    assert call("detect", trained, few, "--out", tmp_path / "a.json", "--resume").code == 0
    assert list(read_results(tmp_path / "a.json")) == [f"video{i}" for i in range(6)]
    again = call("detect", trained, few, "--out", tmp_path / "a.json", "--resume")
    assert (again.code, "nothing was left to do" in again.err) == (0, True)


def test_a_complete_file_without_some_of_the_videos_is_not_taken_for_theirs(
    call: Command, refused: Refused, trained: Path, few: Path, tmp_path: Path
) -> None:
    out = tmp_path / "a.json"
    assert call("detect", trained, few / "video0.npy", few / "video1.npy", "--out", out).code == 0
    said = refused("detect", trained, few, "--out", out, "--resume")
    assert "is complete, and has no results of 4 videos: video2, video3, video4 and 1 more; give these another" in said
    assert list(read_results(out)) == ["video0", "video1"]


def test_a_complete_table_without_some_of_the_videos_may_be_of_others(
    call: Command, trained: Path, few: Path, tmp_path: Path
) -> None:
    """A table has no line of a video in which nothing was found, so it cannot tell."""
    first = sorted(few.glob("*.npy"))[:2]
    assert call("detect", trained, *first, "--out", tmp_path / "d.csv").code == 0
    written = (tmp_path / "d.csv").read_bytes()
    done = call("detect", trained, few, "--out", tmp_path / "d.csv", "--resume")
    assert done.code == 0
    assert "is complete, and has no line of" in done.err
    assert "either nothing was found in them, or they were not looked at; if so, give these another --out" in done.err
    assert (tmp_path / "d.csv").read_bytes() == written
    assert "no line of" not in call("detect", trained, *first, "--out", tmp_path / "d.csv", "--resume").err


@pytest.mark.parametrize("total", [1, 4, 6, 9])
def test_shards_are_disjoint_complete_and_joined(
    call: Command, trained: Path, features: Path, annotations: Path, tmp_path: Path, total: int
) -> None:
    files = {path: path.stem for path in sorted(features.glob("*.npy"))}
    shards = [shard_of(files, f"{i}/{total}") for i in range(1, total + 1)]
    assert sorted(name for shard in shards for name in shard.values()) == sorted(files.values())
    assert [len(shard) for shard in shards] == sorted(map(len, shards), reverse=True)
    assert max(map(len, shards)) - min(map(len, shards)) <= 1
    if total != 4:
        return
    outs = [tmp_path / f"part-{i}.jsonl" for i in range(1, total + 1)]
    for i, out in enumerate(outs, 1):
        assert call("detect", trained, features, "--out", out, "--shard", f"{i}/{total}").code == 0
    assert call("detect", trained, features, "--out", tmp_path / "whole.jsonl").code == 0
    joined = read_results(outs)
    whole = read_results(tmp_path / "whole.jsonl")
    assert {name: found.to_dict() for name, found in joined.items()} == {
        name: found.to_dict() for name, found in whole.items()
    }
    (tmp_path / "cat.jsonl").write_bytes(b"".join(out.read_bytes() for out in outs))
    assert score(annotations, tmp_path / "cat.jsonl") == score(annotations, whole) == score(annotations, outs)
    printed = call("score", "--annotations", annotations, "--detections", *outs)
    assert printed.code == 0
    assert printed.out == call("score", "--annotations", annotations, "--detections", tmp_path / "cat.jsonl").out


def test_a_shard_without_files_is_an_empty_result(call: Command, trained: Path, features: Path, tmp_path: Path) -> None:
    result = call("detect", trained, features, "--out", tmp_path / "a.jsonl", "--shard", "8/8")
    assert (result.code, result.err) == (0, f"0 videos, 0 detections -> {tmp_path / 'a.jsonl'}\n")
    assert read_results(tmp_path / "a.jsonl") == {}


@pytest.mark.parametrize("shard", ["0/4", "5/4", "4", "1/0", "a/b", "-1/4", "1/4/2", "9" * 5000 + "/1"])
def test_shards_that_are_none(refused: Refused, trained: Path, features: Path, tmp_path: Path, shard: str) -> None:
    assert "shard must be K/N" in refused("detect", trained, features, "--out", tmp_path / "a", f"--shard={shard}")


def test_nothing_is_replaced_unasked(call: Command, refused: Refused, trained: Path, few: Path, tmp_path: Path) -> None:
    for name in ("a.json", "a.csv", "a.jsonl", "a.txt"):
        (tmp_path / name).write_text("precious", "utf-8")
        assert f"{name}: exists; " in refused("detect", trained, few, "--out", tmp_path / name)
        assert (tmp_path / name).read_text("utf-8") == "precious"
        assert call("detect", trained, few, "--out", tmp_path / name, "--overwrite").code == 0
        assert (tmp_path / name).read_text("utf-8") != "precious"
    (tmp_path / "srt").mkdir()
    (tmp_path / "srt" / "video4.srt").write_text("precious", "utf-8")
    srt = ("detect", trained, few, "--format", "srt", "--out", tmp_path / "srt")
    assert "video4.srt: exists; --overwrite" in refused(*srt)
    assert [path.name for path in (tmp_path / "srt").iterdir()] == ["video4.srt"]
    assert call(*srt, "--overwrite").code == 0
    assert sorted(path.name for path in (tmp_path / "srt").iterdir()) == [f"video{i}.srt" for i in range(6)]
    assert "give one of them" in refused(*srt, "--overwrite", "--resume")
    assert "give it with --out" in refused("detect", trained, few, "--resume")


def test_two_processes_do_not_write_one_file(refused: Refused, trained: Path, few: Path, tmp_path: Path) -> None:
    with Record(tmp_path / "a.jsonl", {}) as record:
        record.add("v", Path("v.npy"), Detections([], [], [], ()))
        assert "another process writes it" in refused("detect", trained, few, "--out", tmp_path / "a.jsonl", "--resume")
        assert "another process" in refused("detect", trained, few, "--out", tmp_path / "a.jsonl", "--overwrite")
    assert [row["video"] for row in lines(tmp_path / "a.jsonl")] == ["v"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no device that is full")
def test_a_full_disk_is_said_of_the_output(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl.job").symlink_to("/dev/full")
    with pytest.raises(InputError, match=r"d\.json: cannot write \(No space left on device\)"):
        Record(tmp_path / "a.jsonl", {}, out=tmp_path / "d.json")
    (tmp_path / "a.jsonl.job").unlink()
    refused = pytest.raises(InputError, match=r"d\.json: cannot write \(No space left on device\)")
    with refused, Record(tmp_path / "a.jsonl", {}, out=tmp_path / "d.json") as record:
        os.dup2(os.open("/dev/full", os.O_WRONLY), record._log.fileno())
        record.fail("v", Path("v.npy"), "it is broken")
    assert not list(tmp_path.iterdir())


def test_memory_does_not_grow_with_the_videos(tmp_path: Path) -> None:
    found = Detections(np.tile([0.0, 1.0], (200, 1)), np.linspace(0, 1, 200), np.zeros(200, int), ("jump",))

    def peak(videos: int) -> int:
        tracemalloc.start()
        with Record(tmp_path / f"{videos}.jsonl", {}) as record:
            for i in range(videos):
                record.add(f"video{i}", Path("x.npy"), found)
            assert sum(len(one.rows) for one in record.results([])) == 200 * videos
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    assert peak(200) < peak(20) + 100_000  # 180 of them have 3 MB


@pytest.mark.parametrize(
    ("line", "log", "said"),
    [
        ('{"video": "a", "detections": 5}', '{"settings": {}}', "expected a list of detections, found 5"),
        ('{"video": "a", "detections": []}', "[" * 100_000, "missing or broken"),
        ('{"video": "a", "detections": []}', '{"settings": ' + "1" * 5000 + "}", "missing or broken"),
    ],
    ids=["no list", "nested", "digits"],
)
def test_broken_records_are_not_continued(tmp_path: Path, line: str, log: str, said: str) -> None:
    (tmp_path / "a.jsonl").write_text(f"{line}\n", "utf-8")
    (tmp_path / "a.jsonl.job").write_text(f"{log}\n", "utf-8")
    with pytest.raises(InputError, match=said):
        Record(tmp_path / "a.jsonl", {}, resume=True)


def test_last_line_that_nests_too_deeply_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"video": "a", "detections": []}\n' + "[" * 100_000, "utf-8")
    with pytest.warns(UserWarning, match=r"a\.jsonl: line 2 is incomplete"):
        assert list(read_results(path)) == ["a"]


def test_lines_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    good = '{"video": "v", "detections": [{"label": "run", "score": 0.5, "segment": [0, 1]}]}\n'
    for text, message in (
        (good + "[1]\n", r"line 2: expected \{'video': id"),
        (good + good, "line 2: video 'v' has an earlier line"),
        (good + '{"video": "w"}\n', "line 2: expected"),
        (good + "{\n", "line 2: not valid JSON"),
        (good + '{"video": "w", "detections": [{"label": "run"}]}\n', "line 2: video 'w', detection 0: expected"),
    ):
        path.write_text(text, "utf-8")
        with pytest.raises(InputError, match=message):
            read_results(path)
    path.write_text(good + good[:20].replace("v", "w"), "utf-8")
    with pytest.warns(UserWarning, match="line 2 is incomplete"):
        assert list(read_results(path)) == ["v"]
    path.write_text(good.strip(), "utf-8")  # another program that ends no last line
    assert list(read_results(path)) == ["v"]


def test_a_job_in_a_folder_that_cannot_be_written(refused: Refused, trained: Path, few: Path, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    (tmp_path / "read only").mkdir(mode=0o500)
    out = tmp_path / "read only" / "a.json"
    assert f"{out}: cannot write" in refused("detect", trained, few, "--out", out)
