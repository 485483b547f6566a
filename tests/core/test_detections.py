import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actionformer.core.detections import Detections
from actionformer.core.errors import InputError
from actionformer.formats import srt, vtt
from actionformer.formats.detections import read_results, write_results

NAMES = ("run", "jump", "throw")


def some() -> Detections:
    return Detections(
        segments=np.array([[0, 1], [2, 4], [1, 3]], dtype=np.float32),
        scores=np.array([0.25, 0.75, 0.5], dtype=np.float32),
        labels=np.array([0, 2, 0]),
        class_names=NAMES,
        levels=np.array([1, 2, 3]),
    )


def equal(first: Detections, second: Detections) -> bool:
    arrays = ("segments", "scores", "labels", "levels")
    same = all(np.array_equal(getattr(first, name), getattr(second, name)) for name in arrays)
    return same and first.class_names == second.class_names


def test_best_first():
    found = some()
    assert found.scores.tolist() == [0.75, 0.5, 0.25]
    assert found.segments.tolist() == [[2, 4], [1, 3], [0, 1]]
    assert found.labels.tolist() == [2, 0, 0]
    assert found.levels.tolist() == [2, 3, 1]


def test_shown_as_a_small_table_in_the_order_of_time():
    assert repr(some()).splitlines() == [
        "3 detections of 3 classes:",
        "    start       end  score  label",
        "     0.00      1.00  0.250  run",
        "     1.00      3.00  0.500  run",
        "     2.00      4.00  0.750  throw",
    ]
    assert repr(some()[:0]) == "0 detections of 3 classes"
    many = Detections(np.tile([4000.0, 4001.0], (1200, 1)), np.linspace(1, 0, 1200), [0] * 1200, ("long \n" * 30,))
    lines = repr(many).splitlines()
    assert lines[0] == "1,200 detections of 1 classes, the best 5:"
    assert len(lines) == 7
    assert max(map(len, lines)) <= 80
    assert lines[2].endswith("\u2026")


def test_subtitles_and_elan_documents(tmp_path):
    found = some().above(0.3)
    found.to_srt(tmp_path / "a.srt")
    found.to_vtt(tmp_path / "a.vtt")
    found.to_eaf(tmp_path / "a.eaf")
    assert (tmp_path / "a.srt").read_text() == srt.video_text(found)
    assert (tmp_path / "a.vtt").read_text() == vtt.video_text(found)
    assert "MEDIA_DESCRIPTOR" not in (tmp_path / "a.eaf").read_text()
    found.to_eaf(tmp_path / "a.eaf", media=tmp_path / "a.mp4")
    assert f'MEDIA_URL="{(tmp_path / "a.mp4").resolve().as_uri()}"' in (tmp_path / "a.eaf").read_text()


def test_equal_scores_stay_in_order():
    found = Detections(np.zeros((4, 2)), [0.5, 0.75, 0.5, 0.5], [0, 1, 2, 1], NAMES)
    assert found.labels.tolist() == [1, 0, 2, 1]
    assert found.levels.tolist() == [-1] * 4


def test_slices_indices_and_masks():
    found = some()
    assert found[:2].scores.tolist() == [0.75, 0.5]
    assert found[-1].scores.tolist() == [0.25]
    assert found[np.array([2, 0])].scores.tolist() == [0.75, 0.25]
    assert found[found.labels == 0].levels.tolist() == [3, 1]
    assert [len(one) for one in found] == [1, 1, 1]


def test_above_and_of():
    found = some()
    assert found.above(0.5).scores.tolist() == [0.75, 0.5]
    assert found.of("run").scores.tolist() == found.of(0).scores.tolist() == [0.5, 0.25]
    assert len(found.of(["run", 2])) == 3
    assert len(found.of([])) == 0


