"""`watch` from the outside."""

import csv
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from threading import Timer
from typing import Any

import av
import numpy as np
import pytest
from commands import Command, Refused
from moving import camera, write_moving, written

from actionformer.core.locks import alone
from actionformer.formats.detections import read_results


@pytest.fixture(scope="module")
def moving(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_moving(tmp_path_factory.mktemp("moving") / "moving.ts", 0, seconds=18.0)


def rows(text: str) -> list[tuple[float, float, str, float]]:
    """Start, end, label and score of CSV, in the order of time."""
    found = csv.DictReader(text.splitlines())
    return sorted((float(row["start"]), float(row["end"]), row["label"], float(row["score"])) for row in found)


def test_a_growing_file_gives_what_detect_gives(call: Command, tmp_path: Path, seen: Path, moving: Path) -> None:
    options = ("--max-action-seconds", 3, "--max-per-hour", 2400, "--format", "csv")
    whole = call("detect", seen / "run", moving, *options)
    with written(moving.read_bytes(), tmp_path / "live.ts", bursts=4, pause=0.3) as path:
        live = call("watch", seen / "run", path, "--patience", 1.5, *options)
    assert (whole.code, live.code) == (0, 0), live.err
    assert rows(live.out) == rows(whole.out) != []
    assert re.fullmatch(r"\S+live.ts: an action is final at most \d\d s after its start\n", live.err)
    every = call("detect", seen / "run", moving, "--format", "csv")
    assert len(rows(every.out)) > len(rows(whole.out))


def test_a_line_an_action(call: Command, tmp_path: Path, seen: Path, moving: Path) -> None:
    arguments = ("watch", seen / "run", moving, "--patience", 0.1, "--min-score", 0.5)
    lines = [json.loads(line) for line in call(*arguments).out.splitlines()]
    assert [line["label"] for line in lines] == 3 * ["left", "right"]
    assert all(list(line) == ["label", "start", "end", "score"] for line in lines)
    assert [line["start"] for line in lines] == pytest.approx([1, 3.5, 7, 9.5, 13, 15.5], abs=0.5)
    table = call(*arguments, "--classes", "left", "--format", "table").out.splitlines()
    assert table[0].split() == ["start", "end", "score", "label"]
    assert [line.split()[-1] for line in table[1:]] == 3 * ["left"]
    assert call(*arguments, "--out", tmp_path / "found.csv").out == ""
    assert len(read_results(tmp_path / "found.csv")[str(moving)]) == 6


def test_one_action_at_a_time(call: Command, seen: Path, moving: Path) -> None:
    arguments = ("watch", seen / "run", moving, "--patience", 0.1, "--min-score", 0.02, "--format", "csv")
    every, alone = (rows(call(*arguments, "--overlap", policy).out) for policy in ("keep", "none"))
    spans = [(start, end) for start, end, *_ in alone]
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    assert 6 <= len(alone) < len(every)


def test_a_camera(call: Command, seen: Path, moving: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actionformer.video.live.WAITING", 1000)  # a busy machine is no failure
    with camera(moving.read_bytes(), seconds=3.0) as address:
        result = call("watch", seen / "run", address, "--min-score", 0.5, "--stop-after", 12)
    assert result.code == 0, result.err
    assert "secret" not in result.err
    lines = [json.loads(line) for line in result.out.splitlines()]
    assert [line["label"] for line in lines] == 2 * ["left", "right"]
    assert all(line["wall_clock"].endswith("+00:00") for line in lines)


def test_wrong_calls(refused: Refused, tmp_path: Path, seen: Path, moving: Path) -> None:
    live = ("watch", seen / "run", moving)
    for arguments, message in (
        ((*live, moving), "Unused Tokens"),
        ((*live, "--overlay", tmp_path / "a.mp4"), "Unknown option: --overlay"),
        ((*live, "--workers", 0), "Unknown option: --workers"),
        ((*live, "--format", "srt"), 'Choose from: "json", "csv", "table"'),
        ((*live, "--out", moving), "is the source and is not overwritten"),
        ((*live, "--suppression.sgma", 1), "Did you mean --suppression.sigma?"),
        ((*live, "--patience", -1), "patience must be a positive number of seconds"),
        (("detect", seen / "run", moving, "--provisional"), "Unknown option: --provisional"),
        (("watch", seen / "run", tmp_path / "none.ts"), "no such file, pipe or address"),
        (("watch", seen / "run", seen / "annotations.json", "--patience", 0.1), "not a readable video"),
        (("watch", seen / "run", "tcp://127.0.0.1:9"), "Connection refused"),
    ):
        assert message in refused(*arguments)


@contextmanager
def actionformer(*arguments: Any, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """The command in a process of its own, which is gone after a minute whatever happens."""
    command = [sys.executable, "-c", "from actionformer.cli import main; main()", *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options) as process:
        end = Timer(60, process.kill)
        end.start()
        try:
            yield process
        finally:
            process.kill()
            end.cancel()


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_a_signal_ends_it_cleanly(seen: Path, number: signal.Signals) -> None:
    source = "lavfi:testsrc=size=128x96:rate=10,realtime=speed=8"  # never ends
    options = ("--max-action-seconds", 2, "--provisional")
    with actionformer("watch", seen / "run", source, *options) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = process.stdout.readline()  # something has been found
        process.send_signal(number)
        # `communicate` would lose what `readline` has read ahead.
        rest, errors = process.stdout.read(), process.stderr.read()
        process.wait()
    assert process.returncode == 0
    assert re.match(r"testsrc\S+: an action is final at most \d+ s after its start\n", errors)
    assert "rror" not in errors
    lines = [json.loads(line) for line in [first, *rest.splitlines()]]
    assert lines[0]["provisional"]
    assert len([line for line in lines if "score" in line]) > 1


def test_standard_input(seen: Path, moving: Path) -> None:
    with (
        moving.open("rb") as video,
        actionformer("watch", seen / "run", "-", "--min-score", 0.5, stdin=video) as process,
    ):
        out, errors = process.communicate()
    assert process.returncode == 0
    assert errors.startswith("standard input: an action is final")
    assert [json.loads(line)["label"] for line in out.splitlines()] == 3 * ["left", "right"]


def later(source: Path, target: Path, seconds: float) -> Path:
    """The same pictures, `seconds` later than a silence that begins at 0."""
    with av.open(str(source)) as file, av.open(str(target), "w") as out:
        copy = out.add_stream_from_template(file.streams.video[0])
        voice: Any = out.add_stream("pcm_s16le", rate=8000, layout="mono")
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), format="s16", layout="mono")
        silence.sample_rate, silence.pts = 8000, 0
        for packet in [*voice.encode(silence), *voice.encode(None)]:
            out.mux(packet)
        for packet in file.demux(video=0):
            if packet.pts is not None and packet.dts is not None:
                shift = round((seconds - file.start_time / av.time_base) / packet.time_base)
                packet.pts, packet.dts, packet.stream = packet.pts + shift, packet.dts + shift, copy
                out.mux(packet)
    return target


@pytest.mark.slow
def test_pictures_that_begin_late_are_found_late(call: Command, tmp_path: Path, seen: Path, moving: Path) -> None:
    """In files, in their subtitles, and in live sources that are files, time 0 is where the container begins."""
    late = later(moving, tmp_path / "late.mkv", 2.0)
    options = ("--max-action-seconds", 3, "--max-per-hour", 2400, "--min-score", 0.3)
    before = rows(call("detect", seen / "run", moving, *options, "--format", "csv").out)
    after = rows(call("detect", seen / "run", late, *options, "--format", "csv").out)
    assert len(before) >= 6
    assert [row[2:] for row in after] == [row[2:] for row in before]
    assert np.array([row[:2] for row in after]) == pytest.approx(np.array([row[:2] for row in before]) + 2.0, abs=5e-3)
    live = call("watch", seen / "run", late, "--patience", 0.1, *options, "--format", "csv")
    assert rows(live.out) == after
    cues = call("detect", seen / "run", late, *options, "--format", "srt").out
    first = re.search(r"(\d\d):(\d\d):(\d\d),(\d{3}) -->", cues)
    assert first is not None
    hours, minutes, seconds, ms = map(int, first.groups())
    assert 3600 * hours + 60 * minutes + seconds + ms / 1000 == pytest.approx(after[0][0], abs=2e-3)


def test_one_watch_writes_a_file(call: Command, tmp_path: Path, seen: Path, moving: Path) -> None:
    out = tmp_path / "found.jsonl"
    with alone(out) as file:
        file.write(b"of another watch")
        file.flush()
        done = call("watch", seen / "run", moving, "--patience", 0.1, "--out", out, "--overwrite")
        reason = "another process writes it: wait until it ends or choose another output"
        assert (done.code, done.err.splitlines()[1:]) == (2, [f"error: {out}: {reason}"])
        assert out.read_text("utf-8") == "of another watch"


@pytest.mark.slow
def test_a_full_disk_ends_it_and_is_named(seen: Path, moving: Path) -> None:
    with actionformer("watch", seen / "run", moving, "--patience", 0.1, "--out", "/dev/full") as process:
        assert process.stderr is not None
        told = process.stderr.read().splitlines()
        assert (process.wait(), told[1:]) == (2, ["error: /dev/full: cannot write (No space left on device)"])
