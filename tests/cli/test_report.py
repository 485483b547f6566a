"""What verbs print when they are done."""

from pathlib import Path

import pytest

from actionformer.cli.report import MOST_FAILED, report_files


def test_of_many_failures_the_first_are_shown_where_a_file_has_all(capsys: pytest.CaptureFixture[str]) -> None:
    failed = {f"{number:03d}.mp4": "broken" for number in range(200)}
    assert report_files({}, failed, Path("failed.jsonl")) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 + MOST_FAILED + 1
    assert lines[-1] == "200 videos set aside, failed.jsonl has all of them"
    assert report_files({}, failed) == 1
    assert "199.mp4" in capsys.readouterr().err
    assert report_files({}, {}, Path("failed.jsonl")) == 0
