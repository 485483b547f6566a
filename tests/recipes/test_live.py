"""Watching a live source: the actions of the whole video, each within the stated delay."""

import io
import json
import re
import signal
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from detecting import ROUNDED, assert_same
from moving import SECONDS, played, write_moving
from rich.console import Console

import actionformer
from actionformer.core.detections import Detections
from actionformer.core.errors import InputError
from actionformer.inference.stream import joined
from actionformer.recipes.follow import follow, live_format
from actionformer.recipes.live import Watch
from actionformer.recipes.prepare import prepared_detector
from actionformer.recipes.search import Search

LIVE: dict[str, Any] = {"max_action_seconds": 4.0, "max_per_hour": 3600.0}


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A minute in which the square moves to and fro ten times."""
    return write_moving(tmp_path_factory.mktemp("long") / "long.ts", 0, seconds=10 * SECONDS)


@pytest.fixture(scope="module")
def whole(seen: Path, long: Path) -> Detections:
    """What `detect` finds in it."""
    return Search(prepared_detector(seen / "run", **LIVE), [long]).found().detections["long"]


def all_of(watching: Watch) -> Detections:
    found = list(watching)
    return joined(found, found[0].class_names)


def test_a_pipe_gives_the_actions_of_the_file(tmp_path: Path, seen: Path, long: Path, whole: Detections) -> None:
    with played(long.read_bytes(), tmp_path / "pipe", seconds=1.0) as pipe:
        watching = actionformer.watch(seen / "run", pipe, **LIVE)
        given = list(watching)
    found = joined(given, whole.class_names)
    assert_same(found, whole, ROUNDED)
    assert len(found.above(0.5)) == 20
    assert sum(len(one) > 0 for one in given) > 5  # as they became final
    assert watching.wall_clock(1.0) is None


def test_a_file_gives_the_actions_of_detect_by_the_settings_of_the_run(seen: Path, long: Path) -> None:
    watching = actionformer.watch(seen / "run", long, patience=0.1)
    assert watching.stream.config.live.max_action_seconds == 60
    expected = Search(prepared_detector(seen / "run", max_action_seconds=60), [long]).found().detections["long"]
    assert_same(all_of(watching), expected, ROUNDED)


def test_features_of_a_file(seen: Path) -> None:
    path = seen / "features" / "clip1.npy"
    found = all_of(actionformer.watch(seen / "run", path, **LIVE))
    expected = Search(prepared_detector(seen / "run", **LIVE), [path]).found().detections["clip1"]
    assert_same(found, expected, ROUNDED)
    assert 2 <= len(found) < len(actionformer.load(seen / "run").detect(path))
    with pytest.raises(InputError, match="stop_after is for video"):
        actionformer.watch(seen / "run", path, stop_after=3)


def test_final_within_the_stated_delay(seen: Path, long: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actionformer.extraction.live.BATCH_CLIPS", 1)
    watching = actionformer.watch(seen / "run", long, patience=0.1, **LIVE)
    ages: list[float] = []
    for found in watching:
        if watching.stream.ended:
            break
        ages.extend(watching._features.reader.frames / 10 - found.segments[:, 0])  # type: ignore[attr-defined]
    assert 12 < watching.delay_seconds < 25
    assert len(ages) > 20
    assert 4 < min(ages) < max(ages) <= watching.delay_seconds


def test_stopping_gives_what_is_left(seen: Path, long: Path) -> None:
    watching = actionformer.watch(seen / "run", long, patience=60, **LIVE)
    given: list[Detections] = []
    for found in watching:
        given.append(found)
        if watching.stream.length >= 100:
            watching.stop()
    seconds = watching._features.duration
    found = joined(given, given[0].class_names)
    assert 20 <= seconds < 25
    assert found.segments.max() <= seconds + 1e-9
    assert len(given[-1].above(0.5)) > 0
    assert {round(start / 6) for start in found.of("left").above(0.5).segments[:, 0]} == {0, 1, 2, 3}


def test_leaving_the_loop_ends_the_source(tmp_path: Path, seen: Path, long: Path) -> None:
    with played(long.read_bytes(), tmp_path / "pipe", seconds=0.5) as pipe:  # ends when nobody reads any more
        watching = actionformer.watch(seen / "run", pipe, **LIVE)
        iterator = iter(watching)
        assert len(list(islice(iterator, 3))) == 3
        iterator.close()  # type: ignore[attr-defined]
        assert watching._features.reader._stopped  # type: ignore[attr-defined]


def test_a_source_that_breaks_off_keeps_what_was_found(
    tmp_path: Path, seen: Path, long: Path, whole: Detections, monkeypatch: pytest.MonkeyPatch
) -> None:
    from actionformer.video.live import LiveVideoReader

    def broken(self: LiveVideoReader) -> Any:
        yield from islice(decoded(self), 300)
        raise OSError("the cable is out")

    decoded = LiveVideoReader._decoded
    monkeypatch.setattr(LiveVideoReader, "_decoded", broken)
    out = io.StringIO()
    watching = actionformer.watch(seen / "run", long, patience=0.1, **LIVE)
    target = tmp_path / "found.jsonl"
    code = follow(watching, target, "json", chosen=_best, provisional=False, console=Console(file=out, width=200))
    assert code == 1
    assert re.search(r"error: .*long.ts: broke off after 29.9 s: .*the cable is out", out.getvalue())
    starts = [json.loads(line)["start"] for line in target.read_text("utf-8").splitlines()]
    assert starts == pytest.approx(np.sort(_best(whole).segments[:, 0])[:10], abs=0.2)


def _best(found: Detections) -> Detections:
    return found.above(0.5)


def test_provisional_actions_and_the_clock_of_a_source_in_real_time(
    tmp_path: Path, seen: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actionformer.video.live.WAITING", 300)
    source = "lavfi:testsrc=size=128x96:rate=10:duration=30"  # as fast as it can
    watching = actionformer.watch(seen / "run", source, max_action_seconds=2)
    out = io.StringIO()
    target = tmp_path / "found.jsonl"
    before = datetime.now(UTC)
    code = follow(watching, target, "json", chosen=_all, provisional=True, console=Console(file=out, width=200))
    assert code == 0
    lines = [json.loads(line) for line in target.read_text("utf-8").splitlines()]
    provisional = [line["provisional"] for line in lines if "provisional" in line]
    final = [line for line in lines if "provisional" not in line]
    assert len(provisional) > 2
    assert provisional[-1] == []
    assert all(one != other for one, other in pairwise(provisional))
    assert any(action in final for actions in provisional for action in actions)
    assert all(list(action) == ["label", "start", "end", "score", "wall_clock"] for action in final)
    clock = datetime.fromisoformat(final[0]["wall_clock"]) - timedelta(seconds=final[0]["start"])
    assert abs(clock - before) < timedelta(seconds=60)
    assert "an action is final at most" in out.getvalue()


def _all(found: Detections) -> Detections:
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_source_and_not_the_program(
    tmp_path: Path, seen: Path, long: Path, number: signal.Signals
) -> None:
    watching = actionformer.watch(seen / "run", long, patience=60, **LIVE)
    before = signal.getsignal(number)
    after = [60]  # features

    def signalled(found: Detections) -> Detections:
        if after and watching.stream.length >= after[0]:
            after.clear()
            signal.raise_signal(number)
        return found

    target = tmp_path / "found.csv"
    console = Console(file=io.StringIO())
    assert follow(watching, target, "csv", chosen=signalled, provisional=False, console=console) == 0
    assert signal.getsignal(number) is before
    header, *rows = target.read_text("utf-8").splitlines()
    assert header == "video,label,start,end,score"
    assert 10 < max(float(row.split(",")[3]) for row in rows) < 20


def test_a_second_signal_is_as_ever(tmp_path: Path, seen: Path, long: Path) -> None:
    watching = actionformer.watch(seen / "run", long, patience=60, **LIVE)

    def impatient(found: Detections) -> Detections:
        signal.raise_signal(signal.SIGINT)
        return found

    with pytest.raises(KeyboardInterrupt):
        follow(watching, tmp_path / "a", "table", chosen=impatient, provisional=False, console=Console(quiet=True))
    assert (tmp_path / "a").read_text("utf-8") == "     start        end  score  label\n"


def test_what_cannot_be_watched(tmp_path: Path, seen: Path, tiny: Any) -> None:
    run = seen / "run"
    for arguments, message in (
        ({"patience": 0}, "patience must be a positive number"),
        ({"stop_after": float("nan")}, "stop_after must be a positive number"),
        ({"max_action_seconds": -1}, "max_action_seconds"),
        ({"max_per_hour": 0.0}, "max_per_hour"),
        ({"backbone": "i3d"}, "the model was trained on 'motion'"),
    ):
        with pytest.raises(InputError, match=message):
            actionformer.watch(run, "lavfi:testsrc", **arguments)
    with pytest.raises(InputError, match="no such file, pipe or address"):
        actionformer.watch(run, tmp_path / "none.ts")
    whole = actionformer.load(run)
    config = whole.config.replace(model={"position": "sinusoidal"})
    (tmp_path / "whole").mkdir()
    for path in run.iterdir():
        if path.is_file():
            (tmp_path / "whole" / path.name).write_bytes(path.read_bytes())
    (tmp_path / "whole" / "config.toml").write_text(config.to_toml(), "utf-8")
    with pytest.raises(InputError, match="cannot follow a stream"):
        actionformer.watch(tmp_path / "whole", "lavfi:testsrc=rate=10")


def test_formats_of_live_detections(tmp_path: Path) -> None:
    assert live_format("-", None, None, provisional=True) == "json"
    assert live_format("-", Path("a.jsonl"), None, provisional=False) == "json"
    assert live_format("-", Path("a.CSV"), None, provisional=False) == "csv"
    assert live_format("-", Path("a.csv"), "table", provisional=False) == "table"
    for arguments, message in (
        (("-", None, "srt", False), "srt can only be written at the end: for a live source use json, csv, table"),
        (("-", None, "csv", True), "provisional actions are written as json, not as csv"),
        ((str(tmp_path), tmp_path, None, False), "is the source and is not overwritten"),
    ):
        with pytest.raises(InputError, match=message):
            live_format(*arguments)
