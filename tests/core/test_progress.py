"""How far a job has come: a bar for people, a line now and then for logs, nothing of what is over at once."""

import io

import pytest
from rich.console import Console

from actionformer.core import progress
from actionformer.core.progress import counted, in_words, roughly
from actionformer.core.terminal import plain_console


class Clock:
    """Time that passes by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    one = Clock()
    monkeypatch.setattr(progress, "time", one)
    return one


def log(clock: Clock, items: int, seconds: float) -> list[str]:
    page = io.StringIO()
    for _ in counted(range(items), items, plain_console(page)):
        clock.now += seconds
    return page.getvalue().splitlines()


def test_a_line_now_and_then_in_a_log(clock: Clock) -> None:
    assert log(clock, 100, 1.0) == [
        "10 of 100 videos, about 1 min 30 s left",
        "40 of 100 videos, about 1 min left",
        "70 of 100 videos, about 30 s left",
    ]


def test_nothing_of_a_short_job_or_a_single_file(clock: Clock) -> None:
    assert log(clock, 90, 0.1) == []
    assert log(clock, 1, 1000.0) == []
    assert log(clock, 0, 1.0) == []


def test_a_bar_on_a_terminal_that_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    page = io.StringIO()
    items = counted(iter("abc"), 3, Console(file=page, force_terminal=True, width=80))
    assert list(items) == list("abc")
    assert "3/3" in page.getvalue()


def test_seconds_in_words() -> None:
    assert [in_words(seconds) for seconds in (0.2, 59.6, 3600, 3723)] == ["1 s", "1 min", "1 h", "1 h 2 min 3 s"]


def test_minutes_are_enough_of_what_takes_long() -> None:
    long = (0, 98, 100, 5400, 11100)
    assert [roughly(seconds) for seconds in long] == ["1 s", "1 min 38 s", "2 min", "1 h 30 min", "3 h 5 min"]
