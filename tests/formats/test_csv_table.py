from pathlib import Path

import numpy as np
import pytest

from actionformer.core.detections import Detections
from actionformer.core.errors import InputError
from actionformer.formats.detections import read_results

NAMES = ("run", "jump", "throw")


def some() -> Detections:
    return Detections(
        segments=np.array([[0, 1], [2, 4], [1, 3]], dtype=np.float32),
        scores=np.array([0.25, 0.75, 0.5], dtype=np.float32),
        labels=np.array([0, 2, 0]),
        class_names=NAMES,
        levels=np.array([1, 2, 3]),
    )


def test_the_csv_layout(tmp_path: Path) -> None:
    some()[:2].to_csv(tmp_path / "r.csv", video_id="a, b")
    lines = (tmp_path / "r.csv").read_text().splitlines()  # in the order of time
    assert lines == ["video,label,start,end,score", '"a, b",run,1.000,3.000,0.5', '"a, b",throw,2.000,4.000,0.75']
    one = Detections([[1 / 3, 3599.9996]], [np.float32(0.1)], [0], ("a",))
    one.to_csv(tmp_path / "r.csv")
    assert (tmp_path / "r.csv").read_text().splitlines()[1] == "video,a,0.333,3600.000,0.1"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n", "expected the header video,label,start,end,score, found 'a,b'"),
        ("video,label,start,end,score\nv,run,0\n", "line 2: expected 5 values, found 3"),
        ("video,label,start,end,score\nv,run,0,x,1\n", "line 2: expected a number, found 'x'"),
        ("video,label,start,end,score\nv,run,0,1,nan\n", "line 2: score must be a finite number, found nan"),
    ],
)
def test_broken_csv(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "r.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        read_results(tmp_path / "r.csv")


def test_broken_csv_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("video,label,start,end,score\nv," + "x" * 200_000 + ",0,1,1\n")
    with pytest.raises(InputError, match=r"a\.csv: line 2: not valid CSV \(field larger"):
        read_results(tmp_path / "a.csv")