def test_an_unknown_class_names_the_nearest():
    with pytest.raises(InputError, match=r"no class 'jumps', did you mean 'jump'\?"):
        some().of("jumps")
    with pytest.raises(InputError, match="no class 3: ids run from 0 to 2"):
        some().of(3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scores": [0.5]}, r"expected segments \(N, 2\), .* found \(2, 2\), \(1,\), \(2,\) and \(1,\)"),
        ({"segments": [[0, 1, 2], [0, 1, 2]]}, r"found \(2, 3\)"),
        ({"scores": 0.5}, r"expected segments"),
        ({"scores": [0.5, float("nan")]}, "must be finite"),
        ({"segments": [[0, float("inf")], [0, 1]]}, "must be finite"),
        ({"segments": [[0, 1], [3, 2]]}, r"segment \[3.0, 2.0\] ends before it starts"),
        ({"labels": [0, 3]}, "labels span 0 to 3 for 3 class names"),
        ({"labels": [-1, 0]}, "labels span -1 to 0"),
        ({"labels": [0.0, 1.0]}, "labels must be integers"),
    ],
)
def test_arrays_that_do_not_fit(changes, message):
    arrays = {"segments": [[0, 1], [1, 2]], "scores": [0.5, 0.25], "labels": [0, 1], **changes}
    with pytest.raises(InputError, match=message):
        Detections(**arrays, class_names=NAMES)


def test_none_at_all(tmp_path):
    empty = Detections([], [], [], ())
    assert len(empty) == 0
    assert empty.segments.shape == (0, 2)
    assert empty.to_dict() == []
    write_results(tmp_path / "r.json", {"v": empty})
    assert len(read_results(tmp_path / "r.json")["v"]) == 0


def test_the_results_layout(tmp_path):
    some()[:1].to_json(tmp_path / "r.json", video_id="v1")
    assert json.loads((tmp_path / "r.json").read_text()) == {
        "version": "1.0",
        "results": {"v1": [{"label": "throw", "score": 0.75, "segment": [2.0, 4.0]}]},
        "external_data": {},
    }


def test_the_csv_layout(tmp_path):
    some()[:2].to_csv(tmp_path / "r.csv", video_id="a, b")
    lines = (tmp_path / "r.csv").read_text().splitlines()  # in the order of time
    assert lines == ["video,label,start,end,score", '"a, b",run,1.000,3.000,0.5', '"a, b",throw,2.000,4.000,0.75']
    one = Detections([[1 / 3, 3599.9996]], [np.float32(0.1)], [0], ("a",))
    one.to_csv(tmp_path / "r.csv")
    assert (tmp_path / "r.csv").read_text().splitlines()[1] == "video,a,0.333,3600.000,0.1"


