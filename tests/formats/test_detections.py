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


def test_subtitles_and_elan_documents(tmp_path: Path) -> None:
    found = some().above(0.3)
    found.to_srt(tmp_path / "a.srt")
    found.to_vtt(tmp_path / "a.vtt")
    found.to_eaf(tmp_path / "a.eaf")
    assert (tmp_path / "a.srt").read_text() == srt.video_text(found)
    assert (tmp_path / "a.vtt").read_text() == vtt.video_text(found)
    assert "MEDIA_DESCRIPTOR" not in (tmp_path / "a.eaf").read_text()
    found.to_eaf(tmp_path / "a.eaf", media=tmp_path / "a.mp4")
    assert f'MEDIA_URL="{(tmp_path / "a.mp4").resolve().as_uri()}"' in (tmp_path / "a.eaf").read_text()


def test_none_at_all(tmp_path: Path) -> None:
    empty = Detections([], [], [], ())
    assert len(empty) == 0
    assert empty.segments.shape == (0, 2)
    assert empty.to_dict() == []
    write_results(tmp_path / "r.json", {"v": empty})
    assert len(read_results(tmp_path / "r.json")["v"]) == 0


@given(st.lists(st.tuples(st.floats(0, 1e4), st.floats(0, 1e4), st.floats(0, 1), st.integers(0, 2)), max_size=6))
def test_files_give_back_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[float, float, float, int]]
) -> None:
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


def test_class_names_come_from_the_file(tmp_path: Path) -> None:
    write_results(tmp_path / "r.json", {"v": some(), "w": some()[:1]})
    results = read_results(tmp_path / "r.json")
    assert results["v"].class_names == results["w"].class_names == ("run", "throw")


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
