"""Calls of the version before still work, and say what to write."""

from pathlib import Path

import pytest
from commands import Command

from actionformer.cli.former import in_todays_words


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ("detect run --live - --format csv", "watch run --source - --format csv"),
        ("detect --live=/dev/video0 run --patience 3", "watch --source=/dev/video0 run --patience 3"),
    ],
)
def test_detect_live_is_watch(before: str, now: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert in_todays_words(before.split()) == now.split()
    assert capsys.readouterr().err == (
        "warning: detect RUN --live SOURCE is now called watch: write actionformer watch RUN SOURCE\n"
    )


@pytest.mark.parametrize("call", ["", "detect run a.npy", "watch run --live", "detect run --out --livestream.json"])
def test_other_calls_stay_as_they_are(call: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert in_todays_words(call.split()) == call.split()
    assert capsys.readouterr().err == ""


def test_both_find_the_same(call: Command, trained: Path, features: Path) -> None:
    options = ("--format", "csv", "--max-action-seconds", 10, "--classes", "jump")
    before = call("detect", trained, "--live", features / "video4.npy", *options)
    now = call("watch", trained, features / "video4.npy", *options)
    assert before.out == now.out
    assert before.out.count("jump") > 1
    assert before.err.splitlines()[1:] == now.err.splitlines()