@given(st.lists(st.tuples(st.floats(0, 1e4), st.floats(0, 1e4), st.floats(0, 1), st.integers(0, 2)), max_size=6))
def test_files_give_back_what_was_written(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("results")
    found = Detections(
        segments=np.array([(start, start + length) for start, length, _, _ in rows]),
        scores=np.array([row[2] for row in rows]),
        labels=np.array([row[3] for row in rows], dtype=np.int64),
        class_names=NAMES,
    )
    write_results(folder / "r.json", {"v": found})
    assert equal(read_results(folder / "r.json", NAMES)["v"], found)
    write_results(folder / "r.csv", {"v": found}, "csv")
    if not rows:
        return
    again = read_results(folder / "r.csv", NAMES)["v"]  # to a millisecond, and six digits of the score
    write_results(folder / "again.csv", {"v": again}, "csv")
    assert sorted((folder / "again.csv").read_text().splitlines()) == sorted(
        (folder / "r.csv").read_text().splitlines()
    )


def test_class_names_come_from_the_file(tmp_path):
    write_results(tmp_path / "r.json", {"v": some(), "w": some()[:1]})
    results = read_results(tmp_path / "r.json")
    assert results["v"].class_names == results["w"].class_names == ("run", "throw")


GOOD = {"label": "run", "score": 0.5, "segment": [0, 1]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "no 'results' object"),
        ({"results": []}, "no 'results' object"),
        ({"results": {"v": {}}}, "video 'v': expected a list"),
        ({"results": {"v": [GOOD, {"label": "run"}]}}, "video 'v', detection 1: expected"),
        ({"results": {"v": [{**GOOD, "segment": [0]}]}}, "detection 0: expected"),
        ({"results": {"v": [{**GOOD, "segment": [0, True]}]}}, "end must be a finite number, found True"),
        ({"results": {"v": [{**GOOD, "segment": ["0", 1]}]}}, "start must be a finite number, found '0'"),
        ({"results": {"v": [{**GOOD, "score": float("nan")}]}}, "score must be a finite number, found nan"),
        ({"results": {"v": [{**GOOD, "segment": [2, 1]}]}}, r"segment \[2, 1\] ends before it starts"),
        ({"results": {"v": [{**GOOD, "label": 3}]}}, "label must be a class name, found 3"),
        ({"results": {"v": [{**GOOD, "label": "rum"}]}}, "video 'v': no class 'rum', did you mean 'run'"),
    ],
)
def test_broken_results(tmp_path, content, message):
    (tmp_path / "r.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=rf"r\.json: .*{message}"):
        read_results(tmp_path / "r.json", NAMES)


def test_a_video_that_occurs_twice(tmp_path):
    (tmp_path / "r.json").write_text('{"results": {"v": [], "v": []}}')
    with pytest.raises(InputError, match="key 'v' occurs twice"):
        read_results(tmp_path / "r.json")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n", "expected the header video,label,start,end,score, found 'a,b'"),
        ("video,label,start,end,score\nv,run,0\n", "line 2: expected 5 values, found 3"),
        ("video,label,start,end,score\nv,run,0,x,1\n", "line 2: expected a number, found 'x'"),
        ("video,label,start,end,score\nv,run,0,1,nan\n", "line 2: score must be a finite number, found nan"),
    ],
)
def test_broken_csv(tmp_path, text, message):
    (tmp_path / "r.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        read_results(tmp_path / "r.csv")


HOSTILE = ["a\rb", "a\nb", "a\r\nb", '"q",', " blank ", "\x1b[2J", "\0", "\u2028", "walk [left]", "=1+1", "é", "'"]


@pytest.mark.parametrize("ending", ["json", "csv"])
def test_every_name_comes_back(tmp_path: Path, ending: str) -> None:
    n = len(HOSTILE)
    one = Detections(np.tile([1.0, 2.0], (n, 1)), np.linspace(1, 0.5, n).round(3), np.arange(n), tuple(HOSTILE))
    write_results(tmp_path / f"a.{ending}", dict.fromkeys(HOSTILE, one), ending)
    found = read_results(tmp_path / f"a.{ending}", HOSTILE)
    assert list(found) == HOSTILE
    assert all(video.to_dict() == one.to_dict() for video in found.values())


def test_a_class_in_another_form_of_unicode(tmp_path: Path) -> None:
    one = Detections([[0.0, 1.0]], [0.5], [0], ("mu\u0308de",))
    write_results(tmp_path / "a.json", {"v": one})
    assert read_results(tmp_path / "a.json", ["run", "m\u00fcde"])["v"].labels.tolist() == [1]
    assert len(one.of("m\u00fcde")) == 1


def test_names_that_are_no_text_are_refused(tmp_path: Path) -> None:
    one = Detections([[0.0, 1.0]], [0.5], [0], ("\ud800",))
    with pytest.raises(InputError, match=r"cannot write '\\ud800', which is not Unicode text"):
        write_results(tmp_path / "a.csv", {"v": one}, "csv")
    write_results(tmp_path / "a.json", {"v": one})
    with pytest.raises(InputError, match=r"label '\\ud800' is not Unicode text"):
        read_results(tmp_path / "a.json")


def test_broken_csv_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("video,label,start,end,score\nv," + "x" * 200_000 + ",0,1,1\n")
    with pytest.raises(InputError, match=r"a\.csv: line 2: not valid CSV \(field larger"):
        read_results(tmp_path / "a.csv")
