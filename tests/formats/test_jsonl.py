import json
from pathlib import Path

import pytest

from actionformer.core.errors import InputError
from actionformer.formats.jsonl import line_content, read_results, results_text, video_line
from actionformer.formats.rows import VideoRows

ROW = {"label": "run", "score": 0.5, "segment": [0.0, 1.0]}


def test_a_line_per_video() -> None:
    one = VideoRows("v", [ROW], "v.mp4")
    assert json.loads(video_line(one)) == {"video": "v", "source": "v.mp4", "detections": [ROW]}
    assert list(results_text([one, one])) == [video_line(one)] * 2
    assert line_content(video_line(one).encode(), "here") == ("v", [ROW])


def test_a_line_that_a_kill_has_cut_is_left_out(tmp_path: Path) -> None:
    whole, cut = video_line(VideoRows("v", [ROW])), video_line(VideoRows("w", [ROW]))[:-9]
    (tmp_path / "a.jsonl").write_text(whole + cut)
    with pytest.warns(UserWarning, match="line 2 is incomplete, as after a kill"):
        found = read_results(tmp_path / "a.jsonl")
    assert list(found) == ["v"]
    assert found["v"].segments.tolist() == [[0.0, 1.0]]


def test_two_lines_of_one_video_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(2 * video_line(VideoRows("v", [ROW])))
    with pytest.raises(InputError, match=r"a\.jsonl: line 2: video 'v' has an earlier line, keep one of them"):
        read_results(tmp_path / "a.jsonl")
