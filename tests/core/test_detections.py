from typing import Any

import numpy as np
import pytest

from actionformer.core.detections import Detections
from actionformer.core.errors import InputError

NAMES = ("run", "jump", "throw")


def some() -> Detections:
    return Detections(
        segments=np.array([[0, 1], [2, 4], [1, 3]], dtype=np.float32),
        scores=np.array([0.25, 0.75, 0.5], dtype=np.float32),
        labels=np.array([0, 2, 0]),
        class_names=NAMES,
        levels=np.array([1, 2, 3]),
    )


def test_best_first() -> None:
    found = some()
    assert found.scores.tolist() == [0.75, 0.5, 0.25]
    assert found.segments.tolist() == [[2, 4], [1, 3], [0, 1]]
    assert found.labels.tolist() == [2, 0, 0]
    assert found.levels.tolist() == [2, 3, 1]


def test_shown_as_a_small_table_in_the_order_of_time() -> None:
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
    assert lines[0] == "1,200 detections of 1 class, the best 5:"
    assert len(lines) == 7
    assert max(map(len, lines)) <= 80
    assert lines[2].endswith("\u2026")


def test_equal_scores_stay_in_order() -> None:
    found = Detections(np.zeros((4, 2)), [0.5, 0.75, 0.5, 0.5], [0, 1, 2, 1], NAMES)
    assert found.labels.tolist() == [1, 0, 2, 1]
    assert found.levels.tolist() == [-1] * 4


def test_slices_indices_and_masks() -> None:
    found = some()
    assert found[:2].scores.tolist() == [0.75, 0.5]
    assert found[-1].scores.tolist() == [0.25]
    assert found[np.array([2, 0])].scores.tolist() == [0.75, 0.25]
    assert found[found.labels == 0].levels.tolist() == [3, 1]
    assert [len(one) for one in map(found.__getitem__, range(3))] == [1, 1, 1]


def test_above_and_of() -> None:
    found = some()
    assert found.above(0.5).scores.tolist() == [0.75, 0.5]
    assert found.of("run").scores.tolist() == found.of(0).scores.tolist() == [0.5, 0.25]
    assert len(found.of(["run", 2])) == 3
    assert len(found.of([])) == 0


def test_an_unknown_class_names_the_nearest() -> None:
    with pytest.raises(InputError, match=r"no class 'jumps', did you mean 'jump'\?"):
        some().of("jumps")
    with pytest.raises(InputError, match="no class 'zzz'; there are run, jump, throw"):
        some().of("zzz")
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
def test_arrays_that_do_not_fit(changes: Any, message: str) -> None:
    arrays = {"segments": [[0, 1], [1, 2]], "scores": [0.5, 0.25], "labels": [0, 1], **changes}
    with pytest.raises(InputError, match=message):
        Detections(**arrays, class_names=NAMES)
